"""What upstream leaves to the tables of a database server, ours do too."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from app import plain
from portico import AdvancedOptions, DatabaseOptions
from portico.errors import UnstorableError
from portico.store.adapter import Adapter
from portico.testing import Clock
from requirements import requirement
from store.database_servers import DatabaseServer

pytestmark = [pytest.mark.anyio, requirement("ARCH-schema", "S-153")]


@pytest.fixture
def anyio_backend() -> str:
    """The drivers run on asyncio only."""
    return "asyncio"


@asynccontextmanager
async def users_on(server: DatabaseServer, ids: Any = None) -> AsyncGenerator[tuple[Adapter, Any, dict[str, Any]]]:
    """Yield a store, its table of users, and a row of it."""
    await server.drop("session", "account", "verification", "user")
    options = AdvancedOptions(database=DatabaseOptions(generate_id=ids))
    auth = plain(database=server.url, advanced=options, clock=Clock())
    await auth.create_schema()
    made = auth.users.table.record(await auth.users.made_up(auth.context(None), name="Ann", email="ann@example.com"))
    yield auth.store, auth.users.table, made
    await auth.close()


async def test_postgresql_makes_the_uuid_of_a_row_that_comes_without(postgresql: DatabaseServer) -> None:
    async with users_on(postgresql, "uuid") as (store, users, _):
        await postgresql.run(
            "INSERT INTO \"user\" (name, email, \"emailVerified\") VALUES ('Ann', 'ann@example.com', false)"
        )
        (row,) = await store.find_many(users)
        assert UUID(row["id"]).version == 4


async def test_a_name_is_as_long_on_mysql_as_upstreams(mysql: DatabaseServer) -> None:
    async with users_on(mysql) as (store, users, ann):
        with pytest.raises(UnstorableError):
            await store.create(users, {**ann, "name": "é" * 256})
        assert await store.count(users) == 0
        await store.create(users, {**ann, "name": "é" * 255})
        (row,) = await store.find_many(users)
        assert row["name"] == "é" * 255
