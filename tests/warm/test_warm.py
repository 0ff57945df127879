"""A program that is forked is like one that was started."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from requirements import requirement
from warm import program

pytestmark = requirement("ARCH-commands")

PROGRAM = """
import os, sys, time
print(os.getpid(), os.getcwd(), sys.argv[1:], os.environ.get("COLOUR"), __name__, flush=True)
print(sys.stdin.readline().strip(), file=sys.stderr)
if sys.argv[1] == "wait":
    time.sleep(60)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "said.py").write_text(PROGRAM)
    return str(tmp_path / "said.py")


def started(path: str, argument: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "COLOUR": "blue"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        program(path, argument),
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
        cwd=Path(path).parent,
    )


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("code", [0, 3])
def test_it_has_its_streams_arguments_folder_environment_and_exit_code(path: str, code: int) -> None:
    process = started(path, str(code))
    out, err = process.communicate("hello\n", timeout=30)
    assert out.split(maxsplit=1)[1] == f"{Path(path).parent} {[str(code)]} blue __main__\n"
    assert (err, process.returncode) == ("hello\n", code)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(path: str, number: signal.Signals) -> None:
    with started(path, "wait") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline().split()[0])
        assert is_alive(pid)
        process.send_signal(number)
        assert process.wait(30) == -number
        for _ in range(100):
            if not is_alive(pid):
                break
            time.sleep(0.1)
        assert not is_alive(pid)
