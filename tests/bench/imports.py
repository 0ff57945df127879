"""Importing: how long `import portico` takes, and what it leaves to those who use it."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from bench import rounds
from bench.machine import on_core_of
from bench.table import Figure

ROUNDS = 11
# Timed inside: the interpreter's own start is not counted.
TIMED = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
LOADED = "import sys; import portico; print('\\n'.join(sys.modules))"

LEFT_OUT = (
    "portico.plugins.",
    "portico.hosts.",
    "portico.cli",
    "portico.testing",
    "sqlalchemy",
    "sqlite3",
    "asyncpg",
    "asyncmy",
    "databases",
    "uvicorn",
    "fastapi",
    "starlette",
    "joserfc",
)
"""Starts of the names of modules that are imported on use."""


def figures(_: Path) -> Iterator[Figure]:
    """Import both in turns, each time in a fresh interpreter."""
    modules = ("portico", "fastapi")
    # The first import of all may have bytecode to write.
    for module in modules:
        _seconds(module)
    found = rounds.alternate({module: partial(_seconds, module) for module in modules}, ROUNDS)
    yield Figure(
        name="import portico : import fastapi",
        measured=rounds.ratio(found["portico"], found["fastapi"]),
        wanted="under",
        bound=0.5,
        detail=" : ".join(f"{median(found[module]) * 1000:.0f}" for module in modules) + " ms",
    )
    loaded = _python(LOADED).split()
    too_many = [start for start in LEFT_OUT if any(name.startswith(start) for name in loaded)]
    yield Figure(
        name="plugins, hosts and drivers among its modules",
        measured=len(too_many),
        wanted="under",
        bound=1,
        detail=", ".join(too_many),
    )


def _seconds(module: str) -> float:
    return float(_python(TIMED.format(module=module)))


def _python(code: str) -> str:
    with on_core_of("serving"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout
