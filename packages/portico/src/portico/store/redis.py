"""Secondary storage in Redis, under upstream's keys; asyncio only, as redis-py's client is."""

from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from redis.asyncio import Redis


class RedisStorage:
    """A SecondaryStorage on an asyncio client of redis-py, which you make and close.

    Every call ends after `timeout` seconds and raises what the client raises when Redis cannot be reached, so that
    nobody is let in by its absence.
    """

    def __init__(self, client: "Redis", key_prefix: str = "better-auth:", timeout: float = 5) -> None:
        self._client: Any = client
        self._prefix = key_prefix
        self._timeout = timeout

    async def get(self, key: str) -> str | None:
        """Return the value, if it has not expired."""
        with anyio.fail_after(self._timeout):
            return _text(await self._client.get(self._prefix + key))

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        """Keep a value, for `ttl` seconds if given."""
        with anyio.fail_after(self._timeout):
            await self._client.set(self._prefix + key, value, ex=ttl)

    async def delete(self, key: str) -> None:
        """Forget a value."""
        with anyio.fail_after(self._timeout):
            await self._client.delete(self._prefix + key)

    async def get_and_delete(self, key: str) -> str | None:
        """Take a value: of many callers at once, one gets it."""
        # GETDEL is as new as Redis 6.2; a transaction does the same on every version.
        value, _ = await self._together(("GET", key), ("DEL", key))
        return _text(value)

    async def increment(self, key: str, ttl: int) -> int:
        """Add 1 to a number that goes `ttl` seconds after its start."""
        _, count = await self._together(("SET", key, 0, "EX", ttl, "NX"), ("INCR", key))
        return int(count)

    async def _together(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Run commands on one key as one transaction and return their replies."""
        with anyio.fail_after(self._timeout):
            async with self._client.pipeline(transaction=True) as pipeline:
                for name, key, *arguments in commands:
                    pipeline.execute_command(name, self._prefix + key, *arguments)
                replies: list[Any] = await pipeline.execute()
                return replies


def _text(value: Any) -> str | None:
    """Return a reply as text, whether or not the client decodes replies."""
    return value.decode() if isinstance(value, bytes) else value
