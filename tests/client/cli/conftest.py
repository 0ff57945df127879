"""A desk in an empty folder."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from client.cli.desk import Desk, desk_at_server
from client.cli.grants import sitting
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


@pytest.fixture
def at_provider(alone: Desk, provider: Provider, caplog: pytest.LogCaptureFixture) -> Iterator[Desk]:
    """Return a desk whose tool signs in at a provider; no token is ever logged."""
    with caplog.at_level("DEBUG"):
        yield sitting(alone, provider)
    assert [token for token in ("access-", "refresh-") if token in caplog.text] == []
