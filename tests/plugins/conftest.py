"""What races of several plugins need."""

from collections.abc import Generator
from pathlib import Path

import pytest

from store.database_servers import database_on


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Give the URL of a new database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/auth.db"
        return
    with database_on(request.param) as server:
        yield server.url
