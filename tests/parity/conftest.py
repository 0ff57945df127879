"""Starts each server once per configuration; without Node there is nothing to compare with, and the run says so."""

from collections.abc import Iterator

import pytest

from parity.field import Field
from parity.servers import missing
from parity.shared import SharedServers

REASON = missing()
collect_ignore_glob = ["test_*"] if REASON else []


def pytest_report_header() -> str:
    return f"parity: SKIPPED, {REASON}" if REASON else "parity: against better-auth of tests/parity/package-lock.json"


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    field = Field(tmp_path_factory.mktemp("parity"))
    yield field
    field.close()


@pytest.fixture(scope="module")
def shared_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServers]:
    shared = SharedServers(tmp_path_factory.mktemp("shared"))
    yield shared
    shared.close()
