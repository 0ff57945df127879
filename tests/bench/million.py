"""A million users against a thousand: what is looked up by an index costs the same.

A thousand of them are active, anywhere among all: more would tell how many rows and signatures fit into memory.
"""

import random  # noqa: TID251  # a seed: whoever is looked up is nobody's secret
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import anyio
import pytest

from bench.apps import ORIGIN, make
from bench.rounds import ratio
from bench.table import Figure
from portico import Auth, Headers, Request
from store.database_servers import DatabaseServer, database_on

FEW, MANY = 1_000, 1_000_000
ROUNDS = 9
CALLS = 300
BOUND = 1.3
NOW, LATER = "'2026-01-01T00:00:00.000Z'", "'2126-01-01T00:00:00.000Z'"
NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})",
    "postgresql": "WITH numbers AS (SELECT n FROM generate_series(1, {count}) AS n)",
}
FILLED = {
    "user": (
        '(id, name, email, "emailVerified", "createdAt", "updatedAt")',
        "'u' || n, 'Ann', 'ann' || n || '@example.com', {true}, {now}, {now}",
    ),
    "account": (
        '(id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")',
        "'a' || n, 'u' || n, 'credential', 'u' || n, 'x', {now}, {now}",
    ),
    "session": (
        '(id, token, "userId", "expiresAt", "ipAddress", "userAgent", "createdAt", "updatedAt")',
        "'s' || n, 'token' || n, 'u' || n, {later}, '', '', {now}, {now}",
    ),
}
Question = Callable[[Auth[Any], int], Awaitable[object]]


def filling(kind: str, count: int) -> Iterator[str]:
    """Yield the statements that give a database so many users, each with a password and a session."""
    words = {"true": "1" if kind == "sqlite" else "true", "now": NOW, "later": LATER}
    for table, (columns, values) in FILLED.items():
        numbers = NUMBERS[kind].format(count=count)
        yield f'{numbers} INSERT INTO "{table}" {columns} SELECT {values.format(**words)} FROM numbers'


async def get_session(auth: Auth[Any], number: int) -> None:
    """Read the session of somebody, over HTTP."""
    line = auth.cookies.write("session_token", f"token{number}", 3600)[1]
    headers = Headers([("cookie", line.partition(";")[0]), ("origin", ORIGIN)])
    response = await auth.handler(Request(method="GET", path="/api/auth/get-session", headers=headers))
    assert b"@example.com" in response.body


async def look_up(auth: Auth[Any], number: int) -> None:
    """Find who signs in, with the password: all of a sign-in but the hash."""
    ctx = auth.context(None)
    user = await auth.users.find(ctx, email=f"ann{number}@example.com")
    assert user is not None
    assert await auth.accounts.find(ctx, user_id=user.id, provider_id="credential")


async def first_page(auth: Auth[Any], number: int) -> None:
    """List the first hundred users, as an administrator sees them."""
    assert len(await auth.store.find_many(auth.tables["user"], limit=100)) == 100


QUESTIONS: dict[str, Question] = {"get-session": get_session, "sign-in look-up": look_up, "first page": first_page}


def figures(folder: Path) -> Iterator[Figure]:
    """Fill two databases of each kind and ask them in turns."""
    urls = {count: f"sqlite:///{folder}/{count}.db" for count in (FEW, MANY)}

    async def fill_file(count: int) -> None:
        await _fill_file(folder / f"{count}.db", count)

    yield from anyio.run(compared, "SQLite", urls, fill_file)
    try:
        with database_on("postgresql") as few, database_on("postgresql") as many:
            servers = {FEW: few, MANY: many}
            urls = {count: server.url for count, server in servers.items()}

            async def fill_server(count: int) -> None:
                await _fill_server(servers[count], count)

            yield from anyio.run(compared, "PostgreSQL", urls, fill_server)
    except pytest.skip.Exception as absent:
        for name in QUESTIONS:
            yield Figure(name=_name(name, "PostgreSQL"), measured=None, wanted="under", bound=BOUND, detail=str(absent))


async def compared(where: str, urls: dict[int, str], fill: Callable[[int], Awaitable[None]]) -> list[Figure]:
    """Ask each question of few and of many in turns and compare how long half of the answers took at most."""
    auths = {count: make(url) for count, url in urls.items()}
    for count, auth in auths.items():
        await auth.create_schema()
        await fill(count)
    found: list[Figure] = []
    chance = random.Random(1)
    active = {count: chance.sample(range(1, count + 1), FEW) for count in auths}
    for name, question in QUESTIONS.items():
        times: dict[int, list[float]] = {FEW: [], MANY: []}
        for _ in range(ROUNDS + 1):
            for count, auth in auths.items():
                times[count].append(await _median(question, auth, chance.choices(active[count], k=CALLS)))
        # The first round warms up.
        many, few = times[MANY][1:], times[FEW][1:]
        detail = f"{median(many) * 1e6:,.0f} : {median(few) * 1e6:,.0f} µs"
        found.append(
            Figure(name=_name(name, where), measured=ratio(many, few), wanted="under", bound=BOUND, detail=detail)
        )
    for auth in auths.values():
        await auth.close()
    return found


async def _median(question: Question, auth: Auth[Any], numbers: Sequence[int]) -> float:
    times: list[float] = []
    for number in numbers:
        started = perf_counter()
        await question(auth, number)
        times.append(perf_counter() - started)
    return median(times)


async def _fill_file(path: Path, count: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in filling("sqlite", count):
            connection.execute(statement)
        connection.execute("ANALYZE")


async def _fill_server(server: DatabaseServer, count: int) -> None:
    await server.run(*filling("postgresql", count), "VACUUM ANALYZE")


def _name(question: str, where: str) -> str:
    return f"{question}, a million users on {where} : a thousand"
