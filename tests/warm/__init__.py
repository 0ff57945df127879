"""Python programs as processes of their own that need not import Portico first: starting them is most of their time.

One process has imported it; each program runs in a fork of that. What starts is a small interpreter that hands over its
arguments, environment and streams, passes signals on, and ends as the program does.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


def program(*arguments: str) -> list[str]:
    """Return the command that stands for `python *arguments`, which begin with `-m module` or with a path."""
    if not hasattr(os, "pidfd_open"):
        return [sys.executable, *arguments]
    return [sys.executable, "-IS", str(HERE / "client.py"), _address(), *arguments]


@cache
def _address() -> str:
    """Start the process that everything is forked from, and return where it listens."""
    folder = tempfile.TemporaryDirectory(prefix="warm")
    address = f"{folder.name}/socket"
    process = subprocess.Popen(
        [sys.executable, str(HERE / "parent.py"), address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdout.close()

    @atexit.register
    def stop() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
        folder.cleanup()

    return address
