"""MySQL and MariaDB through asyncmy; on asyncio only."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncmy
from anyio import fail_after
from asyncmy.constants.CLIENT import FOUND_ROWS
from asyncmy.errors import MySQLError

from portico.store.executors.link import Link, LinkExecutor
from portico.store.executors.loop_bound import LoopBound
from portico.store.executors.mysql_link import PASSING, MysqlLink, explained

# Strict, so that no value is cut to fit, and without NO_BACKSLASH_ESCAPES, which would change how values are written.
# asyncmy puts this after `SET sql_mode=`; a second variable saves a message.
MODE: Final = "'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'"
# Whoever waits for a row sees what became of it, and nothing but rows that match stays locked.
ISOLATION: Final = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
FAILURES: Final = (MySQLError, *PASSING)


class MysqlExecutor(LinkExecutor):
    """An Executor over a pool of connections, which is opened by the first statement."""

    def __init__(self, settings: Mapping[str, Any], *, pool_size: int, patience: float) -> None:
        """Take asyncmy's settings, such as `host`; `patience` is how many seconds to wait for a free connection."""
        super().__init__("mysql")
        self._patience = patience
        self._pools: LoopBound[Any] = LoopBound(lambda: _open({**settings, "maxsize": pool_size}), _close)

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return a connection for the length of the block."""
        pool, connection = await self._taken()
        link = MysqlLink(connection, MySQLError)
        try:
            yield link
        finally:
            if not link.is_whole() or link.is_in_transaction():
                # Nobody may inherit the transaction, or take a late answer for that of another statement.
                connection.close()
            pool.release(connection)

    async def close(self) -> None:
        """Let go of connections; whoever uses the executor again opens them again."""
        await self._pools.close()

    async def _taken(self) -> tuple[Any, Any]:
        try:
            pool = self._pools.ready or await self._pools.get()
            with fail_after(self._patience):
                return pool, await pool.acquire()
        except FAILURES as error:
            raise explained(error) from error


async def _open(settings: Mapping[str, Any]) -> Any:
    create_pool: Any = asyncmy.create_pool  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # as its stubs say
    return await create_pool(
        minsize=0,
        autocommit=True,
        charset="utf8mb4",
        client_flag=FOUND_ROWS,
        sql_mode=MODE,
        init_command=ISOLATION,
        **settings,
    )


async def _close(pool: Any) -> None:
    pool.close()
    await pool.wait_closed()
