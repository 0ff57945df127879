"""A process whose users want one username: started by the tests, told by its input when."""

import os
import sys

import anyio

from app import ORIGIN, content, plain, signed_up
from portico.plugins.username import Username
from portico.testing import Browser, Clock

SPELLINGS = ("ann", "Ann", "aNN", "ANN", "anN", "aNn")


async def name(database: str, path: str) -> None:
    """Ask for the name at once, at `path`, for users of this process alone, and print each answer."""
    auth = plain(Username(), clock=Clock(), database=database)
    await auth.start()
    addresses = [f"{spelling}.{index}.{os.getpid()}@example.com" for index, spelling in enumerate(SPELLINGS)]
    is_new = path == "/sign-up/email"
    browsers = [Browser(auth, ORIGIN) if is_new else await signed_up(auth, address) for address in addresses]
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one(browser: Browser, address: str, spelling: str) -> None:
        person = {"name": "Ann", "email": address, "password": "password123"} if is_new else {}
        response = await browser.post(path, {**person, "username": spelling})
        print(response.status, content(response).get("code"), flush=True)  # noqa: T201  # the parent counts them

    async with anyio.create_task_group() as group:
        for wanted in zip(browsers, addresses, SPELLINGS, strict=True):
            group.start_soon(one, *wanted)
    await auth.close()


if __name__ == "__main__":
    anyio.run(name, sys.argv[1], sys.argv[2])
