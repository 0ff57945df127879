"""A process that tries codes of a second factor: started by the tests, told by its input when."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from app import ORIGIN, content
from plugins.second_step import sending
from portico import AdvancedOptions, DatabaseOptions
from portico.testing import Browser
from warm import program

TESTS = Path(__file__).parent.parent
Try = tuple[str, str]
"""The cookie of a challenge, and a code."""


async def guess(ids: str, database: str, path: str, tries: Sequence[Try]) -> None:
    """Try every code at once and print what each is answered with."""
    made: Any = ids or None
    auth, _ = sending(database=database, advanced=AdvancedOptions(database=DatabaseOptions(generate_id=made)))
    await auth.start()
    print("ready", flush=True)  # noqa: T201  # the parent waits for it
    await anyio.to_thread.run_sync(sys.stdin.readline)

    async def one(challenge: str, code: str) -> None:
        browser = Browser(auth, ORIGIN, {"better-auth.two_factor": challenge})
        response = await browser.post(f"/two-factor/verify-{path}", {"code": code})
        reply: Any = content(response)
        print(response.status, reply.get("code"), flush=True)  # noqa: T201  # the parent counts them

    async with anyio.create_task_group() as group:
        for challenge, code in tries:
            group.start_soon(one, challenge, code)
    await auth.close()


def guessed(ids: str, database: str, path: str, tries: Sequence[Try]) -> list[str]:
    """Let two processes try every second code each, at once; return what the tries were answered with."""
    processes = [_started(ids, database, path, tries[half::2]) for half in (0, 1)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [line for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(said) == len(tries)
    return said


def _started(ids: str, database: str, path: str, tries: Sequence[Try]) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        program(__file__, ids, database, path, json.dumps(tries)),
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


if __name__ == "__main__":
    anyio.run(guess, sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4]))
