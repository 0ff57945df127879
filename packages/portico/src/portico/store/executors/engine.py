"""A caller's SQLAlchemy AsyncEngine; on asyncio only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from portico.errors import StoreBusyError
from portico.store.executors.borrowed import lent
from portico.store.executors.dialects import dialect_of
from portico.store.executors.link import Link, LinkExecutor, settled

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class EngineExecutor(LinkExecutor):
    """An Executor over an engine's pool. Statements go to the driver's connections directly, which saves most of the
    time that SQLAlchemy's execution takes; events of the engine that listen to statements do not see them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @cached_property
    def dialect(self) -> "Dialect":
        """Return what SQLAlchemy compiles for."""
        return dialect_of(self._engine.dialect.name)

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Link, None]:
        """Return a connection for the length of the block."""
        connection = await self._taken()
        try:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            async with lent(raw) as link:
                try:
                    yield link
                except BaseException:
                    if link.is_in_transaction():
                        # Thrown away in the middle: nobody may inherit it.
                        await settled(connection.invalidate())
                    raise
        finally:
            await settled(connection.close())

    async def _taken(self) -> AsyncConnection:
        try:
            return await self._engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        except (DBAPIError, SQLAlchemyError, OSError) as error:
            raise StoreBusyError(f"the database is not available: {type(error).__name__}") from error
