"""Secondary storage in Redis, under upstream's keys; asyncio only, as redis-py's client is."""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from portico.errors import StoreBusyError
from portico.store.redis_batches import Batches

if TYPE_CHECKING:
    from redis.asyncio import Redis

# As scripts, which every version runs as one step: GETDEL is as new as Redis 6.2, EXPIRE NX as 7.0.
TAKE: Final = "local v = redis.call('GET', KEYS[1]); if v then redis.call('DEL', KEYS[1]) end; return v"
COUNT: Final = (
    "local c = redis.call('INCR', KEYS[1]); if c == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end; return c"
)


class RedisStorage:
    """A SecondaryStorage on an asyncio client of redis-py, which you make and close.

    Commands of calls that wait at the same time travel together. Every call ends after `timeout` seconds. When Redis
    cannot be reached, does not reply in time or takes no writes, a call raises StoreBusyError, which is answered with
    503: nobody is let in by its absence.
    """

    def __init__(self, client: "Redis", key_prefix: str = "better-auth:", timeout: float = 5) -> None:
        self._prefix = key_prefix
        self._batches = Batches(client, timeout)

    async def get(self, key: str) -> str | None:
        """Return the value, if it has not expired."""
        return _text(await self._ask("GET", self._prefix + key))

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        """Keep a value, for `ttl` seconds if given."""
        lifetime = () if ttl is None else ("EX", ttl)
        await self._ask("SET", self._prefix + key, value, *lifetime)

    async def delete(self, key: str) -> None:
        """Forget a value."""
        await self._ask("DEL", self._prefix + key)

    async def get_and_delete(self, key: str) -> str | None:
        """Take a value: of many callers at once, one gets it."""
        return _text(await self._ask("EVAL", TAKE, 1, self._prefix + key))

    async def increment(self, key: str, ttl: int) -> int:
        """Add 1 to a number that goes `ttl` seconds after its start."""
        return int(await self._ask("EVAL", COUNT, 1, self._prefix + key, ttl))

    async def _ask(self, *arguments: Any) -> Any:
        try:
            return await self._batches.ask(*arguments)
        except _unavailable() as error:
            raise StoreBusyError(f"Redis is not available: {type(error).__name__}") from error


@cache
def _unavailable() -> tuple[type[Exception], ...]:
    """Return what a client raises whose Redis is gone, silent, still loading, full, or only copies another one."""
    from redis import exceptions  # noqa: PLC0415  # an optional dependency

    return (
        OSError,
        exceptions.ConnectionError,
        exceptions.TimeoutError,
        exceptions.ReadOnlyError,
        exceptions.OutOfMemoryError,
    )


def _text(value: Any) -> str | None:
    """Return a reply as text, whether or not the client decodes replies."""
    return value.decode() if isinstance(value, bytes) else value
