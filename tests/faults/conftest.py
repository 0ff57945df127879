"""The database servers that tests of faults may ask for; their drivers run on asyncio only."""

from collections.abc import Iterator

import pytest

from store.database_servers import DatabaseServer, database_on


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[DatabaseServer]:
    with database_on("postgresql") as server:
        yield server


@pytest.fixture(scope="module")
def mysql() -> Iterator[DatabaseServer]:
    with database_on("mysql") as server:
        yield server
