"""Reading a session: against a bare hello, against upstream, and with plugins that look elsewhere.

What is compared are requests per second of the server's CPU time. A server under full load has the core to itself on a
quiet machine, and then these are simply its requests per second; on a busy one they still mean the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from bench import rounds, servers, wrk
from bench.server import Server
from bench.table import Figure
from bench.wrk import Target

ROUNDS = 6
SECONDS = 2
CLOSE_ROUNDS = 10
"""For two servers that hardly differ: more and shorter ones."""
CLOSE_SECONDS = 1
CONNECTIONS = 16

Rates = Mapping[str, Sequence[float]]
"""Requests per CPU second in each round, by server."""


def figures(folder: Path) -> Iterator[Figure]:
    """Measure the servers in turns and compare them."""
    absent = servers.missing_upstream()
    with ExitStack() as stack:
        started = {
            "hello": stack.enter_context(servers.bare("hello", folder)),
            "cached": stack.enter_context(servers.portico("cached", folder)),
            "plain": stack.enter_context(servers.portico("plain", folder)),
        }
        if absent is None:
            started["upstream"] = stack.enter_context(servers.upstream(folder))
        rates = rates_of(started, ROUNDS, SECONDS)
    yield compared(rates, "plain", "hello", name="get-session, SQLite : hello", bound=0.23)
    yield compared(rates, "cached", "hello", name="get-session, cookie cache : hello", bound=0.35)
    name = "get-session, SQLite : upstream on Node"
    if absent is None:
        yield compared(rates, "plain", "upstream", name=name, bound=12)
    else:
        yield Figure(name=name, measured=None, wanted="at least", bound=12, detail=absent)
    close = folder / "close"
    close.mkdir()
    with servers.portico("plain", close) as plain, servers.portico("crowded", close) as crowded:
        rates = rates_of({"plain": plain, "crowded": crowded}, CLOSE_ROUNDS, CLOSE_SECONDS)
    yield compared(rates, "crowded", "plain", name="get-session, ten more plugins : none", bound=0.95)


def rates_of(started: Mapping[str, Server], count: int, seconds: int) -> Rates:
    cookies = {name: server.sign_up() for name, server in started.items() if name != "hello"}
    # Hello is sent what one of the others is; it does not look.
    some = next(iter(cookies.values()))
    targets = {name: server.target("/get-session", cookie=cookies.get(name, some)) for name, server in started.items()}
    for target in targets.values():
        wrk.run(target, seconds=1, connections=CONNECTIONS)
    rates = rounds.alternate(
        {name: partial(_rate, started[name], target, seconds) for name, target in targets.items()}, count
    )
    for name, cookie in cookies.items():
        started[name].check_session(cookie)
    return rates


def _rate(server: Server, target: Target, seconds: int) -> float:
    before = server.cpu_seconds()
    load = wrk.run(target, seconds=seconds, connections=CONNECTIONS)
    return load.requests / (server.cpu_seconds() - before)


def compared(rates: Rates, ours: str, theirs: str, *, name: str, bound: float) -> Figure:
    return Figure(
        name=name,
        measured=rounds.ratio(rates[ours], rates[theirs]),
        wanted="at least",
        bound=bound,
        detail=f"{median(rates[ours]):,.0f} : {median(rates[theirs]):,.0f} requests per CPU second",
    )
