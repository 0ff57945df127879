"""Reading a session from a server: PostgreSQL by each way to reach it, and Redis; against a bare hello."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import servers
from bench.get_session import ROUNDS, SECONDS, compared, rates_of
from bench.table import Figure
from store.database_servers import database_on

BOUNDS = {"plain": 0.14, "on_databases": 0.09, "on_engine": 0.05}
NAMES = {
    "plain": "get-session, PostgreSQL : hello",
    "on_databases": "get-session, databases.Database on PostgreSQL : hello",
    "on_engine": "get-session, AsyncEngine on PostgreSQL : hello",
}


def figures(folder: Path) -> Iterator[Figure]:
    """Measure the servers in turns and compare them with hello."""
    try:
        yield from _on_postgres(folder)
    except pytest.skip.Exception as absent:
        for name, bound in BOUNDS.items():
            yield Figure(name=NAMES[name], measured=None, wanted="at least", bound=bound, detail=str(absent))
    redis = folder / "redis"
    redis.mkdir()
    with servers.bare("hello", redis) as hello, servers.portico("on_redis", redis) as ours:
        rates = rates_of({"hello": hello, "plain": ours}, ROUNDS, SECONDS)
    yield compared(rates, "plain", "hello", name="get-session, Redis : hello", bound=0.12)


def _on_postgres(folder: Path) -> Iterator[Figure]:
    with ExitStack() as stack:
        started = {"hello": stack.enter_context(servers.bare("hello", folder))}
        for name in BOUNDS:
            own = folder / name
            own.mkdir()
            server = stack.enter_context(database_on("postgresql"))
            started[name] = stack.enter_context(servers.portico(name, own, server.url))
        rates = rates_of(started, ROUNDS, SECONDS)
    for name, bound in BOUNDS.items():
        yield compared(rates, name, "hello", name=NAMES[name], bound=bound)
