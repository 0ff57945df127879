"""A desk in an empty folder."""

from collections.abc import Generator
from pathlib import Path

import pytest

from client.cli.desk import Desk, desk_at_server
from client.cli.provider import Provider, serving
from client.runtime.acme import Acme


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    """Return a desk whose tool signs in to a live server."""
    with desk_at_server(tmp_path / "acme") as desk:
        yield desk


@pytest.fixture
def alone(tmp_path: Path) -> Desk:
    """Return a desk whose server is what a test says."""
    return Desk(tmp_path / "acme", client=Acme)


@pytest.fixture
def provider() -> Generator[Provider]:
    """Return an OAuth provider that is there."""
    provider = Provider()
    with serving(provider):
        yield provider
