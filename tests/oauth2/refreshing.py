"""A process that refreshes the tokens of one account many times at once: started by a test, told by its input when."""

import sys

import anyio

from app import ORIGIN, content, make
from portico import GenericOAuth
from portico.testing import Browser, Clock

TRIES = 8


async def refresh(database: str, url: str, cookie: str, account_id: str) -> None:
    """Ask for tokens in both ways and print each answer."""
    acme = GenericOAuth(id="acme", client_id="client", token_url=f"{url}/token")
    auth = make(Clock(), database=database, social_providers=[acme])
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one(path: str) -> None:
        browser = Browser(auth, ORIGIN, {"better-auth.session_token": cookie})
        response = await browser.post(path, {"accountId": account_id})
        print(response.status, content(response).get("accessToken"), flush=True)  # noqa: T201  # the parent reads it

    async with anyio.create_task_group() as group:
        for path in ("/get-access-token", "/refresh-token") * (TRIES // 2):
            group.start_soon(one, path)
    await auth.close()


if __name__ == "__main__":
    anyio.run(refresh, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])
