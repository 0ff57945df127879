"""Where requests are counted when several processes serve: the database, or secondary storage."""

from collections.abc import Mapping
from typing import Annotated

from portico.errors import ConfigError, NotUniqueError
from portico.options import RateLimitOptions
from portico.rate_limit import MemoryRateLimits, RateLimit, RateLimitStore, seconds_left
from portico.schema import Column, Layout, Row, Table
from portico.store.adapter import Adapter, Where
from portico.store.secondary import SecondaryStorage

ATTEMPTS = 5
"""How often a request that others overtake is counted anew before it is refused."""


class RateLimitRow(Row):
    """One client's requests to one path."""

    key: Annotated[str, Column(unique=True)]
    count: int
    last_request: Annotated[int, Column(big=True)]
    """In milliseconds since 1970."""


class DatabaseRateLimits:
    """Counts in the table `rateLimit`, whose window slides as in memory.

    Every step is one statement with its condition, so that processes that count at the same moment see each other.
    """

    def __init__(self, store: Adapter, table: Table[RateLimitRow]) -> None:
        self._store = store
        self._table = table

    async def consume(self, key: str, limit: RateLimit, now: float) -> int | None:
        """Count one request; who is overtaken too often is refused, as nothing says that there was room."""
        moment = int(now * 1000)
        for _ in range(ATTEMPTS):
            if await self._count(key, limit, moment):
                return None
            found = await self._store.find_one(self._table, [Where("key", key)])
            if found is None:
                if await self._begin(key, moment):
                    return None
            elif found["count"] >= limit.max and found["last_request"] >= moment - limit.window * 1000:
                return seconds_left(found["last_request"] / 1000, limit, now)
        return limit.window

    async def _count(self, key: str, limit: RateLimit, moment: int) -> bool:
        """Add the request to a window that has room, or start a new one after a quiet time."""
        own, quiet_since = Where("key", key), moment - limit.window * 1000
        running = [own, Where("last_request", quiet_since, "gte"), Where("count", limit.max, "lt")]
        values = {"last_request": moment}
        if await self._store.increment_one(self._table, running, {"count": 1}, values):
            return True
        over = [own, Where("last_request", quiet_since, "lt")]
        return await self._store.update(self._table, over, {"count": 1, **values}) is not None

    async def _begin(self, key: str, moment: int) -> bool:
        try:
            await self._store.create(self._table, self._table.with_id({"key": key, "count": 1, "last_request": moment}))
        except NotUniqueError:
            return False
        return True


class SecondaryRateLimits:
    """Counts in secondary storage.

    A window is fixed: it starts with its first request, and refused requests count as well.
    """

    def __init__(self, storage: SecondaryStorage) -> None:
        self._storage = storage

    async def consume(self, key: str, limit: RateLimit, now: float) -> int | None:
        """Count one request; how long the window still lasts is not known, so a refusal names all of it."""
        return None if await self._storage.increment(key, limit.window) <= limit.max else limit.window


def counter_of(
    options: RateLimitOptions, store: Adapter, table: Table[RateLimitRow] | None, secondary: SecondaryStorage | None
) -> RateLimitStore:
    """Return where requests are counted; raise ConfigError for a storage that was not given."""
    storage = options.storage or ("memory" if secondary is None else "secondary-storage")
    if options.store is not None:
        return options.store
    if table is not None:
        return DatabaseRateLimits(store, table)
    if storage == "memory":
        return MemoryRateLimits()
    if secondary is None:
        raise ConfigError('rate_limit.storage="secondary-storage" needs Auth(secondary_storage=...)')
    return SecondaryRateLimits(secondary)


def table_of(options: RateLimitOptions, layout: Layout) -> Mapping[str, Table[RateLimitRow]]:
    """Return the table that requests are counted in, by name, if it is one."""
    is_needed = options.storage == "database" and options.store is None
    return {"rateLimit": Table("rateLimit", RateLimitRow, (), {}, layout=layout)} if is_needed else {}
