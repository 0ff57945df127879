"""A caller's SQLAlchemy AsyncEngine; on asyncio only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.util import greenlet_spawn

from portico.store.executors.borrowed import is_lost, lent, not_lent
from portico.store.executors.link import Link, LinkExecutor, settled

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.pool import PoolProxiedConnection


class EngineExecutor(LinkExecutor):
    """An Executor over an engine's pool. Statements go to the driver's connections directly, which saves most of the
    time that SQLAlchemy's execution takes; events of the engine that listen to statements do not see them."""

    def __init__(self, engine: "AsyncEngine") -> None:
        super().__init__(engine.dialect.name)
        self._engine = engine

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return a connection for the length of the block."""
        lease = await self._lease()
        link: Link | None = None
        try:
            async with lent(lease.driver_connection) as link:
                yield link
        except GeneratorExit:
            # Thrown away, so there is no waiting for anything: the engine opens another one.
            lease.invalidate(soft=True)
            raise
        except BaseException:
            await settled(greenlet_spawn(_give_back, lease, link))
            raise
        await greenlet_spawn(_give_back, lease, link)

    async def _lease(self) -> "PoolProxiedConnection":
        try:
            while True:
                lease = await self._engine.raw_connection()
                if not is_lost(lease.driver_connection):
                    return lease
                await greenlet_spawn(lease.invalidate)
        except Exception as error:
            raise not_lent(error) from error


def _give_back(lease: "PoolProxiedConnection", link: Link | None) -> None:
    if link is None or link.is_whole():
        lease.close()
    else:
        # The engine sees nothing of what we do on it, and would lend it for ever.
        lease.invalidate()
