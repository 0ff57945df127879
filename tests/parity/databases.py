"""The databases of the servers under comparison, as the harness itself reads and writes them."""

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, assert_never

import asyncmy
import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from asyncmy.cursors import DictCursor

from store.database_servers import DatabaseServer, database_on

Kind = Literal["sqlite", "postgresql", "mysql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql", "mysql")
Row = dict[str, object]

ORDER = ("createdAt", "expiresAt")
"""Columns by whose dates the rows of a database server are put in the order of insertion, which it does not keep."""


class Database(Protocol):
    """Where both servers keep their rows; statements are of SQLite's dialect, as far as all three share it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells a server where the database is."""
        ...

    def run(self, statement: str, *values: object) -> int:
        """Run one statement, with `?` for each value, and return how many rows it changed."""
        ...

    def shift(self, table: str, column: str, seconds: int) -> None:
        """Move a date of every row of a table, where there is one."""
        ...

    def tables(self) -> list[str]: ...

    def rows(self) -> dict[str, list[Row]]:
        """Return every row of every table."""
        ...

    def schema(self) -> dict[str, object]:
        """Return what each table declares."""
        ...

    def empty(self) -> None: ...

    def drop(self) -> None:
        """Take every table away."""
        ...


class SqliteFile:
    """A file, which this object opens for each statement."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DB": str(self.path)}

    def run(self, statement: str, *values: object) -> int:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            return connection.execute(statement, [_text_of(value) for value in values]).rowcount

    def shift(self, table: str, column: str, seconds: int) -> None:
        # Dates are text of upstream's format.
        moved = f"strftime('%Y-%m-%dT%H:%M:%fZ', \"{column}\", '{seconds} seconds')"
        self.run(f'update "{table}" set "{column}" = {moved} where "{column}" is not null')

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        with closing(sqlite3.connect(self.path, timeout=10)) as connection:
            names = connection.execute(
                "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
            )
            return [str(name) for (name,) in names]

    def rows(self) -> dict[str, list[Row]]:
        """Return every row of every table in the order of insertion."""
        with closing(sqlite3.connect(self.path, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return {
                table: [dict(row) for row in connection.execute(f'select * from "{table}" order by rowid')]
                for table in self.tables()
            }

    def schema(self) -> dict[str, object]:
        """Return what each table declares: columns in order, and which of them are unique or refer elsewhere."""
        found: dict[str, object] = {}
        with closing(sqlite3.connect(self.path, timeout=10)) as connection:
            for table in self.tables():
                columns = connection.execute(f'pragma table_info("{table}")').fetchall()
                indexes = connection.execute(f'pragma index_list("{table}")').fetchall()
                found[table] = {
                    "columns": [
                        [name, kind, not_null, default, key] for _, name, kind, not_null, default, key in columns
                    ],
                    "indexes": sorted(
                        [
                            [each[2] for each in connection.execute(f'pragma index_info("{index[1]}")')],
                            bool(index[2]),
                            index[3],
                        ]
                        for index in indexes
                    ),
                    "references": sorted(
                        list(each[2:7]) for each in connection.execute(f'pragma foreign_key_list("{table}")')
                    ),
                }
        return found

    def empty(self) -> None:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            for table in self.tables():
                connection.execute(f'delete from "{table}"')
            # Ours never gives a number to a second row, not even after the first is gone.
            if connection.execute("select 1 from sqlite_master where name = 'sqlite_sequence'").fetchall():
                connection.execute("delete from sqlite_sequence")

    def drop(self) -> None:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            for table in self.tables():
                connection.execute(f'drop table "{table}"')


class PostgresDatabase:
    """A database on a server of PostgreSQL; the portal runs its driver."""

    COLUMNS = """
        select column_name, data_type, is_nullable, column_default, is_identity from information_schema.columns
        where table_schema = 'public' and table_name = $1 order by ordinal_position
    """
    INDEXES = "select indexdef from pg_indexes where schemaname = 'public' and tablename = $1 order by indexdef"
    CONSTRAINTS = """
        select pg_get_constraintdef(oid) from pg_constraint
        where conrelid = cast('public."' || $1 || '"' as regclass) and contype <> 'n' order by 1
    """

    def __init__(self, server: DatabaseServer, portal: BlockingPortal) -> None:
        self._server = server
        self._portal = portal
        self._connection: Any = portal.call(asyncpg.connect, server.url)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DATABASE_URL": self._server.url}

    def run(self, statement: str, *values: object) -> int:
        for number in range(1, len(values) + 1):
            statement = statement.replace("?", f"${number}", 1)
        status: str = self._portal.call(self._connection.execute, statement, *values)
        return int(status.rpartition(" ")[2])

    def shift(self, table: str, column: str, seconds: int) -> None:
        self.run(f'update "{table}" set "{column}" = "{column}" + ?', timedelta(seconds=seconds))

    def tables(self) -> list[str]:
        found = self._fetch("select tablename from pg_tables where schemaname = 'public' order by tablename")
        return [str(row["tablename"]) for row in found]

    def rows(self) -> dict[str, list[Row]]:
        return {table: _in_order(self._fetch(f'select * from "{table}"')) for table in self.tables()}

    def schema(self) -> dict[str, object]:
        return {
            table: [self._fetch(each, table) for each in (self.COLUMNS, self.INDEXES, self.CONSTRAINTS)]
            for table in self.tables()
        }

    def empty(self) -> None:
        # Truncating writes new files. Every reference cascades, so the order is any.
        statements = [f'delete from "{table}"' for table in self.tables()]
        found = self._fetch("select sequencename from pg_sequences where schemaname = 'public'")
        statements += [f'alter sequence "{row["sequencename"]}" restart' for row in found]
        self._portal.call(self._connection.execute, "; ".join(statements))

    def drop(self) -> None:
        statements = [f'drop table "{table}" cascade' for table in self.tables()]
        self._portal.call(self._connection.execute, "; ".join(statements))

    def close(self) -> None:
        self._portal.call(self._connection.close)

    def _fetch(self, statement: str, *values: object) -> list[Row]:
        rows: Sequence[Any] = self._portal.call(self._connection.fetch, statement, *values)
        return [dict(row) for row in rows]


class MysqlDatabase:
    """A database on a server of MySQL or MariaDB; the portal runs its driver."""

    def __init__(self, server: DatabaseServer, portal: BlockingPortal) -> None:
        self._server = server
        self._portal = portal
        self._connection: Any = portal.call(self._connect)
        self._execute("set session sql_mode = concat(@@sql_mode, ',ANSI_QUOTES'), foreign_key_checks = 0")

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DATABASE_URL": self._server.url}

    def run(self, statement: str, *values: object) -> int:
        naive = [
            value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value for value in values
        ]
        return self._execute(statement.replace("?", "%s"), *naive)[0]

    def shift(self, table: str, column: str, seconds: int) -> None:
        self.run(f'update "{table}" set "{column}" = date_add("{column}", interval ? second)', seconds)

    def tables(self) -> list[str]:
        return sorted(str(name) for row in self._fetch("show tables") for name in row.values())

    def rows(self) -> dict[str, list[Row]]:
        return {table: _in_order(self._fetch(f'select * from "{table}"')) for table in self.tables()}

    def schema(self) -> dict[str, object]:
        return {table: self._fetch(f'show create table "{table}"')[0]["Create Table"] for table in self.tables()}

    def empty(self) -> None:
        for table in self.tables():
            self._execute(f'delete from "{table}"')

    def drop(self) -> None:
        for table in self.tables():
            self._execute(f'drop table "{table}"')

    def close(self) -> None:
        self._portal.call(self._connection.ensure_closed)

    async def _connect(self) -> object:
        connect: Any = asyncmy.connect  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # as its stubs say
        return await connect(autocommit=True, **self._server.settings)

    def _fetch(self, statement: str) -> list[Row]:
        return self._execute(statement)[1]

    def _execute(self, statement: str, *values: object) -> tuple[int, list[Row]]:
        async def execute() -> tuple[int, list[Row]]:
            async with self._connection.cursor(DictCursor) as cursor:
                await cursor.execute(statement, values or None)
                return cursor.rowcount, list(await cursor.fetchall())

        return self._portal.call(execute)


def _text_of(value: object) -> object:
    """Return a value as SQLite keeps it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def _in_order(rows: list[Row]) -> list[Row]:
    dated = next((name for name in ORDER if rows and name in rows[0]), None)
    return rows if dated is None else sorted(rows, key=lambda row: str(row[dated]))


def insert(database: Database, table: str, values: Mapping[str, object]) -> None:
    """Add one row."""
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    assert database.run(f'insert into "{table}" ({names}) values ({marks})', *values.values()) == 1


@contextmanager
def database_of(kind: Kind, folder: Path, name: str = "shared") -> Generator[Database]:
    """Give a database that nobody else has; skip where there is no server of its kind."""
    if kind == "sqlite":
        yield SqliteFile(folder / f"{name}.db")
        return
    with database_on(kind) as server, start_blocking_portal() as portal:
        match kind:
            case "postgresql":
                database: PostgresDatabase | MysqlDatabase = PostgresDatabase(server, portal)
            case "mysql":
                database = MysqlDatabase(server, portal)
            case _:
                assert_never(kind)
        with closing(database):
            yield database
