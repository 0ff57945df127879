"""The database servers of this machine, each with a database that no other test run has."""

import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import asyncmy
import asyncpg
import pytest

Kind = Literal["postgresql", "mysql"]
URLS: Mapping[Kind, str] = {
    "postgresql": os.environ.get("PORTICO_TEST_POSTGRES") or "postgresql://postgres@127.0.0.1:5432/postgres",
    "mysql": os.environ.get("PORTICO_TEST_MYSQL") or "mysql://root@127.0.0.1:3306/mysql",
}
UNREACHABLE = (OSError, asyncpg.PostgresError, asyncmy.errors.MySQLError)
QUOTES: Mapping[Kind, str] = {"postgresql": '"', "mysql": "`"}


@dataclass(frozen=True)
class DatabaseServer:
    """One database on a server."""

    kind: Kind
    name: str

    @property
    def address(self) -> str:
        """User, host, port and database, as every URL of it ends."""
        parts = urlsplit(URLS[self.kind])
        return f"//{parts.netloc}/{self.name}"

    @property
    def url(self) -> str:
        return f"{self.kind}:{self.address}"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parts of the address, as drivers take them."""
        return _settings(self.kind, self.name)

    async def run(self, *statements: str) -> None:
        """Run statements of the test's own, outside of any transaction."""
        async with _connected(self.kind, self.name) as execute:
            for statement in statements:
                await execute(statement)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the test's own."""
        async with _connected(self.kind, self.name, "fetch") as fetch:
            rows: Any = await fetch(query)
            return [tuple(row) for row in rows]

    async def drop(self, *tables: str) -> None:
        quote = QUOTES[self.kind]
        await self.run(*[f"DROP TABLE IF EXISTS {quote}{table}{quote}" for table in tables])


@contextmanager
def database_on(kind: Kind) -> Generator[DatabaseServer]:
    """Give a new database and drop it afterwards; skip where no server runs, but never where CI is set."""
    name = f"portico_test_{uuid4().hex[:12]}"
    try:
        _on_server(kind, f"CREATE DATABASE {name}")
    except UNREACHABLE as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{kind} NOT CHECKED: {type(error).__name__} at {urlsplit(URLS[kind]).netloc.rpartition('@')[2]}")
    try:
        yield DatabaseServer(kind, name)
    finally:
        _on_server(kind, f"DROP DATABASE {name}" + (" WITH (FORCE)" if kind == "postgresql" else ""))


def _on_server(kind: Kind, statement: str) -> None:
    async def execute() -> None:
        async with _connected(kind, None) as run:
            await run(statement)

    # A fixture is made in the event loop of the test that asks for it first.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, execute).result()


@asynccontextmanager
async def _connected(
    kind: Kind, name: str | None, verb: Literal["execute", "fetch"] = "execute"
) -> AsyncGenerator[Callable[[str], Coroutine[Any, Any, object]]]:
    parts = urlsplit(URLS[kind])
    database = name or parts.path.lstrip("/")
    if kind == "postgresql":
        postgres = await asyncpg.connect(parts._replace(path=f"/{database}").geturl())
        try:
            yield postgres.fetch if verb == "fetch" else postgres.execute
        finally:
            await postgres.close()
        return
    connect: Any = asyncmy.connect  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # as its stubs say
    mysql = await connect(autocommit=True, **_settings(kind, database))
    async with mysql.cursor() as cursor:
        try:
            yield partial(_fetched, cursor) if verb == "fetch" else cursor.execute
        finally:
            await mysql.ensure_closed()


async def _fetched(cursor: Any, query: str) -> object:
    await cursor.execute(query)
    return await cursor.fetchall()


def _settings(kind: Kind, database: str) -> Mapping[str, Any]:
    parts = urlsplit(URLS[kind])
    port = parts.port or (5432 if kind == "postgresql" else 3306)
    return {
        "host": parts.hostname,
        "port": port,
        "user": parts.username,
        "password": parts.password or "",
        "database": database,
    }
