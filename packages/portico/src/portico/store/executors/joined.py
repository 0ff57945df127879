"""One connection of the application, inside the transaction that is open on it; on asyncio only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from portico.store.executors.borrowed import lent
from portico.store.executors.link import Link, LinkExecutor


class JoinedExecutor(LinkExecutor):
    """An Executor on an AsyncConnection of SQLAlchemy or on a connection of a driver; our transactions are savepoints.

    Nothing is kept before the application commits.
    """

    def __init__(self, connection: Any, kind: str) -> None:
        super().__init__(kind)
        self._connection = connection

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return the connection, in the transaction of the application."""
        async with lent(await self._raw()) as link:
            if not link.is_in_transaction():
                # SQLite begins with the first write only, and a savepoint before it would be the whole transaction.
                await link.run("BEGIN")
            yield link

    async def _raw(self) -> Any:
        if not hasattr(self._connection, "get_raw_connection"):
            return self._connection
        # SQLAlchemy begins with the first statement that it sends itself.
        await self._connection.exec_driver_sql("SELECT 1")
        return (await self._connection.get_raw_connection()).driver_connection
