"""Load by wrk: how many requests a server answers, and how long they take."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import on_core_of

SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What to ask for, again and again."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None
    """JSON; makes it a POST."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a run came to."""

    requests: int
    p99: float
    """Latency in milliseconds that one request in a hundred exceeds."""


@dataclass(frozen=True)
class Run:
    """wrk under way."""

    process: subprocess.Popen[str]
    target: Target

    def finish(self) -> Load:
        """Wait for its end; raise RuntimeError if a request was refused or got no answer."""
        written, errors = self.process.communicate()
        if self.process.returncode:
            raise RuntimeError(f"wrk failed: {errors or written}")
        report = json.loads(written.splitlines()[-1])
        if report["failed"] or not report["requests"]:
            raise RuntimeError(f"{report['failed']} of {report['requests']} requests to {self.target.url} failed")
        return Load(requests=report["requests"], p99=report["p99"] / 1000)


def check() -> None:
    """Say how to get wrk if it is missing."""
    if shutil.which("wrk") is None:
        raise SystemExit("the benchmark needs wrk, which makes the load: `apt-get install wrk` (Debian, Ubuntu)")


def start(target: Target, *, seconds: float, connections: int, pause: int = 0) -> Run:
    """Start asking; each connection waits `pause` milliseconds between an answer and its next request."""
    headers = [part for name, value in target.headers.items() for part in ("-H", f"{name}: {value}")]
    # wrk takes whole seconds only.
    options = ["-t", "1", "-c", str(connections), "-d", f"{round(seconds)}s", "-s", str(SCRIPT), *headers]
    arguments = [str(pause), *([] if target.body is None else [target.body])]
    with on_core_of("measuring"):
        process = subprocess.Popen(
            ["wrk", *options, target.url, "--", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    return Run(process, target)


def run(target: Target, *, seconds: float, connections: int, pause: int = 0) -> Load:
    """Ask until the time is over."""
    return start(target, seconds=seconds, connections=connections, pause=pause).finish()
