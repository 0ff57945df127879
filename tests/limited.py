"""A process that serves sign-ins under a limit: told by arguments where to count, and by its input when to start."""

import os
import sys
from typing import Any

import anyio

from app import plain
from portico import Headers, RateLimitOptions, Request
from portico.store.redis import RedisStorage


def attempt(peer: str = "203.0.113.7") -> Request:
    """Return a sign-in with a wrong password."""
    body = b'{"email":"ann@example.com","password":"wrong password"}'
    headers = Headers([("content-type", "application/json")])
    return Request(method="POST", path="/api/auth/sign-in/email", headers=headers, body=body, peer=peer)


def say(line: object) -> None:
    os.write(1, f"{line}\n".encode())


async def rush(requests: int, **options: Any) -> None:
    """Send many requests at once and say how each was answered."""
    auth = plain(**options)

    async def one() -> None:
        say((await auth.handler(attempt())).status)

    say("ready")
    await anyio.to_thread.run_sync(sys.stdin.readline)
    async with anyio.create_task_group() as group:
        for _ in range(requests):
            group.start_soon(one)
    await auth.close()


async def rush_on_redis(requests: int, prefix: str) -> None:
    from redis.asyncio import Redis  # noqa: PLC0415  # the other kind of process does not have it

    async with Redis(host="127.0.0.1") as client:
        storage = RedisStorage(client, prefix)
        await rush(requests, secondary_storage=storage, rate_limit=RateLimitOptions(enabled=True))


def main(kind: str, where: str, requests: str) -> None:
    if kind == "redis":
        anyio.run(rush_on_redis, int(requests), where)
        return
    options = RateLimitOptions(enabled=True, storage="database")

    async def rush_on_database() -> None:
        await rush(int(requests), database=where, rate_limit=options)

    anyio.run(rush_on_database)


if __name__ == "__main__":
    main(*sys.argv[1:])
