"""The database servers of this machine, each with a database that no other test run has."""

import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

import anyio
import asyncmy
import asyncpg
import pytest

Kind = Literal["postgresql", "mysql"]
Run = Callable[[str], Coroutine[Any, Any, Sequence[Sequence[Any]]]]
"""Runs one statement on a connection of the test's own and returns its rows."""

URLS: Mapping[Kind, str] = {
    "postgresql": os.environ.get("PORTICO_TEST_POSTGRES") or "postgresql://postgres@127.0.0.1:5432/postgres",
    "mysql": os.environ.get("PORTICO_TEST_MYSQL") or "mysql://root@127.0.0.1:3306/mysql",
}
UNREACHABLE = (OSError, asyncpg.PostgresError, asyncmy.errors.MySQLError)
QUOTES: Mapping[Kind, str] = {"postgresql": '"', "mysql": "`"}
TABLES: Mapping[Kind, str] = {
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
}


@dataclass(frozen=True)
class DatabaseServer:
    """One database on a server."""

    kind: Kind
    name: str
    place: str
    """User, password, host and port."""

    @property
    def address(self) -> str:
        """User, host, port and database, as every URL of it ends."""
        return f"//{self.place}/{self.name}"

    @property
    def url(self) -> str:
        return f"{self.kind}:{self.address}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parts of the address, as drivers take them."""
        return _settings(urlsplit(self.url))

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[Run]:
        """Give a connection of the test's own, outside of any transaction."""
        async with _connected(urlsplit(self.url)) as run:
            yield run

    async def run(self, *statements: str) -> None:
        """Run statements of the test's own, outside of any transaction."""
        async with self.connected() as run:
            for statement in statements:
                await run(statement)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the test's own."""
        async with self.connected() as run:
            return [tuple(row) for row in await run(query)]

    async def drop(self, *tables: str) -> None:
        quote = QUOTES[self.kind]
        await self.run(*[f"DROP TABLE IF EXISTS {quote}{table}{quote}" for table in tables])

    async def empty(self) -> None:
        """Drop every table."""
        quote, cascade = QUOTES[self.kind], " CASCADE" if self.kind == "postgresql" else ""
        async with self.connected() as run:
            if self.kind == "mysql":
                await run("SET foreign_key_checks = 0")
            for [table] in await run(TABLES[self.kind]):
                await run(f"DROP TABLE {quote}{table}{quote}{cascade}")


@contextmanager
def database_on(kind: Kind) -> Generator[DatabaseServer]:
    """Give a new database and drop it afterwards; skip where no server runs, but never where CI is set."""
    name = f"portico_test_{uuid4().hex[:12]}"
    server = urlsplit(URLS[kind])
    try:
        _on_server(server, f"CREATE DATABASE {name}")
    except UNREACHABLE as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{kind} NOT CHECKED: {type(error).__name__} at {server.netloc.rpartition('@')[2]}")
    try:
        yield DatabaseServer(kind, name, server.netloc)
    finally:
        _on_server(server, f"DROP DATABASE {name}" + (" WITH (FORCE)" if kind == "postgresql" else ""))


def _on_server(server: SplitResult, statement: str) -> None:
    async def execute() -> None:
        async with _connected(server) as run:
            await run(statement)

    # A fixture is made in the event loop of the test that asks for it first.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, execute).result()


@asynccontextmanager
async def _connected(parts: SplitResult) -> AsyncGenerator[Run]:
    if parts.scheme == "postgresql":
        postgres: Any = await asyncpg.connect(parts.geturl())
        try:
            yield postgres.fetch
        finally:
            await postgres.close()
        return
    connect: Any = asyncmy.connect  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # as its stubs say
    mysql = await connect(autocommit=True, **_settings(parts))
    async with mysql.cursor() as cursor:

        async def run(statement: str) -> Sequence[Sequence[Any]]:
            await cursor.execute(statement)
            rows: Sequence[Sequence[Any]] = await cursor.fetchall()
            return rows

        try:
            yield run
        finally:
            await mysql.ensure_closed()


def _settings(parts: SplitResult) -> Mapping[str, Any]:
    return {
        "host": parts.hostname,
        "port": parts.port or (5432 if parts.scheme == "postgresql" else 3306),
        "user": parts.username,
        "password": parts.password or "",
        "database": parts.path[1:],
    }
