"""A caller's `databases.Database`; on asyncio only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from anyio import Lock, fail_after

from portico.store.executors.borrowed import lent, not_lent
from portico.store.executors.link import Link, LinkExecutor, settled

if TYPE_CHECKING:
    from databases import Database

KINDS: Final = {"postgres": "postgresql"}
PATIENCE: Final = 10.0


class DatabasesExecutor(LinkExecutor):
    """An Executor over the connections of a Database, which is connected on first use if it is not.

    A task that has a transaction of the Database open is joined: what we write is kept or taken back with it.
    Statements, counts and transactions are ours: those of the package miscount, and lose connections of cancelled
    tasks.
    """

    def __init__(self, database: "Database", *, patience: float = PATIENCE) -> None:
        """Take the Database; `patience` is how many seconds to wait for a free connection of it."""
        name = database.url.dialect
        super().__init__(KINDS.get(name, name))
        self._database = database
        self._patience = patience
        self._is_ours = False
        self._connecting = Lock()

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return this task's connection for the length of the block."""
        try:
            await self._connect()
            connection = self._database.connection()
            with fail_after(self._patience):
                await connection.__aenter__()
        except Exception as error:
            raise not_lent(error) from error
        try:
            raw: Any = connection.raw_connection
            async with lent(raw) as link:
                yield link
        finally:
            if not await settled(connection.__aexit__()):
                # Of a connection that was lost; the package would refuse this task another one for as long as it lives.
                setattr(self._database, "_connection", None)

    async def _connect(self) -> None:
        if self._database.is_connected:
            return
        async with self._connecting:
            # Whoever came first did it; the second of two would leave the pool of the first behind.
            if not self._database.is_connected:
                await self._database.connect()
                self._is_ours = True

    async def close(self) -> None:
        """Disconnect the Database if we connected it."""
        if self._is_ours and self._database.is_connected:
            self._is_ours = False
            await self._database.disconnect()
