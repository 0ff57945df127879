"""One server under load: a process of its own, on the core that serves."""

import os
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench import cpu
from bench.apps import BASE_PATH, ORIGIN
from bench.machine import on_core_of
from bench.wrk import Target

PATIENCE = 30
"""Seconds until a server answers."""

QUIET = 0.005
"""Seconds of CPU time in a twentieth of a second, below which a server has nothing to do."""

ANN = {"name": "Ann Example", "email": "ann@example.com", "password": "correct horse battery"}
OTHER_COOKIES = "theme=dark; _ga=GA1.1.1234567890.1700000000"
"""What a browser sends besides."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One running server."""

    url: str
    process: subprocess.Popen[bytes]

    def target(self, path: str, *, cookie: str = "", body: str | None = None) -> Target:
        """Return a request of a browser to a path under the base path."""
        cookies = f"{OTHER_COOKIES}; {cookie}" if cookie else OTHER_COOKIES
        url = f"{self.url}{BASE_PATH}{path}"
        return Target(url=url, headers={"Cookie": cookies, "Origin": ORIGIN}, body=body)

    def browser(self) -> httpx.Client:
        """Return a browser on the site of the server; close it after use."""
        return httpx.Client(base_url=self.url + BASE_PATH, headers={"Origin": ORIGIN})

    def sign_up(self) -> str:
        """Sign Ann up and return the cookies of her session."""
        with self.browser() as browser:
            browser.post("/sign-up/email", json=ANN).raise_for_status()
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        self.check_session(cookie)
        return cookie

    def check_session(self, cookie: str) -> None:
        """Make sure that what is measured are answers with Ann's session."""
        with self.browser() as browser:
            found = browser.get("/get-session", headers={"Cookie": cookie}).raise_for_status().json()
        if not found or found["user"]["email"] != ANN["email"]:
            raise RuntimeError(f"{self.url} answered {found!r} instead of Ann's session")

    def cpu_seconds(self) -> float:
        """Return the CPU time that it has used so far."""
        return cpu.spent_by(self.process.pid)

    def settle(self) -> None:
        """Wait until it has finished what clients that are gone have left it."""
        before = -QUIET
        while (now := self.cpu_seconds()) - before >= QUIET:
            before = now
            time.sleep(0.05)


@contextmanager
def running(command: Sequence[str], port: int, environment: Mapping[str, str], folder: Path) -> Generator[Server]:
    """Run a server that answers on `port`; what it says is shown if it does not start."""
    log = folder / f"{port}.log"
    with log.open("wb") as written, on_core_of("serving"):
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=written, stderr=written
        )
    server = Server(url=f"http://127.0.0.1:{port}", process=process)
    try:
        _await(server, log)
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _await(server: Server, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{server.url}{BASE_PATH}/ok")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{server.process.args!r} did not start: {log.read_text()[-2000:]}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
