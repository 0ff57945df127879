"""Every way to a database, each with a pool of three connections, and whether that pool is whole."""

import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from databases import Database
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from portico.store.adapter import Adapter
from store.database_servers import DatabaseServer

SIZE = 3
ON_POSTGRESQL = ("postgresql", "engine on postgresql", "databases on postgresql")
ON_MYSQL = ("mysql", "engine on mysql", "databases on mysql", "databases on mysql by aiomysql")
ON_FILES = ("sqlite", "engine on sqlite", "databases on sqlite")
POOLS = (*ON_POSTGRESQL, *ON_MYSQL, *ON_FILES)
# asyncpg complains in the log when it is cancelled while it asks for TLS.
PLAIN = {"postgresql": "sslmode=disable", "engine on postgresql": "ssl=disable", "databases on postgresql": "ssl=false"}

# What each other connection does, by the kind of the server.
DOING = {
    "postgresql": "SELECT coalesce(state, 'starting') FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid()",
    "mysql": "SELECT if(trx_id IS NULL, command, 'in transaction') FROM information_schema.processlist"
    " LEFT JOIN information_schema.innodb_trx ON trx_mysql_thread_id = id"
    " WHERE db = database() AND id <> connection_id()",
}
IDLE = {"postgresql": "idle", "mysql": "Sleep"}
PAUSE = {"postgresql": "SELECT 1", "mysql": "SELECT sleep(0.2)"}
"""InnoDB tells nothing new of its transactions to who asked in the last tenth of a second."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What `Auth(database=...)` takes, and who knows what its connections do."""

    database: Any
    server: DatabaseServer | None
    path: Path

    @property
    def size(self) -> int:
        """How many transactions can be open at once: one on a file."""
        return SIZE if self.server else 1

    async def becomes_idle(self) -> None:
        """Wait until no connection is in use or in a transaction, and none is open beyond the size."""
        if self.server is None:
            # Whoever has left a transaction open keeps the lock.
            with closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        else:
            await self._becomes_idle(self.server)
        if isinstance(self.database, AsyncEngine):
            leased: Any = self.database.pool
            assert leased.checkedout() == 0

    async def _becomes_idle(self, server: DatabaseServer) -> None:
        doing: list[str] = []
        async with server.connected() as run:
            # A server takes a moment to notice that a client is gone.
            with anyio.move_on_after(5):
                while True:
                    doing = [each for [each] in await run(DOING[server.kind])]
                    if len(doing) <= SIZE and set(doing) <= {IDLE[server.kind]}:
                        return
                    await run(PAUSE[server.kind])
        raise AssertionError(doing)

    async def is_whole(self, store: Adapter, use: Callable[[Adapter], Any]) -> None:
        """Have as many transactions open at once as there are connections, and `use` each."""
        waiting = 0
        everybody = anyio.Event()

        async def one() -> None:
            nonlocal waiting
            async with store.transaction() as inside:
                await use(inside)
                waiting += 1
                if waiting == self.size:
                    everybody.set()
                await everybody.wait()

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                for _ in range(self.size):
                    group.start_soon(one)


@asynccontextmanager
async def pool_of(
    kind: str, request: pytest.FixtureRequest, path: Path, patience: float = 10
) -> AsyncGenerator[Pool, None]:
    """Give a way to an empty database; `patience` is how many seconds its users wait for a connection."""
    fixture = next((each for each in ("postgresql", "mysql") if each in kind), None)
    server: DatabaseServer | None = request.getfixturevalue(fixture) if fixture else None
    async with pool_on(server, kind, path, patience) as pool:
        yield pool


@asynccontextmanager
async def pool_on(
    server: DatabaseServer | None, kind: str, path: Path, patience: float = 10
) -> AsyncGenerator[Pool, None]:
    """Give a way to a database on a server, which is emptied, or to a file."""
    if server:
        await server.empty()
    address = server.address if server else f"///{path}"
    plain = PLAIN.get(kind, "")
    if kind.startswith("engine"):
        sizes = {"pool_size": SIZE, "max_overflow": 0, "pool_timeout": patience} if server else {}
        async with _engine(kind, f"{address}?{plain}", sizes) as engine:
            yield Pool(database=engine, server=server, path=path)
    elif kind.startswith("databases"):
        scheme = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql+asyncmy", "aiomysql": "mysql"}
        options = f"?min_size=1&max_size={SIZE}&{plain}" if server else ""
        database = Database(f"{scheme[kind.rsplit(maxsplit=1)[-1]]}:{address}{options}")
        yield Pool(database=database, server=server, path=path)
    else:
        parameters = f"?pool_size={SIZE}&pool_timeout={patience}&{plain}" if server else ""
        yield Pool(database=f"{kind}:{address}{parameters}", server=server, path=path)


@asynccontextmanager
async def _engine(kind: str, address: str, sizes: dict[str, Any]) -> AsyncGenerator[AsyncEngine, None]:
    driver = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy", "sqlite": "sqlite+aiosqlite"}
    engine = create_async_engine(f"{driver[kind.rsplit(maxsplit=1)[-1]]}:{address}", **sizes)
    try:
        yield engine
    finally:
        await engine.dispose()
