"""Calls that are part of a transaction of the application: what they write is kept or taken back with it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from anyio import fail_after
from databases import Database
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app import plain
from portico import AnyApi, Auth
from portico.endpoints.sign_up import SignUpEmail
from portico.errors import ApiError, ConfigError
from portico.testing import Clock
from requirements import requirement
from store.database_servers import DatabaseServer

pytestmark = [pytest.mark.anyio, requirement("ARCH-joined")]

ANN = SignUpEmail(name="Ann", email="ann@example.com", password="password123")
BEN = SignUpEmail(name="Ben", email="ben@example.com", password="password123")


class OnPurposeError(Exception):
    """What ends a transaction of the application."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


Begin = Callable[[], AbstractAsyncContextManager[Any]]
"""Begins a transaction of the application and gives the connection that it is open on, or None where we see it."""


@asynccontextmanager
async def over_engine(url: str) -> AsyncGenerator[tuple[Auth[AnyApi], Begin], None]:
    engine = create_async_engine(url)
    auth = plain(database=engine, clock=Clock())
    try:
        yield auth, engine.begin
    finally:
        await auth.close()
        await engine.dispose()


@asynccontextmanager
async def over_database(url: str) -> AsyncGenerator[tuple[Auth[AnyApi], Begin], None]:
    database = Database(url)
    await database.connect()

    @asynccontextmanager
    async def begin() -> AsyncGenerator[None, None]:
        async with database.transaction():
            yield None

    try:
        yield plain(database=database, clock=Clock()), begin
    finally:
        await database.disconnect()


@asynccontextmanager
async def over_pool(url: str) -> AsyncGenerator[tuple[Auth[AnyApi], Begin], None]:
    auth = plain(database=url, clock=Clock())
    own = await asyncpg.connect(url)

    @asynccontextmanager
    async def begin() -> AsyncGenerator[Any, None]:
        async with own.transaction():
            yield own

    try:
        yield auth, begin
    finally:
        await own.close()
        await auth.close()


@pytest.fixture(params=["engine", "engine on MySQL", "engine on SQLite", "database", "database on MySQL", "pool"])
async def application(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[tuple[Auth[AnyApi], Begin], None]:
    kind = str(request.param)
    if kind == "engine on SQLite":
        opened = over_engine(f"sqlite+aiosqlite:///{tmp_path / 'auth.db'}")
    else:
        server: DatabaseServer = request.getfixturevalue("mysql" if "MySQL" in kind else "postgresql")
        await server.drop("session", "account", "verification", "user")
        opened = {
            "engine": over_engine(f"postgresql+asyncpg:{server.address}"),
            "engine on MySQL": over_engine(f"mysql+asyncmy:{server.address}"),
            "database": over_database(server.url),
            "database on MySQL": over_database(f"mysql+asyncmy:{server.address}"),
            "pool": over_pool(server.url),
        }[kind]
    with fail_after(30):
        async with opened as (auth, begin):
            await auth.create_schema()
            yield auth, begin


async def users_of(auth: Auth[AnyApi]) -> list[str]:
    return sorted([row.email for row in await auth.users.find_many(auth.context(None))])


async def test_what_is_taken_back_takes_our_writes_with_it(application: tuple[Auth[AnyApi], Begin]) -> None:
    auth, begin = application
    with pytest.raises(OnPurposeError):
        async with begin() as connection:
            await auth.api.sign_up_email(auth.context(None, connection=connection), ANN)
            raise OnPurposeError
    assert await users_of(auth) == []


async def test_what_is_committed_keeps_them(application: tuple[Auth[AnyApi], Begin]) -> None:
    auth, begin = application
    async with begin() as connection:
        ctx = auth.context(None, connection=connection)
        await auth.api.sign_up_email(ctx, ANN)
        assert await auth.users.find_by_email(ctx, "ann@example.com") is not None
    assert await users_of(auth) == ["ann@example.com"]


async def test_a_refusal_leaves_the_transaction_usable(application: tuple[Auth[AnyApi], Begin]) -> None:
    auth, begin = application
    await auth.api.sign_up_email(None, ANN)
    async with begin() as connection:
        ctx = auth.context(None, connection=connection)
        with pytest.raises(ApiError):
            await auth.api.sign_up_email(ctx, ANN)
        await auth.api.sign_up_email(ctx, BEN)
    assert await users_of(auth) == ["ann@example.com", "ben@example.com"]


async def test_a_database_without_connections_to_join_says_so(tmp_path: Path) -> None:
    auth = plain(database=f"sqlite:///{tmp_path / 'auth.db'}")
    with pytest.raises(ConfigError, match="pass a SQLAlchemy AsyncEngine"):
        auth.context(None, connection=object())
    with pytest.raises(ConfigError, match="a connection can be joined where"):
        plain().context(None, connection=object())
    await auth.close()


async def test_what_is_no_connection_of_a_known_driver_is_refused(postgresql: DatabaseServer) -> None:
    auth = plain(database=postgresql.url)
    with pytest.raises(ConfigError, match="those of asyncpg"):
        await auth.users.find_many(auth.context(None, connection=object()))
    await auth.close()


async def test_statements_of_the_application_and_ours_see_each_other(postgresql: DatabaseServer) -> None:
    await postgresql.drop("session", "account", "verification", "user")
    with fail_after(30):
        async with over_engine(f"postgresql+asyncpg:{postgresql.address}") as (auth, begin):
            await auth.create_schema()
            async with begin() as connection:
                signed = await auth.api.sign_up_email(auth.context(None, connection=connection), ANN)
                rows = await connection.execute(text('SELECT email FROM "user"'))
                assert rows.all() == [("ann@example.com",)]
                await connection.execute(text("UPDATE \"user\" SET name = 'Anna'"))
                found = await auth.users.find(auth.context(None, connection=connection), email="ann@example.com")
            assert signed is not None
            assert found is not None
            assert found.name == "Anna"
