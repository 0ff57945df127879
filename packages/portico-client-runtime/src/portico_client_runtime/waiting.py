"""How the two faces wait, block and call back; `async_` and `Async` in a name mark what only the async face uses."""

from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from threading import Event, Lock
from time import sleep
from typing import Any, TypeVar

import anyio
from anyio import Lock as AsyncLock
from anyio import sleep as async_sleep
from anyio import to_thread
from anyio.lowlevel import current_token

ResultT = TypeVar("ResultT")

__all__ = [
    "AsyncBell",
    "AsyncLock",
    "Bell",
    "Lock",
    "async_do",
    "async_sleep",
    "async_tell",
    "do",
    "sleep",
    "tell",
]


async def async_do(function: Callable[[], ResultT]) -> ResultT:
    """Call what may block in a worker thread."""
    return await to_thread.run_sync(function)


def do(function: Callable[[], ResultT]) -> ResultT:
    """Call what may block."""
    return function()


async def async_tell(callback: Callable[[Any], object], argument: Any) -> None:
    """Call a callback, and await what it returns if that can be awaited."""
    returned = callback(argument)
    if isawaitable(returned):
        awaited: Awaitable[object] = returned
        await awaited


def tell(callback: Callable[[Any], object], argument: Any) -> None:
    """Call a callback, which must not be async."""
    returned = callback(argument)
    if isinstance(returned, Coroutine):
        returned.close()
        raise TypeError(f"{callback!r} is async: give it to an async client")


class AsyncBell:
    """Wakes one task, from any thread; rings that come together are one. Make it where it is waited for."""

    def __init__(self) -> None:
        token: Any = current_token()
        loop = getattr(token, "native_token", token)
        self._wake: Callable[[Callable[[], None]], object] = (
            getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
        )
        self._event = anyio.Event()

    def ring(self) -> None:
        """Wake the task; nothing happens if its event loop has ended."""
        try:
            self._wake(self._open)
        except RuntimeError:
            # The task has ended with the loop.
            return

    async def wait(self) -> None:
        """Wait for the next ring."""
        await self._event.wait()
        self._event = anyio.Event()

    def _open(self) -> None:
        self._event.set()


class Bell:
    """Wakes one thread, from any other."""

    def __init__(self) -> None:
        self._event = Event()

    def ring(self) -> None:
        """Wake the thread."""
        self._event.set()

    def wait(self, seconds: float | None) -> bool:
        """Wait for the next ring, and tell whether it came in time."""
        rang = self._event.wait(seconds)
        self._event.clear()
        return rang
