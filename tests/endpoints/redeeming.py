"""A process that redeems the token of a mail: started by the tests, told by its input when."""

import sys

import anyio

from app import ORIGIN, content, make
from portico.testing import Browser, Clock
from postbox import Postbox

TRIES = 8


async def redeem(database: str, path: str, token: str, cookie: str) -> None:
    """Use `token` several times at once and print each status."""
    auth = make(Clock(), **Postbox().options(), database=database)
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one() -> None:
        browser = Browser(auth, ORIGIN, {"better-auth.session_token": cookie} if cookie else {})
        body = {"token": token} if path == "/delete-user" else {"token": token, "newPassword": "password456"}
        response = await browser.post(path, body)
        print(response.status, content(response), flush=True)  # noqa: T201  # the parent counts them

    async with anyio.create_task_group() as group:
        for _ in range(TRIES):
            group.start_soon(one)
    await auth.close()


if __name__ == "__main__":
    anyio.run(redeem, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])
