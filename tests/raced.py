"""Two processes that do the same at once."""

import os
import subprocess
from pathlib import Path

import warm

TESTS = Path(__file__).parent


def raced(program: str, *arguments: str) -> list[str]:
    """Return the lines that two runs of a program of this folder say; each says `ready` and waits for a line."""
    processes = [started(program, *arguments) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [line for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    return said


def started(program: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a program of this folder that says when it is ready."""
    process = subprocess.Popen(
        warm.program(str(TESTS / program), *arguments),
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process
