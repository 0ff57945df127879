"""A process that takes, claims, swaps and counts verifications: started by the tests, told by its input when."""

import sys

import anyio
from redis.asyncio import Redis

from app import make
from portico import RedisStorage, VerificationOptions

TRIES = 8


async def take(database: str, prefix: str, place: str) -> None:
    """Do everything several times at once and print what succeeded."""
    client = Redis(host="127.0.0.1")
    kept = VerificationOptions(store_in_database=place == "both", store_identifier="hashed")
    auth = make(database=database, secondary_storage=RedisStorage(client, prefix), verification=kept)
    await auth.start()
    ctx, verifications = auth.context(None), auth.verifications
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one() -> None:
        if await verifications.take(ctx, "taken") is not None:
            print("taken")  # noqa: T201  # the parent counts them
        if await verifications.claim(ctx, "claimed", 60):
            print("claimed")  # noqa: T201  # as above
        if await verifications.swap(ctx, "swapped", "0", "1"):
            print("swapped")  # noqa: T201  # as above
        while True:
            count = await verifications.get(ctx, "counted")
            if count is not None and await verifications.swap(ctx, "counted", count, str(int(count) + 1)):
                return

    async with anyio.create_task_group() as group:
        for _ in range(TRIES):
            group.start_soon(one)
    await auth.close()
    await client.aclose()


if __name__ == "__main__":
    anyio.run(take, sys.argv[1], sys.argv[2], sys.argv[3])
