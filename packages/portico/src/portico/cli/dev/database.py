"""What the control routes read and change in the database, past every rule."""

import sqlite3
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from portico.cli.dev.setup import Setup

Rows = list[dict[str, Any]]
NAMES = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by rowid"


class SqlMistakeError(Exception):
    """SQLite does not take the statement; the message is its own."""


async def tables(setup: Setup, only: str | None) -> dict[str, Rows]:
    """Return the rows of every table, or of one, as the database has them."""

    def read(connection: sqlite3.Connection) -> dict[str, Rows]:
        wanted = [name for name in _names(connection) if only in {None, name}]
        return {name: _rows(connection.execute(f"select * from {_quoted(name)}")) for name in wanted}  # noqa: S608  # quoted

    return await setup.database.ask(read)


async def ddl(setup: Setup) -> str:
    """Return the statements that make the tables and indexes."""
    rows = await setup.database.fetch("select sql from sqlite_master where sql is not null order by rowid")
    return "".join(f"{sql};\n\n" for (sql,) in rows)


async def run(setup: Setup, sql: str, params: Sequence[Any]) -> Rows | dict[str, Any]:
    """Run one statement; return its rows, or for one without rows how many it changed and the last rowid.

    Raises:
        SqlMistakeError: it is no statement, its parameters do not fit, or it leaves a transaction open.
    """

    def work(connection: sqlite3.Connection) -> Rows | dict[str, Any] | SqlMistakeError:
        try:
            cursor = connection.execute(sql, params)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
                return SqlMistakeError("each statement is a transaction of its own")
            if cursor.description:
                return _rows(cursor)
            return {"changes": max(cursor.rowcount, 0), "lastInsertRowid": cursor.lastrowid or 0}
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            return SqlMistakeError(str(error))

    done = await setup.database.ask(work)
    if isinstance(done, SqlMistakeError):
        raise done
    return done


async def empty(setup: Setup) -> None:
    """Delete every row."""

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA foreign_keys=off")
        try:
            for name in _names(connection):
                connection.execute(f"delete from {_quoted(name)}")  # noqa: S608  # quoted
        finally:
            connection.execute("PRAGMA foreign_keys=on")

    await setup.database.ask(work)


def _names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute(NAMES)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(cursor: sqlite3.Cursor) -> Rows:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, map(_shown, row), strict=True)) for row in cursor]


def _shown(value: Any) -> Any:
    return b64encode(value).decode() if isinstance(value, bytes) else value
