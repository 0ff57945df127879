"""`portico` as a process of its own."""

import os
import pty
import signal
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from anyio import fail_after, open_process
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from warm import program

PORTICO = program("-m", "portico.cli")
PATIENCE = 30
"""In seconds: two cores start several interpreters."""
OWN = ("BETTER_AUTH_", "AUTH_SECRET", "PORTICO_")


def environment(**variables: str) -> dict[str, str]:
    """Return the variables of this process without those that configure an Auth."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OWN)} | variables


def portico(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*PORTICO, *arguments],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def on_a_terminal(*arguments: str, cwd: Path, **variables: str) -> tuple[int, str]:
    """Run a command to its end as somebody at a terminal does; return the exit code and what was shown."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*PORTICO, *arguments], cwd=cwd, env=environment(**variables, TERM="xterm"), stdout=its, stderr=its
    )
    os.close(its)
    written = b""
    # Linux tells of the other end by an error.
    with suppress(OSError):
        while chunk := os.read(ours, 4096):
            written += chunk
    os.close(ours)
    return process.wait(PATIENCE), written.decode()


@dataclass
class Server:
    process: Process
    welcome: str
    http: httpx.AsyncClient

    @property
    def address(self) -> str:
        return next(word for word in self.welcome.split() if word.startswith("http"))

    async def stop(self) -> tuple[int, str]:
        """Ask it to stop; return its exit code and what it wrote to stderr."""
        self.process.send_signal(signal.SIGTERM)
        code = await self.process.wait()
        assert self.process.stderr is not None
        written = b"".join([chunk async for chunk in self.process.stderr])
        return code, written.decode()


@asynccontextmanager
async def serving(
    *arguments: str, cwd: Path, command: Sequence[str] = PORTICO, verb: str = "serve", **variables: str
) -> AsyncGenerator[Server]:
    """Run `portico serve` on a free port, from when it says that it serves; `command` starts another installed one."""
    serve = [*command, verb, "--port", "0", *arguments]
    with fail_after(PATIENCE):
        async with await open_process(serve, cwd=cwd, env=environment(**variables)) as process:
            assert process.stdout is not None
            # The embedded server says more than one line.
            end = b"\n" if verb == "serve" and any(":" in argument for argument in arguments) else b"CTRL+C stops it.\n"
            welcome = await BufferedByteReceiveStream(process.stdout).receive_until(end, 4096) + end
            server = Server(process, welcome.decode(), httpx.AsyncClient())
            async with server.http:
                server.http.base_url = httpx.URL(server.address)
                try:
                    yield server
                finally:
                    if process.returncode is None:
                        process.kill()
