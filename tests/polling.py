"""A process that asks for the token of an approved device: started by the tests, told by its input when."""

import sys
from typing import Any

import anyio

from app import ORIGIN, content, plain
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.device_authorization.declarations import GRANT_TYPE
from portico.testing import Browser, Clock

TIMES = 8


async def poll(database: str, device_code: str) -> None:
    """Ask many times at once and print what each answer was: a token, or a refusal."""
    auth = plain(DeviceAuthorization(), clock=Clock(), database=database)
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)
    body = {"grant_type": GRANT_TYPE, "device_code": device_code, "client_id": "cli"}

    async def one() -> None:
        reply: Any = content(await Browser(auth, ORIGIN).post("/device/token", body))
        print("token" if "access_token" in reply else reply["error"], flush=True)  # noqa: T201  # the parent counts them

    async with anyio.create_task_group() as group:
        for _ in range(TIMES):
            group.start_soon(one)
    await auth.close()


if __name__ == "__main__":
    anyio.run(poll, sys.argv[1], sys.argv[2])
