"""A pool of connections and the event loop that it belongs to; asyncio only, as the drivers are."""

import asyncio  # noqa: TID251  # the drivers of servers know no other event loop
import os
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from portico.errors import ConfigError

PoolT = TypeVar("PoolT")


class LoopBound(Generic[PoolT]):
    """Something that is opened on first use and serves one event loop of one process.

    A forked process opens one of its own and leaves its parent's alone.
    """

    def __init__(self, open_pool: Callable[[], Awaitable[PoolT]], close: Callable[[PoolT], Awaitable[None]]) -> None:
        self._open = open_pool
        self._close = close
        self._pool: PoolT | None = None
        self._opening: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    @property
    def ready(self) -> PoolT | None:
        """Return the pool of this event loop if it is open."""
        return self._pool if self._loop is _loop_here() and self._process == os.getpid() else None

    async def get(self) -> PoolT:
        """Return the pool of this event loop.

        Raises:
            ConfigError: another event loop of this process has it.
        """
        here = _loop_here()
        if self._process != os.getpid() or self._loop is None or self._loop.is_closed():
            self._process, self._loop, self._pool, self._opening = os.getpid(), here, None, asyncio.Lock()
        if self._loop is not here or self._opening is None:
            raise ConfigError(
                "the connections of this database belong to another event loop: build an Auth for each loop, call it "
                "from sync code by auth.run(), or close it before the next loop begins"
            )
        async with self._opening:
            if self._pool is None:
                self._pool = await self._open()
            return self._pool

    async def close(self) -> None:
        """Close the pool; whoever asks for it again opens another one."""
        pool, self._pool = self.ready, None
        self._loop = None
        if pool is not None:
            await self._close(pool)


def _loop_here() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError("this database is served on asyncio only: its driver does not know trio") from None
