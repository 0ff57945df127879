"""What has expired leaves the database, a batch at a time."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

from app import BASICS, ORIGIN, make, plain, signed_up
from portico import (
    AdvancedOptions,
    Auth,
    Column,
    ConfigError,
    DatabaseOptions,
    MemorySecondaryStorage,
    MemoryStore,
    RateLimit,
    RateLimitOptions,
    SessionOptions,
    Where,
    after_delete,
    before_delete,
)
from portico.models import Session
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.device_authorization.declarations import DeviceCodeRow
from portico.schema import HookContext, Record, Row, Table
from portico.store.adapter import Sort
from portico.testing import Browser, Clock
from requirements import requirement
from store.database_servers import database_on

pytestmark = [pytest.mark.anyio, requirement("ARCH-cleanup")]

TOKEN_LENGTH = 32
WEEK = 7 * 24 * 3600
COUNTING = RateLimitOptions(enabled=True, storage="database")


@pytest.fixture(params=["memory", "sqlite", "postgresql", "mysql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> Any:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/auth.db"
    elif anyio_backend == "trio":
        pytest.skip("the drivers of servers run on asyncio only")
    else:
        with database_on(request.param) as server:
            yield server.url


async def fill(auth: Auth[Any], expired: int, live: int) -> None:
    """Add that many sessions and verifications each, mixed, and as many counts of requests."""
    browser = await signed_up(auth)
    ctx = auth.context(None)
    user = (await auth.users.find_many(ctx))[0]
    assert browser.auth is auth
    for index in range(expired + live):
        ends = ctx.now() + timedelta(seconds=WEEK if index < live else -1)
        await auth.sessions.create(ctx, user_id=user.id, token=f"t{index}", expires_at=ends)
        await auth.verifications.create(ctx, identifier=f"i{index}", value="", expires_at=ends)
        if "rateLimit" in auth.tables:
            moment = int((ends.timestamp() - WEEK) * 1000)
            table = auth.tables["rateLimit"]
            values = {"key": f"k{index}", "count": 1, "last_request": moment}
            await auth.store.create(table, table.with_id(values))


async def left(auth: Auth[Any]) -> dict[str, int]:
    return {name: await auth.store.count(auth.tables[name]) for name in ("user", "session", "verification")}


@pytest.mark.parametrize("ids", ["letters", "serial"])
async def test_what_has_expired_goes_and_all_else_stays(database: Any, ids: str) -> None:
    advanced = AdvancedOptions(database=DatabaseOptions(generate_id="serial" if ids == "serial" else None))
    auth = make(database=database, rate_limit=COUNTING, advanced=advanced)
    await auth.create_schema()
    await fill(auth, expired=25, live=4)
    before = {"user": 1, "session": 30, "verification": 29}
    assert await left(auth) == before

    assert await auth.cleanup(dry_run=True) == {"session": 25, "verification": 25, "rateLimit": 25}
    assert await left(auth) == before
    batches: list[tuple[str, int]] = []
    counts = await auth.cleanup(batch=10, told=lambda table, rows: batches.append((table, rows)))
    assert counts == {"session": 25, "verification": 25, "rateLimit": 25}
    assert batches == [(table, rows) for table in counts for rows in (10, 10, 5)]

    assert await left(auth) == {"user": 1, "session": 5, "verification": 4}
    live = [row.token for row in await auth.sessions.find_many(auth.context(None))]
    # Beside them is the session of the sign-up, whose token may stand anywhere among them.
    assert sorted(token for token in live if len(token) < TOKEN_LENGTH) == ["t0", "t1", "t2", "t3"]
    assert await auth.cleanup() == {"session": 0, "verification": 0, "rateLimit": 0}
    await auth.close()


async def test_rows_of_a_plugin_go_by_their_date(database: Any) -> None:
    clock = Clock()
    auth = plain(DeviceAuthorization(), clock=clock, database=database)
    await auth.create_schema()
    for seconds in (0, 1000, 801):
        clock.advance(seconds)
        sent = {"client_id": "acme-cli"}
        assert (await Browser(auth, ORIGIN).post("/device/code", sent)).status == 200
    codes = auth.rows(DeviceCodeRow)
    newest = max(row.expires_at for row in await codes.find_many(auth.context(None)))
    assert (await auth.cleanup(dry_run=True))["deviceCode"] == 1
    assert (await auth.cleanup())["deviceCode"] == 1
    assert newest in [row.expires_at for row in await codes.find_many(auth.context(None))]
    assert await auth.store.count(auth.tables["deviceCode"]) == 2
    await auth.close()


def test_a_row_expires_by_a_date() -> None:
    def wrong() -> type[Row]:
        class Wrong(Row):
            lifetime: Annotated[int, Column(expires=True)]

        return Wrong

    with pytest.raises(ConfigError, match="lifetime says when a row expires, and is no date"):
        wrong()


class Watched(MemoryStore):
    """A store that says how many rows were asked for at a time."""

    def __init__(self, fails_after: int = -1) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.fails_after = fails_after

    async def find_many(
        self,
        table: Table[Any],
        where: Sequence[Where] = (),
        *,
        limit: int = 100,
        offset: int = 0,
        sort: Sort | None = None,
    ) -> list[Record]:
        self.asked.append(limit)
        return await super().find_many(table, where, limit=limit, offset=offset, sort=sort)

    async def delete_many(self, table: Table[Any], where: Sequence[Where]) -> int:
        if self.fails_after == 0:
            raise ConnectionError
        self.fails_after -= 1
        return await super().delete_many(table, where)


async def test_no_more_rows_than_a_batch_are_in_memory() -> None:
    store = Watched()
    auth = make(database=store)
    await fill(auth, expired=95, live=5)
    store.asked.clear()
    await auth.cleanup(batch=10)
    assert store.asked == [10] * 20


async def test_who_is_interrupted_starts_again_with_what_is_left() -> None:
    store = Watched()
    auth = make(database=store)
    await fill(auth, expired=30, live=1)
    store.fails_after = 2
    with pytest.raises(ConnectionError):
        await auth.cleanup(batch=10)
    assert await left(auth) == {"user": 1, "session": 12, "verification": 31}
    store.fails_after = -1
    assert await auth.cleanup(batch=10) == {"session": 10, "verification": 30}


async def test_a_session_that_is_prolonged_meanwhile_stays() -> None:
    class Prolonging(Watched):
        async def delete_many(self, table: Table[Any], where: Sequence[Where]) -> int:
            if table.name == "session":
                later = {"expires_at": auth.clock() + timedelta(days=1)}
                await self.update(table, [Where("token", "t3")], later)
            return await super().delete_many(table, where)

    auth = make(database=Prolonging())
    await fill(auth, expired=9, live=0)
    assert (await auth.cleanup())["session"] == 8
    assert await auth.sessions.find(auth.context(None), token="t3") is not None


async def test_hooks_hear_of_each_row_and_may_keep_it() -> None:
    gone: list[str] = []

    @before_delete("session")
    async def keep(ctx: HookContext, row: Session) -> bool | None:
        return False if row.token in {"t1", "t4"} else None

    @after_delete("session")
    async def hear(ctx: HookContext, row: Session) -> None:
        gone.append(row.token)

    auth = make(database_hooks=[keep, hear])
    await fill(auth, expired=6, live=0)
    assert (await auth.cleanup(batch=2))["session"] == 4
    assert sorted(gone) == ["t0", "t2", "t3", "t5"]
    assert (await left(auth))["session"] == 3


async def test_only_what_is_in_the_database_is_looked_at() -> None:
    secondary = MemorySecondaryStorage()
    elsewhere: Mapping[str, Any] = {"secondary_storage": secondary}
    assert await make(**elsewhere).cleanup() == {}
    stored = SessionOptions(store_session_in_database=True)
    assert await make(**elsewhere, session=stored).cleanup() == {"session": 0}
    kept = SessionOptions(store_session_in_database=True, preserve_session_in_database=True)
    assert await make(**elsewhere, session=kept).cleanup() == {}


async def test_counts_stay_as_long_as_the_longest_window() -> None:
    clock = Clock()
    rules = {"/sign-in/email": RateLimit(window=WEEK, max=3)}
    options: dict[str, Any] = {
        **BASICS,
        "rate_limit": RateLimitOptions(enabled=True, storage="database", custom_rules=rules),
    }
    auth = Auth(**options, clock=clock)
    table = auth.tables["rateLimit"]
    await auth.store.create(
        table, table.with_id({"key": "k", "count": 3, "last_request": int(clock().timestamp()) * 1000})
    )
    clock.advance(WEEK - 1)
    assert (await auth.cleanup())["rateLimit"] == 0
    clock.advance(2)
    assert (await auth.cleanup())["rateLimit"] == 1


async def test_a_batch_of_nothing_is_refused() -> None:
    auth = make()
    await fill(auth, expired=1, live=0)
    with pytest.raises(ConfigError, match="batch is a number of rows above 0, not 0"):
        await auth.cleanup(batch=0)
    assert (await left(auth))["session"] == 2
