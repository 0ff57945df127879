"""A process that follows links which sign in: started by the tests, told by its input when."""

import sys
from typing import Any
from urllib.parse import urlencode

import anyio

from app import ORIGIN, content, plain
from portico.plugins.magic_link import MagicLink, MagicLinkMail
from portico.testing import Browser, Clock


async def send_nothing(mail: MagicLinkMail, request: object) -> None:
    """Mail nothing: links are only followed here."""


async def enter(database: str, tokens: list[str]) -> None:
    """Follow every link at once and print what each of them gave: the id of a user, or where it led."""
    auth = plain(MagicLink(send_magic_link=send_nothing), clock=Clock(), database=database)
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one(token: str) -> None:
        response = await Browser(auth, ORIGIN).get("/magic-link/verify", urlencode({"token": token}))
        reply: Any = content(response) if response.status == 200 else {}
        print(response.status, reply["user"]["id"] if reply else dict(response.headers).get("location"), flush=True)  # noqa: T201  # the parent counts them

    async with anyio.create_task_group() as group:
        for token in tokens:
            group.start_soon(one, token)
    await auth.close()


if __name__ == "__main__":
    anyio.run(enter, sys.argv[1], sys.argv[2:])
