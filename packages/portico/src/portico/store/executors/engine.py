"""A caller's SQLAlchemy AsyncEngine; on asyncio only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.util import greenlet_spawn

from portico.errors import StoreBusyError
from portico.store.executors.borrowed import lent
from portico.store.executors.link import Link, LinkExecutor, settled

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


class EngineExecutor(LinkExecutor):
    """An Executor over an engine's pool. Statements go to the driver's connections directly, which saves most of the
    time that SQLAlchemy's execution takes; events of the engine that listen to statements do not see them."""

    def __init__(self, engine: "AsyncEngine") -> None:
        super().__init__(engine.dialect.name)
        self._engine = engine

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return a connection for the length of the block."""
        try:
            lease = await self._engine.raw_connection()
        except (SQLAlchemyError, OSError) as error:
            raise StoreBusyError(f"the database is not available: {type(error).__name__}") from error
        try:
            async with lent(lease.driver_connection) as link:
                yield link
        except GeneratorExit:
            # Thrown away, so there is no waiting for anything: the engine opens another one.
            lease.invalidate(soft=True)
            raise
        except BaseException:
            await settled(greenlet_spawn(lease.close))
            raise
        await greenlet_spawn(lease.close)
