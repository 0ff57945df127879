"""A process that signs people up: started by the tests, told by arguments who and by its input when."""

import os
import sys
from itertools import count
from typing import Any

import anyio

from app import ORIGIN, content, plain
from portico import Auth
from portico.testing import Browser


async def sign_up(url: str, prefix: str, writers: int, each: int) -> None:
    """Sign up under `each` addresses, or without end for 0, with many writers at once, and say how each went."""
    auth = plain(database=url)
    await auth.start()
    say("ready")
    await anyio.to_thread.run_sync(sys.stdin.readline)
    async with anyio.create_task_group() as group:
        for writer in range(writers):
            group.start_soon(_write, auth, f"{prefix}-{writer}", each)
    await auth.close()


async def _write(auth: Auth[Any], name: str, each: int) -> None:
    for attempt in range(each) if each else count():
        email = f"{name}-{attempt}@example.com"
        body = {"name": "Ann", "email": email, "password": "password123"}
        response = await Browser(auth, ORIGIN).post("/sign-up/email", body)
        say(f"{email} {response.status} {content(response).get('code')}")


def say(line: str) -> None:
    # In one write: who is killed says nothing by halves.
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    anyio.run(sign_up, sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
