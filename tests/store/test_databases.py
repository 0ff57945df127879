"""A `databases.Database` that the application did not connect is connected once, however many calls come first."""

import pytest
from anyio import create_task_group, fail_after
from databases import Database

from portico.store.connect import open_store
from portico.testing.adapter_rows import TABLES
from requirements import requirement
from store.database_servers import DatabaseServer

pytestmark = [pytest.mark.anyio, requirement("S-153")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_calls_at_once_connect_one_pool(postgresql: DatabaseServer) -> None:
    connected: list[int] = []

    class Counted(Database):
        async def connect(self) -> None:
            connected.append(len(connected))
            await super().connect()

    database = Counted(postgresql.url)
    store = open_store(database)
    await store.create_schema(TABLES)
    await store.close()
    assert (connected, database.is_connected) == ([0], False)
    with fail_after(20):
        async with create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(store.count, TABLES[0])
    await store.close()
    assert (connected, database.is_connected) == ([0, 1], False)
