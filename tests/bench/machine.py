"""Which core serves and which one measures, and what the figures were measured on."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Literal

Role = Literal["serving", "measuring"]

MEASURED_WITH = ("uvicorn", "uvloop", "httptools", "pydantic", "fastapi")


def check() -> None:
    """Refuse a system that cannot pin a process to a core or tell its memory."""
    if sys.platform != "linux":
        raise SystemExit("the benchmark needs Linux: it pins processes to cores and reads /proc")


def core_of(role: Role) -> int:
    """Return the first core for what serves and the last one for what measures."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0 if role == "serving" else -1]


@contextmanager
def on_core_of(role: Role) -> Generator[None]:
    """Give a core to this thread and to every process that it starts meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core_of(role)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def keep_bytecode(folder: Path) -> None:
    """Have every Python that is started from here keep its bytecode in `folder`.

    An installed package has bytecode, a checkout perhaps not; compiling takes time, and memory that is not given back.
    """
    os.environ |= {"PYTHONPYCACHEPREFIX": str(folder), "PYTHONDONTWRITEBYTECODE": ""}


def described() -> str:
    """Return versions and cores, for one line above the figures."""
    parts = [f"Python {platform.python_version()}"]
    parts += [f"{name} {version(name)}" for name in MEASURED_WITH]
    parts.append(f"Node {_node_version()}")
    serving, measuring = core_of("serving"), core_of("measuring")
    cores = f"serving on core {serving}, measuring on core {measuring}"
    if serving == measuring:
        cores += " (only one: wrk takes from the server what it needs)"
    return f"{', '.join(parts)}; {platform.machine()}, {cores}, load {os.getloadavg()[0]:.1f}"


def _node_version() -> str:
    if shutil.which("node") is None:
        return "missing"
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
