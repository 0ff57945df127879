"""Secondary storage: short-lived text by key, beside the database, for every process to share."""

import threading
from collections.abc import Callable
from datetime import datetime
from math import ceil
from time import monotonic
from typing import Any, Protocol

from anyio import Lock
from pydantic_core import from_json

from portico.errors import ConfigError
from portico.options import Log
from portico.store.codecs import encode_json

LEAST_KEPT = 1000
"""How many values there are before those that have expired are looked for."""


class PlainStorage(Protocol):
    """The least that a storage must do; a `ttl` is in seconds, and None keeps a value until it is deleted."""

    async def get(self, key: str) -> str | None: ...
    async def set(self, key: str, value: str, ttl: int | None = None) -> None: ...
    async def delete(self, key: str) -> None: ...


class SecondaryStorage(PlainStorage, Protocol):
    """A storage for several processes; every method is atomic and raises when the storage cannot be reached."""

    async def get_and_delete(self, key: str) -> str | None:
        """Take a value: of many callers at once, one gets it."""
        ...

    async def increment(self, key: str, ttl: int) -> int:
        """Add 1 to a number, which starts at 0 and goes `ttl` seconds after its start, and return it."""
        ...


class MemorySecondaryStorage:
    """Values in this process, for any number of event loops and threads: for tests and for a single process."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._clock = clock
        self._values: dict[str, tuple[str, float | None]] = {}
        self._most = LEAST_KEPT
        self._lock = threading.Lock()

    async def get(self, key: str) -> str | None:
        """Return the value, if it has not expired."""
        with self._lock:
            return self._live(key)[0]

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        """Keep a value, for `ttl` seconds if given."""
        with self._lock:
            self._keep(key, value, None if ttl is None else self._now() + ttl)

    async def delete(self, key: str) -> None:
        """Forget a value."""
        with self._lock:
            self._values.pop(key, None)

    async def get_and_delete(self, key: str) -> str | None:
        """Take a value."""
        with self._lock:
            value, _ = self._live(key)
            self._values.pop(key, None)
            return value

    async def increment(self, key: str, ttl: int) -> int:
        """Add 1 to a number that goes `ttl` seconds after its start."""
        with self._lock:
            value, ends = self._live(key)
            count = int(value or 0) + 1
            self._keep(key, str(count), self._now() + ttl if value is None else ends)
            return count

    def list_keys(self) -> list[str]:
        """Return the keys of all values that have not expired, the oldest first."""
        with self._lock:
            return [key for key in self._values if self._live(key)[0] is not None]

    def ttl(self, key: str) -> float | None:
        """Return how many seconds a value still has; None if it has no end or is gone."""
        with self._lock:
            _, ends = self._live(key)
            return None if ends is None else ends - self._now()

    def _now(self) -> float:
        return monotonic() if self._clock is None else self._clock().timestamp()

    def _live(self, key: str) -> tuple[str | None, float | None]:
        value, ends = self._values.get(key, (None, None))
        return (None, None) if ends is not None and ends <= self._now() else (value, ends)

    def _keep(self, key: str, value: str, ends: float | None) -> None:
        if len(self._values) >= self._most:
            now = self._now()
            self._values = {each: kept for each, kept in self._values.items() if kept[1] is None or kept[1] > now}
            # Doubled, so that looking through all values stays rare.
            self._most = max(LEAST_KEPT, 2 * len(self._values))
        self._values[key] = (value, ends)


class EmulatedStorage:
    """A storage of three methods, with the other two under a lock: exact in one event loop and nowhere else."""

    def __init__(self, storage: PlainStorage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock
        self._lock = Lock()

    async def get(self, key: str) -> str | None:
        """Return a value."""
        return await self._storage.get(key)

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        """Keep a value."""
        await self._storage.set(key, value, ttl)

    async def delete(self, key: str) -> None:
        """Forget a value."""
        await self._storage.delete(key)

    async def get_and_delete(self, key: str) -> str | None:
        """Take a value."""
        async with self._lock:
            value = await self._storage.get(key)
            if value is not None:
                await self._storage.delete(key)
            return value

    async def increment(self, key: str, ttl: int) -> int:
        """Add 1 to a number; its end is kept beside it, because writing a value anew starts its `ttl` anew."""
        async with self._lock:
            now, value = self._clock().timestamp(), await self._storage.get(key)
            count, ends = from_json(value) if value else (0, now + ttl)
            if ends <= now:
                count, ends = 0, now + ttl
            await self._storage.set(key, encode_json([count + 1, ends]), max(1, ceil(ends - now)))
            return int(count) + 1


def secondary_of(given: Any, clock: Callable[[], datetime], logger: Log) -> SecondaryStorage:
    """Return what `Auth(secondary_storage=...)` was given as a whole storage; raise ConfigError if it is none."""
    lacking = [name for name in PLAIN_METHODS if not callable(getattr(given, name, None))]
    if lacking or isinstance(given, type):
        got = f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"
        problem = f" without {', '.join(lacking)}" if lacking else ""
        raise ConfigError(f"secondary_storage= takes an object such as RedisStorage(client), got {got}{problem}")
    emulated = [name for name in ATOMIC_METHODS if not callable(getattr(given, name, None))]
    if not emulated:
        whole: SecondaryStorage = given
        return whole
    logger.warning(
        "%s has no %s: they are emulated under a lock of this process, and limits are exact only in one process",
        type(given).__name__,
        " and no ".join(emulated),
    )
    return EmulatedStorage(given, clock)


PLAIN_METHODS = ("get", "set", "delete")
ATOMIC_METHODS = ("get_and_delete", "increment")
