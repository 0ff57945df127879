"""Processes that write: killed in the middle of it, and two on one file."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from app import ORIGIN, plain
from faults.ledger import EVERYBODY
from faults.pools import Pool, pool_of
from portico import Auth
from portico.testing import Browser
from raced import raced, started
from requirements import requirement

pytestmark = pytest.mark.anyio

PROGRAM = "faults/signing_up.py"
ENDLESS = "0"


@requirement("F01")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
async def test_a_process_killed_while_it_writes_loses_nothing_that_it_acknowledged(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with pool_of(kind, request, tmp_path / "auth.db") as pool:
        auth = plain(database=pool.database)
        await auth.create_schema()
        acknowledged: set[str] = set()
        for prefix in "abc":
            acknowledged |= await anyio.to_thread.run_sync(killed_writer, pool.database, prefix)
        await check(auth, pool, acknowledged)
        await auth.close()


def killed_writer(url: str, prefix: str) -> set[str]:
    """Start eight writers, kill them in the middle, and return who was acknowledged."""
    process = started(PROGRAM, url, prefix, "8", ENDLESS)
    assert process.stdin
    assert process.stdout
    process.stdin.write("go\n")
    process.stdin.flush()
    said = [process.stdout.readline() for _ in range(40)]
    process.kill()
    said += process.communicate(timeout=30)[0].splitlines()
    lines = [line.split() for line in said]
    assert {status for _, status, _ in lines} == {"200"}
    return {email for email, _, _ in lines}


async def check(auth: Auth[Any], pool: Pool, acknowledged: set[str]) -> None:
    """Hold the rows against what was said: everybody is there, whole, and can sign in."""
    await pool.becomes_idle()
    users = {user.email: user.id for user in await auth.users.find_many(auth.context(None), limit=EVERYBODY)}
    assert acknowledged <= users.keys()
    # Each of eight writers may have been killed, three times, before it could say what was committed.
    assert len(users) <= len(acknowledged) + 24
    for name in ("account", "session"):
        rows = await auth.store.find_many(auth.tables[name], limit=EVERYBODY)
        assert sorted(row["user_id"] for row in rows) == sorted(users.values()), name
    for email in acknowledged:
        body = {"email": email, "password": "password123"}
        assert (await Browser(auth, ORIGIN).post("/sign-in/email", body)).status == 200
    if pool.server is None:
        with closing(sqlite3.connect(pool.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@requirement("F05", "E06")
async def test_two_processes_with_32_writers_each_sign_up_everybody_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    auth = plain(database=url)
    await auth.create_schema()
    said = await anyio.to_thread.run_sync(raced, PROGRAM, url, "same", "32", "3")
    answers = [line.split()[1:] for line in said]
    # Nobody is told that the database is locked, and of two with one address one is told that it is taken.
    assert answers.count(["200", "None"]) == 96
    assert answers.count(["422", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"]) == 96
    assert len(answers) == 192
    users = await auth.users.find_many(auth.context(None), limit=EVERYBODY)
    assert len({user.email for user in users}) == len(users) == 96
    await auth.close()
