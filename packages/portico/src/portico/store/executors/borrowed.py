"""Connections of the application, borrowed for a statement or a transaction and given back as they were."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib import import_module
from typing import Any, Final

from portico.errors import ConfigError, StoreBusyError
from portico.store.executors.executor import Args
from portico.store.executors.link import Link, Rows, settled
from portico.store.executors.mysql_link import MysqlLink
from portico.store.executors.mysql_link import explained as mysql_explained
from portico.store.executors.sqlite_connection import explained

Lend = Callable[[Any], AbstractAsyncContextManager[Link]]


def lent(connection: Any) -> AbstractAsyncContextManager[Link]:
    """Return the Link over a driver's connection; what we set on it is taken back at the end.

    Raises:
        ConfigError: it is of a driver that nothing here knows.
    """
    driver = _package_of(connection)
    if driver not in LENDERS:
        raise ConfigError(
            f"the connections of this database are {driver}'s, and those of {', '.join(LENDERS)} are served: "
            "name one of them in the URL of your engine or Database"
        )
    return LENDERS[driver](connection)


def is_lost(connection: Any) -> bool:
    """Tell whether a connection is known to be lost before it is used; the driver of PostgreSQL hears of it."""
    is_closed = getattr(connection, "is_closed", None)
    return is_closed is not None and bool(is_closed())


def not_lent(error: Exception) -> Exception:
    """Return what it means to a store that the application had no connection to lend; or `error` itself."""
    package, cause = _package_of(error), getattr(error, "orig", None) or error.__cause__
    if package in EXPLAINERS:
        return EXPLAINERS[package](error)
    if package == "sqlalchemy" and isinstance(cause, Exception):
        return not_lent(cause)
    if package == "sqlalchemy" or isinstance(error, OSError | TimeoutError):
        return StoreBusyError(f"the database is not available: {type(error).__name__}")
    return error


class AiosqliteLink:
    """One connection of aiosqlite."""

    aborts = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        _, rows = await self._ask(sql, args)
        return rows

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        count, _ = await self._ask(sql, args)
        return count

    def is_in_transaction(self) -> bool:
        """Tell whether a transaction is open."""
        return bool(self._connection.in_transaction)

    def is_whole(self) -> bool:
        """Tell that it can be used again: a file is not lost."""
        return True

    async def _ask(self, sql: str, args: Args) -> tuple[int, Rows]:
        # A transaction that reads first and writes later could be refused in the middle.
        text = "BEGIN IMMEDIATE" if sql == "BEGIN" else sql
        try:
            async with self._connection.execute(text, args) as cursor:
                rows: Rows = list(await cursor.fetchall())
                return max(int(cursor.rowcount), 0), rows
        except sqlite3.Error as error:
            raise explained(error) from error


def _asyncpg(connection: Any) -> AbstractAsyncContextManager[Link]:
    from portico.store.executors.postgres import AsyncpgLink  # noqa: PLC0415  # who borrows has the driver

    # Nothing of it is changed, so there is nothing to take back.
    return nullcontext(AsyncpgLink(connection))


@asynccontextmanager
async def _mysql(connection: Any) -> AsyncGenerator[Link, None]:
    errors = import_module("asyncmy.errors" if _package_of(connection) == "asyncmy" else "pymysql.err")
    link = MysqlLink(connection, errors.MySQLError, counts_changes=True)
    # What we send is in UTC; the database converts from the time zone of the connection. In a transaction of the
    # application, a change of autocommit would end it.
    own = not link.is_in_transaction()
    mode, restored = (MYSQL_AUTOCOMMIT, MYSQL_RESTORED) if own else ("", "")
    await link.run(f"SET @better_auth_time_zone = @@SESSION.time_zone, time_zone = '+00:00'{mode}")
    try:
        yield link
    finally:
        if link.is_whole():
            await settled(link.run(f"SET time_zone = @better_auth_time_zone{restored}"))


@asynccontextmanager
async def _aiosqlite(connection: Any) -> AsyncGenerator[Link, None]:
    link = AiosqliteLink(connection)
    own, level = not link.is_in_transaction(), connection.isolation_level
    if own and level is not None:
        # Or the sqlite3 module would begin a transaction before each write and leave it open.
        connection.isolation_level = None
    try:
        async with _foreign_keys_checked(link):
            yield link
    finally:
        if own and level is not None:
            connection.isolation_level = level


@asynccontextmanager
async def _foreign_keys_checked(link: AiosqliteLink) -> AsyncGenerator[None, None]:
    [(are_checked,)] = await link.fetch("PRAGMA foreign_keys")
    if are_checked:
        yield
        return
    if link.is_in_transaction():
        raise ConfigError(
            "SQLite does not check foreign keys on this connection, and cannot begin to in the middle of a "
            "transaction: execute `PRAGMA foreign_keys=on` when you open it"
        )
    await link.run("PRAGMA foreign_keys=on")
    try:
        yield
    finally:
        await settled(link.run("PRAGMA foreign_keys=off"))


MYSQL_AUTOCOMMIT: Final = ", @better_auth_autocommit = @@SESSION.autocommit, autocommit = 1"
MYSQL_RESTORED: Final = ", autocommit = @better_auth_autocommit"


def _package_of(made: object) -> str:
    return type(made).__module__.partition(".")[0]


def _explained_by_asyncpg(error: Exception) -> Exception:
    from portico.store.executors import postgres  # noqa: PLC0415  # who has its errors has the driver

    return postgres.explained(error)


LENDERS: Final[Mapping[str, Lend]] = {
    "asyncpg": _asyncpg,
    "asyncmy": _mysql,
    "aiomysql": _mysql,
    "aiosqlite": _aiosqlite,
}
"""By the package of the connection's class."""

EXPLAINERS: Final[Mapping[str, Callable[[Exception], Exception]]] = {
    "asyncpg": _explained_by_asyncpg,
    "asyncmy": mysql_explained,
    "pymysql": mysql_explained,
    "sqlite3": explained,
}
"""By the package of the error's class; aiomysql raises what pymysql defines."""
