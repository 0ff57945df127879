"""Run an example as its README says: each block of commands in a shell of its own, on free ports."""

import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest
from anyio import CancelScope, Event, create_task_group, fail_after, move_on_after, open_process, run_process
from anyio.abc import ByteReceiveStream, Process

from cli.running import environment

EXAMPLES = Path(__file__).parents[2] / "examples"
BROWSER = Path(__file__).parent / "browser"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
PORT = re.compile(r"\b(?:3000|3001|8000)\b")
READY = re.compile(rb"Uvicorn running on|Running on http|Starting development server at|Ready in")
INSTALLS = ("pip install", "npm ci")
"""What `nox -s examples` has done."""
PATIENCE = 120
"""In seconds: a front end is built first."""
AT_ONCE = 60
"""In seconds, for a command that ends."""


def unless(**needed: object) -> pytest.MarkDecorator:
    """Return a mark that skips tests, and says so, where something they need is missing; never in CI."""
    missing = [name.replace("_", " ") for name, found in needed.items() if not found]
    return pytest.mark.skipif(
        bool(missing) and not os.environ.get("CI"), reason=f"NOT CHECKED: no {', '.join(missing)}"
    )


class Example:
    """A copy of the examples, and the commands of one of them."""

    def __init__(self, name: str, folder: Path) -> None:
        left_out = shutil.ignore_patterns("node_modules", ".next", "__pycache__", "*.db*", "acme_client")
        shutil.copytree(EXAMPLES, folder / "examples", ignore=left_out)
        self.folder = folder / "examples" / name
        self._home = folder
        self._ports: dict[str, int] = {}
        for source in (folder / "examples").rglob("*.py"):
            # An application knows its own address.
            source.write_text(self._on_free_ports(source.read_text(encoding="utf-8")), encoding="utf-8")
        readme = (self.folder / "README.md").read_text(encoding="utf-8")
        blocks = [self._on_free_ports(block).strip().splitlines() for block in BLOCK.findall(readme)]
        wanted = [[line for line in lines if not line.startswith(INSTALLS)] for lines in blocks]
        self.blocks = [lines for lines in wanted if lines]
        """The lines of each block that is more than an installation."""

    def url(self, port: int = 3000) -> str:
        """Return where the server is that has this port in the README."""
        return f"http://localhost:{self._ports[str(port)]}"

    def line(self, start: str) -> str:
        """Return the one command that starts like this."""
        (found,) = [line for block in self.blocks for line in block if line.startswith(start)]
        return found

    async def run(self, *lines: str, text: str = "") -> tuple[int, str]:
        """Run commands to their end; return the exit code and what they wrote."""
        with fail_after(AT_ONCE):
            ended = await run_process(
                ["sh", "-c", "\n".join(("set -e", *lines))],
                input=text.encode(),
                cwd=self.folder,
                env=self._environment(),
                stderr=STDOUT,
                check=False,
                start_new_session=True,
            )
        return ended.returncode, ended.stdout.decode()

    @asynccontextmanager
    async def serving(self, block: int = 0) -> AsyncGenerator[None]:
        """Run a block, whose last command serves until it is stopped."""
        *first, last = self.blocks[block]
        command = ["sh", "-c", "\n".join(("set -e", *first, f"exec {last}"))]
        process = await open_process(
            command, cwd=self.folder, env=self._environment(), stdout=PIPE, stderr=STDOUT, start_new_session=True
        )
        assert process.stdout is not None
        output = Output(process.stdout)
        async with process, create_task_group() as tasks:
            tasks.start_soon(output.follow)
            try:
                with fail_after(PATIENCE):
                    await output.told.wait()
                assert READY.search(output.text), output.text.decode()
                yield
            finally:
                await _stop(process)
        assert b"Traceback" not in output.text, output.text.decode()

    def _on_free_ports(self, text: str) -> str:
        return PORT.sub(lambda found: str(self._port(found[0])), text)

    def _port(self, written: str) -> int:
        if written not in self._ports:
            with closing(socket.socket()) as probe:
                probe.bind(("127.0.0.1", 0))
                self._ports[written] = int(probe.getsockname()[1])
        return self._ports[written]

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "HOME": str(self._home), "XDG_CONFIG_HOME": str(self._home / "config")}
        return environment(**own, PYTHONUNBUFFERED="1", NEXT_TELEMETRY_DISABLED="1")


class Output:
    """What a process writes; read all the time, so that it never waits for us."""

    def __init__(self, stream: ByteReceiveStream) -> None:
        self.text = b""
        self.told = Event()
        """Set when the process says that it serves, or ends."""
        self._stream = stream

    async def follow(self) -> None:
        async for chunk in self._stream:
            self.text += chunk
            if READY.search(self.text):
                self.told.set()
        self.told.set()


async def _stop(process: Process) -> None:
    """End what a block has started: the process and those that it started itself."""
    with CancelScope(shield=True):
        for sent in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sent)
            except ProcessLookupError:
                return
            with move_on_after(10):
                await process.wait()
                return
