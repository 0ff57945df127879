"""PostgreSQL through asyncpg; on asyncio only."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg

from portico.errors import ConfigError, NotUniqueError, StoreBusyError, UnstorableError
from portico.store.executors.executor import Args
from portico.store.executors.link import Link, LinkExecutor, Rows, settled
from portico.store.executors.loop_bound import LoopBound

# Key (email)=(ann@example.com) already exists., in whatever language: the column's name comes first.
TAKEN: Final = re.compile(r'\("?([^")]+)"?\)=\(')
UNSTORABLE: Final = (
    asyncpg.DataError,
    asyncpg.ForeignKeyViolationError,
    asyncpg.NotNullViolationError,
    asyncpg.CheckViolationError,
    asyncpg.ProgramLimitExceededError,
    # What the driver cannot encode, such as a number of more bits than the column has.
    OverflowError,
    ValueError,
    TypeError,
)
LACKING: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError)
MISCONFIGURED: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
)
FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    OverflowError,
    ValueError,
    TypeError,
)


class AsyncpgLink:
    """One connection of asyncpg."""

    aborts = True

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        try:
            rows: Rows = await self._connection.fetch(sql, *args)
        except FAILURES as error:
            raise self._failed(error) from error
        return rows

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        try:
            status: str = await self._connection.execute(sql, *args)
        except FAILURES as error:
            raise self._failed(error) from error
        # UPDATE 3, INSERT 0 1; CREATE TABLE counts nothing.
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def is_in_transaction(self) -> bool:
        """Tell whether a transaction is open."""
        return self.is_whole() and bool(self._connection.is_in_transaction())

    def is_whole(self) -> bool:
        """Tell whether the connection is there."""
        return _is_open(self._connection)

    def _failed(self, error: Exception) -> Exception:
        if isinstance(error, asyncpg.InternalClientError):
            # The server hung up in the middle of something, and the driver has lost its place: it never finds it again.
            self._connection.terminate()
        return explained(error)


class PostgresPool:
    """Connections of an asyncpg pool, those that nobody uses at hand: to lease one from the pool takes as long as to
    read a row."""

    def __init__(self, pool: Any, patience: float) -> None:
        self._pool = pool
        self._patience = patience
        self._idle: list[Any] = []
        self._waiting = 0

    async def take(self) -> Any:
        """Return a connection, waiting for one if every one is in use."""
        while self._idle:
            connection = self._idle.pop()
            if _is_open(connection):
                return connection
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=self._patience)
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Any) -> None:
        """Keep a connection at hand, or give it to whoever waits."""
        if _is_open(connection) and not self._waiting:
            self._idle.append(connection)
        else:
            await self._release(connection)

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            await self._release(self._idle.pop())
        await self._pool.close()

    async def _release(self, connection: Any) -> None:
        # A connection may be lost on its way back. The pool has it all the same, and what was done on it is done.
        with suppress(*FAILURES):
            await self._pool.release(connection)


class PostgresExecutor(LinkExecutor):
    """An Executor over a pool of connections, which is opened by the first statement."""

    def __init__(self, url: str, *, pool_size: int, patience: float, **settings: Any) -> None:
        """Take the URL as libpq reads it; `patience` is how many seconds to wait for a free connection.

        `settings` are asyncpg's, such as `statement_cache_size=0` for PgBouncer in transaction mode.
        """

        async def open_pool() -> PostgresPool:
            # Connections are clean when they come back: nothing here leaves a setting, a lock or a listener behind.
            pool: Any = asyncpg.create_pool(
                url, min_size=0, max_size=pool_size, timeout=patience, reset=_keep, **settings
            )
            return PostgresPool(await pool, patience)

        super().__init__("postgresql")
        self._pools: LoopBound[PostgresPool] = LoopBound(open_pool, PostgresPool.close)

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return a connection for the length of the block."""
        try:
            pool = self._pools.ready or await self._pools.get()
            connection = await pool.take()
        except FAILURES as error:
            raise explained(error) from error
        try:
            yield AsyncpgLink(connection)
        except GeneratorExit:
            # Thrown away, so there is no waiting for anything: the pool opens another one.
            connection.terminate()
            raise
        except BaseException:
            if _is_open(connection) and connection.is_in_transaction():
                connection.terminate()
            await settled(pool.give_back(connection))
            raise
        await pool.give_back(connection)

    async def close(self) -> None:
        """Let go of connections; whoever uses the executor again opens them again."""
        await self._pools.close()


async def _keep(_connection: object) -> None:
    pass


def _is_open(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has taken it back, because its connection was lost.
        return False


def explained(error: Exception) -> Exception:
    """Return what `error` means to a store; or `error` itself."""
    if isinstance(error, asyncpg.UniqueViolationError):
        named = TAKEN.search(error.detail or "")
        return NotUniqueError(error.table_name or "row", named[1] if named else None)
    if isinstance(error, MISCONFIGURED):
        return ConfigError(f"PostgreSQL refuses us: {error}")
    if isinstance(error, LACKING):
        return ConfigError(f"{error}: the database lacks part of the schema; create the schema first")
    if isinstance(error, UNSTORABLE):
        return UnstorableError(f"PostgreSQL cannot store a value: {type(error).__name__}")
    if _is_passing(error):
        return StoreBusyError(f"PostgreSQL is not available: {type(error).__name__}")
    return error


def _is_passing(error: Exception) -> bool:
    """Tell whether the same call may succeed later."""
    if isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError):
        return True
    passing = (
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.TransactionRollbackError,
        asyncpg.LockNotAvailableError,
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.InternalClientError,
    )
    return isinstance(error, passing)
