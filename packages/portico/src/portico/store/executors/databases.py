"""A caller's `databases.Database`; on asyncio only."""

import asyncio  # noqa: TID251  # `databases` knows no other event loop
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from portico.store.executors.borrowed import lent
from portico.store.executors.link import Link, LinkExecutor, settled

if TYPE_CHECKING:
    from databases import Database

KINDS: Final = {"postgres": "postgresql"}


class DatabasesExecutor(LinkExecutor):
    """An Executor over the connections of a Database, which is connected on first use if it is not.

    A task that has a transaction of the Database open is joined: what we write is kept or taken back with it.
    Statements, counts and transactions are ours: those of the package miscount, and lose connections of cancelled
    tasks.
    """

    def __init__(self, database: "Database") -> None:
        name = database.url.dialect
        super().__init__(KINDS.get(name, name))
        self._database = database
        self._is_ours = False
        self._connecting = asyncio.Lock()

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return this task's connection for the length of the block."""
        if not self._database.is_connected:
            await self._connect()
        connection = self._database.connection()
        await connection.__aenter__()
        try:
            raw: Any = connection.raw_connection
            async with lent(raw) as link:
                yield link
        finally:
            await settled(connection.__aexit__())

    async def _connect(self) -> None:
        # Two tasks that connect it at once would make two pools, and nobody would close the first.
        async with self._connecting:
            if not self._database.is_connected:
                await self._database.connect()
                self._is_ours = True

    async def close(self) -> None:
        """Disconnect the Database if we connected it."""
        if self._is_ours and self._database.is_connected:
            self._is_ours = False
            await self._database.disconnect()
