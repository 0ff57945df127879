"""Limits that several processes share: counted in the database and in secondary storage."""

import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from app import content, plain
from limited import attempt
from portico import (
    Auth,
    ConfigError,
    MemorySecondaryStorage,
    MemoryStore,
    RateLimit,
    RateLimitOptions,
    RedisStorage,
    StoreBusyError,
)
from portico.rate_counts import DatabaseRateLimits
from portico.store.adapter import Where
from portico.testing import Clock
from requirements import requirement
from store.database_servers import Kind, database_on
from store.redis_server import redis_storage
from warm import program

pytestmark = pytest.mark.anyio

LIMITED = Path(__file__).with_name("limited.py")
IN_DATABASE = RateLimitOptions(enabled=True, storage="database")


async def statuses(auth: Auth[Any], times: int = 1, peer: str = "203.0.113.7") -> list[int]:
    return [(await auth.handler(attempt(peer))).status for _ in range(times)]


async def counted(auth: Auth[Any]) -> list[dict[str, Any]]:
    rows = await auth.store.find_many(auth.tables["rateLimit"])
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


@pytest.fixture(params=["memory", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return MemoryStore() if request.param == "memory" else f"sqlite:///{tmp_path}/auth.db"


@requirement("S-170", "B-20", "B-55")
async def test_the_database_counts_in_a_window_that_slides_with_each_allowed_request(database: Any) -> None:
    clock = Clock()
    start = int(clock.now.timestamp() * 1000)
    auth = plain(database=database, rate_limit=IN_DATABASE, clock=clock)
    await auth.create_schema()
    assert await statuses(auth, 3) == [401] * 3
    row = {"key": "203.0.113.7|/sign-in/email", "count": 3, "last_request": start}
    assert await counted(auth) == [row]
    clock.advance(4)
    refused = await auth.handler(attempt())
    assert (refused.status, content(refused)) == (429, {"message": "Too many requests. Please try again later."})
    assert refused.headers == (("content-type", "application/json"), ("x-retry-after", "6"), ("retry-after", "6"))
    assert await counted(auth) == [row]
    assert await statuses(auth, peer="203.0.113.8") == [401]
    clock.advance(6.001)
    assert await statuses(auth) == [401]
    assert (await counted(auth))[0] == {**row, "count": 1, "last_request": start + 10_001}
    clock.advance(9)
    assert await statuses(auth, 3) == [401, 401, 429]
    await auth.close()


@requirement("S-170", "L02")
async def test_of_forty_requests_at_once_the_database_allows_three(database: Any) -> None:
    auth = plain(database=database, rate_limit=IN_DATABASE, clock=Clock())
    await auth.create_schema()
    seen: list[int] = []

    async def one() -> None:
        seen.extend(await statuses(auth))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(one)
    assert (seen.count(401), seen.count(429)) == (3, 37)
    assert [row["count"] for row in await counted(auth)] == [3]
    await auth.close()


@requirement("S-170")
async def test_who_is_overtaken_without_end_is_refused() -> None:
    class Flickering(MemoryStore):
        """Finds nothing, and has everything."""

        async def find_one(self, table: Any, where: Any) -> None:
            return None

    auth = plain(rate_limit=IN_DATABASE)
    store, table, limit = Flickering(), auth.tables["rateLimit"], RateLimit(window=10, max=1)
    counts = DatabaseRateLimits(store, table)
    assert await counts.consume("a", limit, 100.0) is None
    assert await counts.consume("a", limit, 101.0) == 10
    assert await store.count(table, [Where("count", 1)]) == 1


@requirement("S-170", "ARCH-schema")
async def test_the_table_of_limits_is_upstreams_and_exists_only_where_it_is_counted_in(tmp_path: Path) -> None:
    auth = plain(database=f"sqlite:///{tmp_path}/auth.db", rate_limit=IN_DATABASE)
    assert "rateLimit" in await auth.create_schema()
    sql = "select sql from sqlite_master where name = 'rateLimit'"
    assert _stored(tmp_path / "auth.db", sql) == (
        'CREATE TABLE "rateLimit" ("id" text not null primary key, "key" text not null unique,'
        ' "count" integer not null, "lastRequest" bigint not null)'
    )
    await auth.close()
    assert "rateLimit" not in plain().tables
    assert "rateLimit" not in plain(rate_limit=RateLimitOptions(storage="database", store=Everyone())).tables


@requirement("S-170", "B-55")
async def test_secondary_storage_counts_in_a_fixed_window_and_is_the_default_where_there_is_one() -> None:
    clock = Clock()
    storage = MemorySecondaryStorage(clock)
    auth = plain(secondary_storage=storage, rate_limit=RateLimitOptions(enabled=True), clock=clock)
    assert await statuses(auth, 3) == [401] * 3
    clock.advance(4)
    refused = await auth.handler(attempt())
    assert (refused.status, content(refused)) == (429, {"message": "Too many requests. Please try again later."})
    assert refused.headers == (("content-type", "application/json"), ("x-retry-after", "10"), ("retry-after", "10"))
    key = "203.0.113.7|/sign-in/email"
    assert (storage.list_keys(), await storage.get(key), storage.ttl(key)) == ([key], "4", 6)
    clock.advance(6)
    assert await statuses(auth, 4) == [401, 401, 401, 429]


@requirement("S-170", "L01")
async def test_clients_without_an_address_share_upstreams_key() -> None:
    storage = MemorySecondaryStorage()
    auth = plain(secondary_storage=storage, rate_limit=RateLimitOptions(enabled=True))
    assert await statuses(auth, 2, peer="") == [401] * 2
    assert await statuses(auth, 2, peer="nonsense") == [401, 429]
    assert storage.list_keys() == ["no-trusted-ip|/sign-in/email"]


@requirement("S-170")
async def test_a_storage_that_is_named_goes_before_the_default() -> None:
    storage = MemorySecondaryStorage()
    auth = plain(secondary_storage=storage, rate_limit=RateLimitOptions(enabled=True, storage="memory"))
    assert await statuses(auth, 4) == [401, 401, 401, 429]
    assert storage.list_keys() == []


class Everyone:
    """A counter that allows everything."""

    async def consume(self, key: str, limit: RateLimit, now: float) -> int | None:
        return None


@requirement("S-170")
async def test_a_counter_of_ones_own_goes_before_every_storage() -> None:
    storage = MemorySecondaryStorage()
    auth = plain(secondary_storage=storage, rate_limit=RateLimitOptions(enabled=True, store=Everyone()))
    assert await statuses(auth, 6) == [401] * 6
    assert storage.list_keys() == []


@requirement("CONF-secondary")
def test_a_storage_that_is_unknown_or_was_not_given_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"needs Auth\(secondary_storage=\.\.\.\)"):
        plain(rate_limit=RateLimitOptions(storage="secondary-storage"))
    unknown: Any = "redis"
    with pytest.raises(ConfigError, match="takes 'memory' or 'database' or 'secondary-storage' or None, not 'redis'"):
        plain(rate_limit=RateLimitOptions(storage=unknown))


class Process:
    """The program `limited.py`, which waits for `start`."""

    def __init__(self, kind: str, where: object, requests: int) -> None:
        self.running = subprocess.Popen(
            program(str(LIMITED), kind, str(where), str(requests)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.running.stdout
        assert self.running.stdout.readline().strip() == "ready"

    def start(self) -> None:
        assert self.running.stdin
        self.running.stdin.write("go\n")
        self.running.stdin.flush()

    def finish(self) -> list[str]:
        try:
            said, complaints = self.running.communicate(timeout=30)
        finally:
            self.running.kill()
        assert complaints == ""
        return said.split()


def race(kind: str, where: object) -> list[str]:
    """Let two processes send twenty requests each at once and return the statuses, sorted."""
    processes = [Process(kind, where, 20) for _ in range(2)]
    for process in processes:
        process.start()
    return sorted(status for process in processes for status in process.finish())


def prepared(url: str) -> None:
    """Make the tables in which two processes will count."""

    async def prepare() -> None:
        auth = plain(database=url, rate_limit=IN_DATABASE)
        await auth.create_schema()
        await auth.close()

    anyio.run(prepare)


@requirement("S-170", "L02")
def test_of_forty_requests_to_two_processes_on_one_file_three_are_allowed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    prepared(url)
    assert race("database", url) == ["401"] * 3 + ["429"] * 37
    assert _stored(tmp_path / "auth.db", 'select count from "rateLimit"') == 3


@requirement("S-170", "L02")
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_of_forty_requests_to_two_processes_on_one_server_three_are_allowed(kind: Kind) -> None:
    with database_on(kind) as server:
        prepared(server.url)
        assert race("database", server.url) == ["401"] * 3 + ["429"] * 37


@requirement("S-170", "L02")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_of_forty_requests_to_two_processes_on_one_redis_three_are_allowed() -> None:
    async with redis_storage() as (storage, _, prefix):
        assert await anyio.to_thread.run_sync(race, "redis", prefix) == ["401"] * 3 + ["429"] * 37
        assert await storage.get("127.0.0.1|/sign-in/email") is None
        assert await storage.get("203.0.113.7|/sign-in/email") == "40"


@requirement("S-170", "L02")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_limit_that_cannot_be_counted_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    async with Redis(host="127.0.0.1", port=1) as client:
        auth = plain(secondary_storage=RedisStorage(client), rate_limit=RateLimitOptions(enabled=True))
        refused = await auth.handler(attempt())
    assert (refused.status, content(refused)["code"]) == (503, "SERVICE_UNAVAILABLE")
    told = "POST /sign-in/email: Redis is not available: ConnectionError"
    assert [record.getMessage() for record in caplog.records] == [told]


class Locked:
    """A counter whose database is locked."""

    async def consume(self, key: str, limit: RateLimit, now: float) -> int | None:
        raise StoreBusyError("locked")


@requirement("S-170", "L02")
async def test_a_database_that_is_locked_lets_nobody_in() -> None:
    refused = await plain(rate_limit=RateLimitOptions(enabled=True, store=Locked())).handler(attempt())
    assert (refused.status, content(refused)["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert refused.headers == (("content-type", "application/json"), ("retry-after", "1"))


def _stored(path: Path, sql: str) -> Any:
    connection = sqlite3.connect(path)
    (value,) = connection.execute(sql).fetchone()
    connection.close()
    return value
