"""A process that ends sessions: started by the tests, told by its input when."""

import sys
from typing import Any

import anyio
from redis.asyncio import Redis

from app import ORIGIN, make
from portico import RedisStorage
from portico.testing import Browser, Clock


async def revoke(database: str, prefix: str, path: str, cookie: str) -> None:
    """Post to a path in the name of a session and print the status."""
    client = Redis(host="127.0.0.1")
    options: dict[str, Any] = {"secondary_storage": RedisStorage(client, prefix)} if prefix else {}
    auth = make(Clock(), database=database, **options)
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)
    response = await Browser(auth, ORIGIN, {"better-auth.session_token": cookie}).post(path)
    print(response.status, flush=True)  # noqa: T201  # the parent reads it
    await anyio.to_thread.run_sync(sys.stdin.readline)
    await auth.close()
    await client.aclose()


if __name__ == "__main__":
    anyio.run(revoke, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])
