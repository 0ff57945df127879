"""A process that signs tokens: started by the tests, told by its input when."""

import sys
from typing import Any

import anyio

from app import plain
from plugins.relying import header_of
from portico import AdvancedOptions, DatabaseOptions
from portico.plugins.jwt import Jwt, SignJwt
from portico.testing import Clock

TOKENS = 8
INTERVAL = 4000


async def mint(database: str, algorithm: Any, ids: str, later: str) -> None:
    """Sign tokens at once, `later` seconds after the clock of the tests began, and print the id of each one's key."""
    clock, made = Clock(), (ids or None)
    clock.advance(int(later))
    plugin: Any = Jwt(algorithm=algorithm, rotation_interval=INTERVAL)
    options: Any = DatabaseOptions(generate_id=made)  # type: ignore[arg-type]  # the test says one that there is
    auth = plain(plugin, clock=clock, database=database, advanced=AdvancedOptions(database=options))
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one() -> None:
        token = (await auth.api.jwt.sign_jwt(None, SignJwt(payload={"sub": "ann"}))).token
        print(header_of(token)["kid"], flush=True)  # noqa: T201  # the parent reads it

    async with anyio.create_task_group() as group:
        for _ in range(TOKENS):
            group.start_soon(one)
            group.start_soon(auth.api.jwt.get_jwks, None)
    await auth.close()


if __name__ == "__main__":
    anyio.run(mint, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])
