"""A Redis that goes away, is silent or forgets everything: 503 meanwhile, and nobody is let in by its absence."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app import ORIGIN, content, plain
from faults.ledger import BUSY, Ledger
from faults.own_servers import OwnRedis, own_redis
from portico import Auth, CookieCacheOptions, RateLimitOptions, RedisStorage, Response, SessionOptions
from portico.testing import Browser
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("F04")]

PEOPLE = 6
SECONDS = 10
"""Within which everybody is served again, on a machine that has other work."""
TIMEOUT = 5
"""Of a machine that does other things, too; it is waited for only where Redis is silent."""
SHORT = 0.3
ENOUGH = 4
"""Refusals that show an outage; a sign-up that waits for Redis keeps others from writing to the file."""
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
STORED = {
    "alone": SessionOptions(),
    "with the database": SessionOptions(store_session_in_database=True),
    "with a record": SessionOptions(store_session_in_database=True, preserve_session_in_database=True),
}


@pytest.fixture
def own() -> Iterator[OwnRedis]:
    with own_redis() as made:
        yield made


@asynccontextmanager
async def served_by(
    own: OwnRedis, folder: Path, patience: float = TIMEOUT, **options: Any
) -> AsyncGenerator[tuple[Auth[Any], Any]]:
    """Give an Auth whose sessions are in this Redis, and a client to harm it with."""
    # Who finds nobody there says so at once, as there is nothing to wait for.
    impatient = Redis(host="127.0.0.1", port=own.port, retry=Retry(NoBackoff(), 1))
    async with impatient as client, Redis(host="127.0.0.1", port=own.port) as other:
        storage = RedisStorage(client, timeout=patience)
        auth = plain(database=f"sqlite:///{folder}/auth.db", secondary_storage=storage, **options)
        await auth.create_schema()
        with anyio.fail_after(40):
            yield auth, other
        await auth.close()


@asynccontextmanager
async def under_load(auth: Auth[Any]) -> AsyncGenerator[Ledger]:
    """Give the ledger of people who sign up and look at their sessions all the time."""
    ledger = Ledger(auth)
    async with anyio.create_task_group() as group:
        for number in range(PEOPLE):
            group.start_soon(ledger.keep, number)
        await ledger.all_served(PEOPLE, 0)
        yield ledger
        ledger.end()
    users = {user.email for user in await auth.users.find_many(auth.context(None), limit=100_000)}
    assert ledger.acknowledged <= users <= {*ledger.attempted, ANN["email"]}


def assert_busy(response: Response) -> None:
    assert (response.status, content(response)) == (503, BUSY)
    assert "set-cookie" not in dict(response.headers)


async def email_of(browser: Browser) -> str | None:
    """Return who is signed in, as the server says when it is asked."""
    response = await browser.get("/get-session")
    assert response.status == 200
    found = content(response)
    return found and str(found["user"]["email"])


@pytest.mark.parametrize("stored", STORED)
async def test_a_redis_that_falls_and_comes_back_ends_no_session(own: OwnRedis, tmp_path: Path, stored: str) -> None:
    async with served_by(own, tmp_path, session=STORED[stored]) as (auth, _):
        early = Browser(auth, ORIGIN)
        assert (await early.post("/sign-up/email", ANN)).status == 200
        async with under_load(auth) as ledger:
            await anyio.to_thread.run_sync(own.kill)
            await ledger.refuses(ENOUGH)
            acknowledged = len(ledger.acknowledged)
            await ledger.refuses(ENOUGH)
            assert len(ledger.acknowledged) == acknowledged
            await anyio.to_thread.run_sync(own.start)
            assert await ledger.all_served(PEOPLE, monotonic()) < SECONDS
        assert await email_of(early) == "ann@example.com"


async def test_a_redis_that_is_silent_holds_nobody_up(own: OwnRedis, tmp_path: Path) -> None:
    async with served_by(own, tmp_path, SHORT) as (auth, other):
        browser = Browser(auth, ORIGIN)
        await browser.post("/sign-up/email", ANN)
        await other.execute_command("CLIENT", "PAUSE", 2000, "ALL")
        answers: list[tuple[float, Response]] = []

        async def ask(after: float) -> None:
            await anyio.sleep(after)
            started = monotonic()
            response = await Browser(auth, ORIGIN, dict(browser.cookies)).get("/get-session")
            answers.append((monotonic() - started, response))

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(ask, number * SHORT / 8)
        for seconds, response in answers:
            assert_busy(response)
            # Who comes while others wait does not wait for two time-outs.
            assert seconds < 1.6 * SHORT
        while (response := await browser.get("/get-session")).status != 200:
            assert_busy(response)
        assert content(response)["user"]["email"] == "ann@example.com"


async def test_connections_that_are_killed_are_replaced(own: OwnRedis, tmp_path: Path) -> None:
    async with served_by(own, tmp_path) as (auth, other), under_load(auth) as ledger:
        for _ in range(5):
            await other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            assert await ledger.all_served(PEOPLE, monotonic()) < SECONDS


@pytest.mark.parametrize("stored", STORED)
async def test_what_is_forgotten_lets_nobody_in_and_brings_nobody_back(
    own: OwnRedis, tmp_path: Path, stored: str
) -> None:
    async with served_by(own, tmp_path, session=STORED[stored]) as (auth, other):
        kept, revoked, left = (Browser(auth, ORIGIN) for _ in range(3))
        await kept.post("/sign-up/email", ANN)
        for browser in (revoked, left):
            assert (await browser.post("/sign-in/email", ANN)).status == 200
        stolen = Browser(auth, ORIGIN, dict(left.cookies))
        [token] = [value.partition(".")[0] for name, value in revoked.cookies.items() if "session_token" in name]
        assert (await kept.post("/revoke-session", {"token": token})).status == 200
        assert (await left.post("/sign-out")).status == 200
        await other.flushall()
        for browser in (revoked, left, stolen):
            assert await email_of(browser) is None
        # The database knows which sessions live, unless it keeps those that were ended as well.
        assert await email_of(kept) == ("ann@example.com" if stored == "with the database" else None)


async def test_nothing_is_acknowledged_that_redis_did_not_do(own: OwnRedis, tmp_path: Path) -> None:
    async with served_by(own, tmp_path) as (auth, _):
        ann, phone = Browser(auth, ORIGIN), Browser(auth, ORIGIN)
        await ann.post("/sign-up/email", ANN)
        await phone.post("/sign-in/email", ANN)
        await anyio.to_thread.run_sync(own.kill)
        for path in ("/sign-out", "/revoke-sessions", "/revoke-other-sessions"):
            assert_busy(await Browser(auth, ORIGIN, dict(ann.cookies)).post(path))
        changed = {"currentPassword": ANN["password"], "newPassword": "password456", "revokeOtherSessions": True}
        assert_busy(await ann.post("/change-password", changed))
        await anyio.to_thread.run_sync(own.start)
        assert (await Browser(auth, ORIGIN).post("/sign-in/email", ANN)).status == 200
        assert await email_of(phone) == "ann@example.com"
        assert (await ann.post("/revoke-other-sessions")).status == 200
        assert await email_of(phone) is None


async def test_copies_in_cookies_are_read_meanwhile_where_a_copy_is_enough(own: OwnRedis, tmp_path: Path) -> None:
    session = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True))
    async with served_by(own, tmp_path, session=session) as (auth, _):
        ann = Browser(auth, ORIGIN)
        await ann.post("/sign-up/email", ANN)
        await anyio.to_thread.run_sync(own.kill)
        assert await email_of(ann) == "ann@example.com"
        assert_busy(await ann.get("/list-sessions"))
        assert_busy(await ann.post("/update-user", {"name": "Eve"}))
        await anyio.to_thread.run_sync(own.start)
        assert (await ann.get("/list-sessions")).status == 200


async def test_limits_that_cannot_be_counted_let_nobody_in(own: OwnRedis, tmp_path: Path) -> None:
    async with served_by(own, tmp_path, rate_limit=RateLimitOptions(enabled=True)) as (auth, other):
        ann = Browser(auth, ORIGIN)
        await ann.post("/sign-up/email", ANN)
        await anyio.to_thread.run_sync(own.kill)
        assert_busy(await Browser(auth, ORIGIN).post("/sign-in/email", ANN))
        await anyio.to_thread.run_sync(own.start)
        wrong = {**ANN, "password": "wrong password"}
        counted = [(await Browser(auth, ORIGIN).post("/sign-in/email", wrong)).status for _ in range(4)]
        assert counted[-1] == 429
        # A new start for everybody is all that forgotten counts mean.
        await other.flushall()
        assert (await Browser(auth, ORIGIN).post("/sign-in/email", wrong)).status == 401
