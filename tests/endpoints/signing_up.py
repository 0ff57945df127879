"""A process that signs up with one address in many ways of writing it: started by a test, told by its input when."""

import sys

import anyio

from app import ORIGIN, make
from portico.testing import Browser, Clock

EMAIL = "ann@example.com"
TRIES = 25


async def sign_up(database: str) -> None:
    """Sign up many times at once and print each status."""
    auth = make(Clock(), database=database)
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one(number: int) -> None:
        email = "".join(letter.upper() if number >> place & 1 else letter for place, letter in enumerate(EMAIL))
        body = {"name": "Ann", "email": email, "password": "password123"}
        print((await Browser(auth, ORIGIN).post("/sign-up/email", body)).status, flush=True)  # noqa: T201  # counted

    async with anyio.create_task_group() as group:
        for number in range(TRIES):
            group.start_soon(one, number)
    await auth.close()


if __name__ == "__main__":
    anyio.run(sign_up, sys.argv[1])
