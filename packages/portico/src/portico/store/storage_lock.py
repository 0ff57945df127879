"""A lock that processes share, in secondary storage."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from portico.errors import StoreBusyError
from portico.store.secondary import SecondaryStorage

PATIENCE = 5
"""How long a lock is kept from others, and waited for, in seconds."""


@asynccontextmanager
async def locked(storage: SecondaryStorage, key: str) -> AsyncGenerator[None]:
    """Do something while no other process does; who dies in between is waited for at most `PATIENCE` seconds.

    Raises:
        StoreBusyError: others had it for twice as long.
    """
    try:
        with anyio.fail_after(2 * PATIENCE):
            while await storage.increment(key, PATIENCE) > 1:  # noqa: ASYNC110  # the other may be elsewhere
                await anyio.sleep(0.01)
    except TimeoutError:
        raise StoreBusyError("others had a lock of the secondary storage for too long") from None
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await storage.delete(key)
