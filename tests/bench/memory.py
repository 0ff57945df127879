"""Memory: what the embedded server of `portico serve` holds after some work, against a bare uvicorn."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench import servers
from bench.server import ANN, Server
from bench.table import Figure

TURNS = 25
REQUESTS_PER_TURN = 8
MIB = 1024 * 1024


def figures(folder: Path) -> Iterator[Figure]:
    """Give each server the same number of requests, then compare."""
    ours = _least(partial(_resident_embedded, folder))
    theirs = _least(partial(_resident_bare, "founded", folder))
    yield _compared("resident memory of portico serve : bare uvicorn", ours, theirs)
    theirs = _least(partial(_resident_bare, "founded_with_sqlalchemy", folder))
    yield _compared("the same, SQLAlchemy counted as a driver", ours, theirs)


def _least(measure: Callable[[], int]) -> int:
    # The first run may have bytecode to make.
    return min(measure() for _ in range(2))


def _resident_embedded(folder: Path) -> int:
    with TemporaryDirectory(dir=folder) as own, servers.embedded(Path(own)) as server, server.browser() as browser:
        for number in range(TURNS):
            _use(browser, f"ann-{number}@example.com")
        return _resident(server)


def _use(browser: httpx.Client, email: str) -> None:
    password = ANN["password"]
    account = {"name": ANN["name"], "email": email, "password": password}
    replies = [
        browser.post("/sign-up/email", json=account),
        browser.get("/get-session"),
        browser.post("/update-user", json={"name": "Ann Other"}),
        browser.get("/list-sessions"),
        browser.post("/sign-out"),
        browser.post("/sign-in/email", json={"email": email, "password": password}),
        browser.get("/ok"),
        browser.post("/is-username-available", json={"username": "ann"}),
    ]
    for reply in replies:
        reply.raise_for_status()


def _resident_bare(factory: str, folder: Path) -> int:
    with servers.bare(factory, folder) as server, server.browser() as browser:
        for _ in range(TURNS * REQUESTS_PER_TURN):
            browser.get("/ok").raise_for_status()
        return _resident(server)


def _resident(server: Server) -> int:
    """Return the resident set of a server's process, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def _compared(name: str, ours: int, theirs: int) -> Figure:
    return Figure(
        name=name,
        measured=ours / theirs,
        wanted="under",
        bound=1.3,
        detail=f"{ours / MIB:.1f} : {theirs / MIB:.1f} MiB",
    )
