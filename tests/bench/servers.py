"""The servers that are compared: a bare one, ours, and upstream's."""

import os
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import anyio

from bench.apps import DATABASE, ORIGIN, PREFIX, SECRET, create_schema
from bench.server import Server, free_port, running

TESTS = Path(__file__).parents[1]
PARITY = TESTS / "parity"


def missing_upstream() -> str | None:
    """Return why upstream cannot be started, or None if it can."""
    if shutil.which("node") is None:
        return "no node"
    if not (PARITY / "node_modules" / "better-auth").is_dir():
        return "npm ci has not been run in tests/parity"
    return None


def bare(factory: str, folder: Path) -> AbstractContextManager[Server]:
    """Serve what a factory of `bare` makes."""
    return _uvicorn(f"bench.bare:{factory}", folder, {})


def portico(factory: str, folder: Path, database: str | None = None) -> AbstractContextManager[Server]:
    """Serve what a factory of `apps` makes, on the database of that URL or on a file of its own in `folder`."""
    url = database or f"sqlite:///{folder / factory}.db"
    anyio.run(create_schema, url)
    return _uvicorn(f"bench.apps:{factory}", folder, {DATABASE: url, PREFIX: f"bench:{os.getpid()}:"})


@contextmanager
def embedded(folder: Path) -> Generator[Server]:
    """Serve what `portico serve` serves when it is told nothing, with a new file in `folder`."""
    port = free_port()
    command = [sys.executable, "-m", "portico.cli", "serve", "--port", str(port)]
    # Requests in a row from one address must all be answered. PORTICO_ENV turns limits off and nothing else.
    with running(command, port, {"PORTICO_ENV": "test", "BETTER_AUTH_URL": ORIGIN}, folder) as server:
        yield server


@contextmanager
def upstream(folder: Path, plugins: str = "") -> Generator[Server]:
    """Serve upstream on SQLite, without limits to count, behind node's HTTP server; with plugins by id, if any."""
    port = free_port()
    environment = {
        "PORT": str(port),
        "DB": str(folder / "upstream.db"),
        "SECRET": SECRET,
        "BASE_URL": ORIGIN,
        "ISSUER": "Acme",
        "PLUGINS": plugins,
        "NODE_ENV": "production",
        "BETTER_AUTH_TELEMETRY": "0",
    }
    with running(["node", str(PARITY / "upstream.mjs")], port, environment, folder) as server:
        yield server


@contextmanager
def _uvicorn(factory: str, folder: Path, environment: Mapping[str, str]) -> Generator[Server]:
    """Run one worker with uvloop and httptools and without access log."""
    port = free_port()
    options = ["--factory", "--loop", "uvloop", "--http", "httptools", "--workers", "1", "--port", str(port)]
    options += ["--no-access-log", "--log-level", "error", "--app-dir", str(TESTS)]
    with running([sys.executable, "-m", "uvicorn", factory, *options], port, environment, folder) as server:
        yield server
