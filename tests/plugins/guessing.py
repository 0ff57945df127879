"""A process that uses codes of a second factor: started by the tests, told by its input when."""

import sys
from typing import Any

import anyio

from app import ORIGIN, content, make
from portico import AdvancedOptions, DatabaseOptions
from portico.testing import Browser, Clock


async def guess(ids: str, database: str, path: str, code: str, challenges: list[str]) -> None:
    """Use `code` for every challenge at once and print each status."""
    made: Any = ids or None
    auth = make(Clock(), database=database, advanced=AdvancedOptions(database=DatabaseOptions(generate_id=made)))
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one(challenge: str) -> None:
        browser = Browser(auth, ORIGIN, {"better-auth.two_factor": challenge})
        response = await browser.post(f"/two-factor/verify-{path}", {"code": code})
        reply: Any = content(response)
        print(response.status, reply.get("code"), flush=True)  # noqa: T201  # the parent counts them

    async with anyio.create_task_group() as group:
        for challenge in challenges:
            group.start_soon(one, challenge)
    await auth.close()


if __name__ == "__main__":
    anyio.run(guess, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
