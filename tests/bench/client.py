"""The generated client: what a call costs beside bare httpx, importing it, generating it, checking its types."""

import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import httpx

from app import ORIGIN, plain
from bench import rounds
from bench.machine import on_core_of
from bench.table import Figure
from portico_client import AsyncAuthClient

CALLS = 1000
ROUNDS = 7
RUNS = 5
ANN: Any = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
ROOT = Path(__file__).parents[2]
SPEC = ROOT / "openapi" / "portico.json"
TIMED = "import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
IMPORTS = {
    "client": "import portico_client",
    "used": "from portico_client import AsyncAuthClient, models",
    "bare": "import httpx, pydantic",
}
"""The package leaves its parts to first use; what they cost then is told beside the figure."""
MODELS = ("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel", "--disable-timestamp")


def figures(folder: Path) -> Iterator[Figure]:
    """Measure each against its neighbour; calls are counted in CPU time of this process."""
    with on_core_of("serving"):
        yield _calls()
        yield _imports()
        yield _generation(folder)
        yield _type_check(folder)


def _calls() -> Figure:
    found = anyio.run(_called)
    micros = {name: median(times) / CALLS * 1e6 for name, times in found.items()}
    return Figure(
        name="get-session, async client : bare httpx",
        measured=rounds.ratio(found["client"], found["httpx"]),
        wanted="under",
        bound=1.6,
        detail=f"{micros['client']:.0f} : {micros['httpx']:.0f} µs, the answer of the server included",
    )


async def _called() -> dict[str, list[float]]:
    transport = plain().transport()
    bare = httpx.AsyncClient(transport=transport, base_url=f"{ORIGIN}/api/auth", headers={"origin": ORIGIN})
    async with bare, AsyncAuthClient(ORIGIN, transport=transport) as client:
        await bare.post("/sign-up/email", json=ANN)
        await client.sign_in.email(email=ANN["email"], password=ANN["password"])

        async def ask() -> Any:
            return (await bare.get("/get-session")).json()

        found: dict[str, list[float]] = {"client": [], "httpx": []}
        for _ in range(ROUNDS):
            found["client"].append(await _cpu(client.get_session))
            found["httpx"].append(await _cpu(ask))
        return found


async def _cpu(call: Callable[[], Awaitable[Any]]) -> float:
    started = time.process_time()
    for _ in range(CALLS):
        assert await call() is not None
    return time.process_time() - started


def _imports() -> Figure:
    measures: dict[str, Callable[[], float]] = {
        name: partial(_python_seconds, TIMED.format(statement=statement)) for name, statement in IMPORTS.items()
    }
    for measure in measures.values():
        measure()
    found = rounds.alternate(measures, 2 * RUNS + 1)
    spent = {name: median(times) * 1000 for name, times in found.items()}
    return Figure(
        name="import portico_client : import httpx, pydantic",
        measured=rounds.ratio(found["client"], found["bare"]),
        wanted="under",
        bound=1.5,
        detail=f"{spent['client']:.0f} : {spent['bare']:.0f} ms; {spent['used']:.0f} ms with its class",
    )


def _generation(folder: Path) -> Figure:
    client, models = folder / "client", folder / "models.py"
    generate = [sys.executable, "-m", "portico.cli", "client", "generate", "--spec", str(SPEC), "--out", str(client)]
    alone = [sys.executable, "-m", "datamodel_code_generator", "--input", str(SPEC), "--output", str(models), *MODELS]
    found = rounds.alternate({"portico": partial(_seconds, generate), "models": partial(_seconds, alone)}, RUNS)
    return Figure(
        name="generating the client : its models alone",
        measured=rounds.ratio(found["portico"], found["models"]),
        wanted="under",
        bound=5,
        detail=" : ".join(f"{median(times):.1f}" for times in found.values()) + " s",
    )


def _type_check(folder: Path) -> Figure:
    cold = ("--strict", "--no-incremental", f"--cache-dir={folder / 'cache'}", "-p", "portico_client")
    return Figure(
        name="mypy of the client, from cold",
        measured=_seconds([sys.executable, "-m", "mypy", *cold], cwd=folder),
        wanted="under",
        bound=30,
        unit=" s",
    )


def _seconds(command: list[str], cwd: Path | None = None) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, capture_output=True, check=True)
    return time.perf_counter() - started


def _python_seconds(code: str) -> float:
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
