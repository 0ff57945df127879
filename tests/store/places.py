"""Databases to migrate: each new, reached by us, an engine or a `databases.Database`, and looked at from outside."""

import re
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from databases import Database
from sqlalchemy.ext.asyncio import create_async_engine

from portico.store.ddl.dialects import DialectName
from store.database_servers import DatabaseServer, database_on

PlaceName = Literal[
    "sqlite",
    "postgresql",
    "mysql",
    "engine on sqlite",
    "engine on postgresql",
    "engine on mysql",
    "databases on sqlite",
    "databases on postgresql",
    "databases on mysql",
]
OWN: Final[Sequence[PlaceName]] = ("sqlite", "postgresql", "mysql")
EVERY: Final[Sequence[PlaceName]] = (
    *OWN,
    "engine on sqlite",
    "engine on postgresql",
    "engine on mysql",
    "databases on sqlite",
    "databases on postgresql",
    "databases on mysql",
)
DRIVERS: Final = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "asyncmy"}


@dataclass(frozen=True)
class Place:
    """One database."""

    name: PlaceName
    database: Any
    """What `Auth(database=...)` takes."""
    url: str
    file: Path
    server: DatabaseServer | None

    @property
    def kind(self) -> DialectName:
        kind: Any = self.name.rpartition(" ")[2]
        return kind  # type: ignore[no-any-return]  # the names end so

    def quoted(self, sql: str) -> str:
        """Return a statement with the quotation marks of this database in place of double ones."""
        return sql.replace('"', "`") if self.kind == "mysql" else sql

    async def run(self, *statements: str) -> None:
        """Run statements of the test's own."""
        if self.server is not None:
            await self.server.run(*map(self.quoted, statements))
            return
        with closing(sqlite3.connect(self.file)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the test's own."""
        if self.server is not None:
            return await self.server.fetch(self.quoted(query))
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query).fetchall()

    async def structure(self) -> list[tuple[Any, ...]]:
        """Return what the tables are, in whatever order and words they were made."""
        if self.kind == "mysql":
            return [(name, *sorted(line.strip(" ,") for line in sql.splitlines())) for name, sql in await self.schema()]
        if self.kind == "postgresql":
            return sorted(await self.schema(), key=repr)
        found: list[tuple[Any, ...]] = []
        for (table,) in await self.fetch("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
            quoted = f"'{table}'"
            columns = await self.fetch(f"SELECT * FROM pragma_table_info({quoted})")
            found += [(table, name, kind.lower(), *rest) for _, name, kind, *rest in columns]
            found += [(table, *row[2:]) for row in await self.fetch(f"SELECT * FROM pragma_foreign_key_list({quoted})")]
            for _, index, is_unique, origin, _ in await self.fetch(f"SELECT * FROM pragma_index_list({quoted})"):
                columns = await self.fetch(f"SELECT name FROM pragma_index_info('{index}')")
                name = index if origin == "c" else ""
                found.append((table, name, is_unique, origin, *[column for (column,) in columns]))
        return sorted(found, key=repr)

    async def schema(self) -> list[tuple[Any, ...]]:
        """Return everything that the database itself tells of its tables, in one order; SQL without its spelling."""
        if self.kind == "mysql":
            tables = sorted(name for (name,) in await self.fetch("SHOW TABLES"))
            shown = [row for name in tables for row in await self.fetch(f'SHOW CREATE TABLE "{name}"')]
            return [(name, re.sub(r" AUTO_INCREMENT=\d+", "", sql)) for name, sql in shown]
        found = [row for query in CATALOGUE[self.kind] for row in await self.fetch(query)]
        return [
            tuple(" ".join(part.split()).lower() if isinstance(part, str) else part for part in row) for row in found
        ]


CATALOGUE: Final[dict[DialectName, Sequence[str]]] = {
    "sqlite": (
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name",
    ),
    "postgresql": (
        "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default, is_identity"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    ),
}


@asynccontextmanager
async def place_at(name: PlaceName, folder: Path) -> AsyncGenerator[Place, None]:
    """Give a new database; one on a server is dropped afterwards."""
    file = folder / "auth.db"
    by, _, kind = name.rpartition(" ")
    async with AsyncExitStack() as stack:
        server = None
        if kind != "sqlite":
            server = stack.enter_context(database_on("mysql" if kind == "mysql" else "postgresql"))
        url = server.url if server else f"sqlite:///{file}"
        driven = url.replace(kind, f"{kind}+{DRIVERS[kind]}", 1)
        database: Any = url
        if by == "engine on":
            database = create_async_engine(driven)
            stack.push_async_callback(database.dispose)
        elif by == "databases on":
            database = Database(driven if kind == "mysql" else url)
            await database.connect()
            stack.push_async_callback(database.disconnect)
        yield Place(name, database, url, file, server)
