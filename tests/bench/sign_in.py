"""Signing in: against the bare hash, and what it does meanwhile to those who read their sessions.

Rates are per second in which the core was there for us: what other programs took of it does not count, what we left
unused does.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench import cpu, hashing, rounds, servers, wrk
from bench.machine import core_of
from bench.server import ANN, Server
from bench.table import Figure
from bench.wrk import Target

ROUNDS = 3
SECONDS = 3
CONNECTIONS = 16

LATENCY_ROUNDS = 4
LATENCY_SECONDS = 2
READERS = 2
PAUSE = 1
"""Milliseconds between an answer and the next request of the same reader: a constant and moderate load."""
SIGNING_IN = 4
LEAD = 1
"""Seconds by which the sign-ins last longer than the readers, so that no reader is alone."""


def figures(folder: Path) -> Iterator[Figure]:
    """Measure throughput, then the latency of readers."""
    with servers.portico("plain", folder) as server:
        reading = server.target("/get-session", cookie=server.sign_up())
        signing_in = server.target(
            "/sign-in/email", body=json.dumps({"email": ANN["email"], "password": ANN["password"]})
        )
        wrk.run(signing_in, seconds=1, connections=CONNECTIONS)
        server.settle()
        yield _throughput(server, signing_in, folder / "plain.db")
        wrk.run(reading, seconds=1, connections=READERS)
        yield _latency("get-session p99, during sign-ins : alone", server, reading, signing_in, pause=PAUSE)
        yield _latency("the same, its readers without pause", server, reading, signing_in, pause=0)


def _throughput(server: Server, signing_in: Target, database: Path) -> Figure:
    bare, signed_in = [hashing.rate(SECONDS)], list[float]()
    for _ in range(ROUNDS):
        signed_in.append(_rate(server, signing_in, database))
        bare.append(hashing.rate(SECONDS))
    beside = [(before + after) / 2 for before, after in pairwise(bare)]
    return Figure(
        name="sign-in with Argon2id : bare hash",
        measured=rounds.ratio(signed_in, beside),
        wanted="at least",
        bound=0.95,
        detail=f"{median(signed_in):.1f} : {median(bare):.1f} per second",
    )


def _rate(server: Server, signing_in: Target, database: Path) -> float:
    core = core_of("serving")
    before, spent, idle = _sessions(database), server.cpu_seconds(), cpu.idle(core)
    wrk.run(signing_in, seconds=SECONDS, connections=CONNECTIONS)
    unused = cpu.idle(core) - idle
    # What was under way when wrk left has cost CPU time, so it counts, too.
    server.settle()
    return (_sessions(database) - before) / (server.cpu_seconds() - spent + unused)


def _sessions(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        count: int = connection.execute("select count(*) from session").fetchone()[0]
        return count


def _latency(name: str, server: Server, reading: Target, signing_in: Target, *, pause: int) -> Figure:
    def alone() -> float:
        return wrk.run(reading, seconds=LATENCY_SECONDS, connections=READERS, pause=pause).p99

    def during() -> float:
        others = wrk.start(signing_in, seconds=LATENCY_SECONDS + LEAD, connections=SIGNING_IN)
        p99 = alone()
        others.finish()
        server.settle()
        return p99

    found = rounds.alternate({"alone": alone, "during": during}, LATENCY_ROUNDS)
    return Figure(
        name=name,
        measured=rounds.ratio(found["during"], found["alone"]),
        wanted="under",
        bound=3,
        detail=f"{median(found['during']):.2f} : {median(found['alone']):.2f} ms",
    )
