"""Verifications, wherever they are kept and whatever they are called there."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from app import ORIGIN, content, make, signed_up
from portico import (
    AdvancedOptions,
    Auth,
    ConfigError,
    Context,
    DatabaseOptions,
    HookContext,
    IdentifiersByPrefix,
    MemorySecondaryStorage,
    MemoryStore,
    Verification,
    VerificationOptions,
    after_delete,
    before_create,
    before_delete,
)
from portico.crypto.digest import hash_token
from portico.store.adapter import Where
from portico.testing import Browser, Clock
from postbox import Postbox
from raced import raced
from requirements import requirement
from store.redis_server import redis_storage

pytestmark = pytest.mark.anyio

NAME = "reset-password:abc"
HASHED = hash_token(NAME)


def reverse(identifier: str) -> str:
    return identifier[::-1]


async def shout(identifier: str) -> str:
    await anyio.lowlevel.checkpoint()
    return identifier.upper()


WAYS: dict[str, Any] = {
    "plain": "plain",
    "hashed": "hashed",
    "by a function": reverse,
    "by prefix": IdentifiersByPrefix(overrides={"reset-": shout}),
}
PLACES = ("database", "secondary", "both")


class Setting:
    """An Auth that keeps its verifications in one place, in one way."""

    def __init__(
        self, place: str, way: Any = "plain", *, hooks: Sequence[Any] = (), ids: Any = None, **options: Any
    ) -> None:
        self.clock = Clock()
        self.storage = MemorySecondaryStorage(self.clock)
        self.postbox = Postbox()
        given: dict[str, Any] = {} if place == "database" else {"secondary_storage": self.storage}
        kept = VerificationOptions(store_identifier=way, store_in_database=place == "both", **options)
        given["advanced"] = AdvancedOptions(database=DatabaseOptions(generate_id=ids))
        self.auth = make(self.clock, **self.postbox.options(), **given, verification=kept, database_hooks=hooks)
        self.ctx: Context = self.auth.context(None)
        self.verifications = self.auth.verifications

    async def rows(self) -> list[dict[str, Any]]:
        return await self.auth.store.find_many(self.auth.tables["verification"])

    async def keys(self) -> list[str]:
        return [key for key in self.storage.list_keys() if key.startswith("verification:")]

    async def is_empty(self) -> bool:
        return not await self.rows() and not await self.keys()


@pytest.fixture(params=[(place, way) for place in PLACES for way in WAYS], ids=" ".join)
def here(request: pytest.FixtureRequest) -> Setting:
    place, way = request.param
    return Setting(place, WAYS[way])


@requirement("ARCH-verification", "S-157")
async def test_a_value_is_read_until_it_is_taken_and_taken_once(here: Setting) -> None:
    await here.verifications.put(here.ctx, NAME, "x", 60)
    assert await here.verifications.get(here.ctx, NAME) == "x"
    assert await here.verifications.get(here.ctx, "reset-password:abd") is None
    assert await here.verifications.take(here.ctx, NAME) == "x"
    assert await here.verifications.take(here.ctx, NAME) is None
    assert await here.is_empty()


@requirement("ARCH-verification", "B-15")
@pytest.mark.parametrize("ids", ["serial", "uuid", "database"])
@pytest.mark.parametrize("place", PLACES)
async def test_values_are_kept_whoever_makes_the_ids(place: str, ids: str) -> None:
    here = Setting(place, ids=ids)
    verifications, ctx = here.verifications, here.ctx
    await verifications.put(ctx, NAME, "0", 60)
    assert await verifications.swap(ctx, NAME, "0", "1")
    assert await verifications.take(ctx, NAME) == "1"
    assert [await verifications.claim(ctx, "claimed", 60) for _ in range(2)] == [True, False]
    assert [await verifications.agree(ctx, "agreed", each, 60) for each in ("a", "b")] == ["a", "a"]
    assert await verifications.delete(ctx, identifier="agreed") == 1
    assert await verifications.find(ctx, identifier="agreed") is None


@requirement("ARCH-verification")
async def test_a_value_that_was_put_twice_is_taken_once_and_is_the_newer_one(here: Setting) -> None:
    await here.verifications.put(here.ctx, NAME, "old", 60)
    here.clock.advance(1)
    await here.verifications.put(here.ctx, NAME, "new", 60)
    assert await here.verifications.take(here.ctx, NAME) == "new"
    assert await here.verifications.take(here.ctx, NAME) is None
    assert await here.is_empty()


@requirement("ARCH-verification")
async def test_nothing_is_read_or_taken_when_its_time_is_over(here: Setting) -> None:
    await here.verifications.put(here.ctx, NAME, "x", 60)
    here.clock.advance(60)
    assert await here.verifications.get(here.ctx, NAME) is None
    assert await here.verifications.take(here.ctx, NAME) is None
    assert await here.is_empty()


class Overtaken(MemoryStore):
    """A store in which somebody writes right after somebody else has looked."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], Awaitable[None]]] = []

    async def find_many(self, table: Any, where: Any = (), **rest: Any) -> list[Any]:
        found = await super().find_many(table, where, **rest)
        if table.name == "verification" and self.meanwhile:
            await self.meanwhile.pop()()
        return found


@requirement("ARCH-verification", "S-036")
async def test_who_finds_that_the_time_is_over_does_not_delete_what_comes_at_this_moment() -> None:
    clock, store = Clock(), Overtaken()
    auth = make(clock, database=store)
    ctx = auth.context(None)
    await auth.verifications.get(ctx, "another, so that nothing is cleaned up now")
    await auth.verifications.put(ctx, NAME, "old", 60)
    clock.advance(59)
    await auth.verifications.get(ctx, "as above")
    clock.advance(1)
    store.meanwhile.append(lambda: auth.verifications.put(ctx, NAME, "new", 60))
    assert await auth.verifications.get(ctx, NAME) is None
    assert await auth.verifications.get(ctx, NAME) == "new"


@requirement("ARCH-verification")
async def test_a_value_is_swapped_from_what_it_is_only(here: Setting) -> None:
    await here.verifications.put(here.ctx, NAME, "0", 60)
    assert not await here.verifications.swap(here.ctx, NAME, "1", "2")
    assert await here.verifications.swap(here.ctx, NAME, "0", "1")
    assert not await here.verifications.swap(here.ctx, NAME, "0", "1")
    assert await here.verifications.get(here.ctx, NAME) == "1"
    here.clock.advance(60)
    assert await here.verifications.get(here.ctx, NAME) is None


@requirement("ARCH-verification")
async def test_what_has_another_value_is_not_taken_or_deleted(here: Setting) -> None:
    await here.verifications.put(here.ctx, NAME, "ann", 60)
    assert await here.verifications.consume(here.ctx, identifier=NAME, value="bob") is None
    assert await here.verifications.delete(here.ctx, identifier=NAME, value="bob") == 0
    assert await here.verifications.get(here.ctx, NAME) == "ann"
    assert await here.verifications.delete(here.ctx, identifier=NAME, value="ann") == 1
    assert await here.is_empty()


@requirement("ARCH-verification")
@pytest.mark.parametrize(("place", "left"), [("database", (1, 0)), ("secondary", (0, 3)), ("both", (1, 1))])
async def test_every_row_with_a_value_goes_where_it_can_be_found_by_it(place: str, left: tuple[int, int]) -> None:
    here = Setting(place)
    for name, value in ((NAME, "ann"), ("reset-password:abd", "ann"), ("other", "bob")):
        await here.verifications.put(here.ctx, name, value, 60)
    await here.verifications.delete_values(here.ctx, "ann")
    assert (len(await here.rows()), len(await here.keys())) == left
    assert await here.verifications.get(here.ctx, "other") == "bob"


@requirement("ARCH-verification")
async def test_a_name_is_claimed_once_until_its_time_is_over(here: Setting) -> None:
    assert [await here.verifications.claim(here.ctx, NAME, 60) for _ in range(2)] == [True, False]
    assert await here.verifications.claim(here.ctx, "another", 60)
    here.clock.advance(60)
    assert [await here.verifications.claim(here.ctx, NAME, 60) for _ in range(2)] == [True, False]


@requirement("ARCH-verification", "J01")
async def test_many_callers_agree_on_the_first_value_until_its_time_is_over(here: Setting) -> None:
    agreed: list[str] = []

    async def agree(value: str) -> None:
        agreed.append(await here.verifications.agree(here.ctx, NAME, value, 60))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(agree, f"value {number}")
    assert len(set(agreed)) == 1
    assert await here.verifications.agree(here.ctx, "another", "other", 60) == "other"
    here.clock.advance(59)
    assert await here.verifications.agree(here.ctx, NAME, "late", 60) == agreed[0]
    here.clock.advance(1)
    assert await here.verifications.agree(here.ctx, NAME, "late", 60) == "late"


@requirement("ARCH-verification")
@pytest.mark.parametrize("place", ["database", "both"])
async def test_who_agrees_with_what_is_there_writes_nothing(place: str) -> None:
    heard: list[str] = []

    @before_create("verification")
    async def look(ctx: HookContext, values: Mapping[str, Any]) -> None:
        heard.append(values["value"])

    here = Setting(place, hooks=[look])
    assert [await here.verifications.agree(here.ctx, NAME, each, 60) for each in ("a", "b")] == ["a", "a"]
    here.clock.advance(60)
    assert await here.verifications.agree(here.ctx, NAME, "c", 60) == "c"
    assert heard == ["a", "c"]


@requirement("S-006", "S-017", "B-21")
async def test_mailed_links_and_challenges_work_wherever_they_are_kept(here: Setting) -> None:
    browser = await signed_up(here.auth)
    await browser.post("/request-password-reset", {"email": "ann@example.com"})
    body = {"token": here.postbox.last.token, "newPassword": "password456"}
    assert [(await browser.post("/reset-password", body)).status for _ in range(2)] == [200, 400]
    await browser.post("/two-factor/enable", {"password": "password456"})
    codes = content(await browser.post("/two-factor/enable", {"password": "password456"}))["backupCodes"]
    user = (await here.auth.users.find_many(here.ctx))[0]
    await here.auth.users.update(here.ctx, {"id": user.id}, two_factor_enabled=True)
    other = Browser(here.auth, ORIGIN)
    first = await other.post("/sign-in/email", {"email": "ann@example.com", "password": "password456"})
    assert content(first)["twoFactorRedirect"]
    wrong = await other.post("/two-factor/verify-backup-code", {"code": "wrong-wrong"})
    right = await other.post("/two-factor/verify-backup-code", {"code": codes[0], "trustDevice": True})
    assert (wrong.status, right.status) == (401, 200)
    await other.post("/sign-out")
    again = await other.post("/sign-in/email", {"email": "ann@example.com", "password": "password456"})
    assert content(again)["user"]["email"] == "ann@example.com"
    await other.post("/delete-user")
    token = here.postbox.last.token
    assert [(await other.post("/delete-user", {"token": token})).status for _ in range(2)] == [200, 401]


@requirement("B-19")
async def test_secondary_storage_has_upstreams_key_and_value_and_the_database_no_table() -> None:
    here = Setting("secondary")
    await here.verifications.put(here.ctx, NAME, "x", 3600)
    assert await here.keys() == [f"verification:{NAME}"]
    assert await here.storage.get(f"verification:{NAME}") == (
        '{"createdAt":"2030-01-02T03:04:05.678Z","updatedAt":"2030-01-02T03:04:05.678Z","value":"x",'
        f'"identifier":"{NAME}","expiresAt":"2030-01-02T04:04:05.678Z"}}'
    )
    assert here.storage.ttl(f"verification:{NAME}") == 3600
    assert {"session", "verification"}.isdisjoint(table.name for table in here.auth.database_tables)


@requirement("B-19")
async def test_with_the_database_as_well_the_database_decides() -> None:
    here = Setting("both")
    await here.verifications.put(here.ctx, NAME, "x", 3600)
    held = json.loads(await here.storage.get(f"verification:{NAME}") or "")
    (row,) = await here.rows()
    assert (held["id"], held["identifier"], held["value"]) == (row["id"], NAME, "x")
    assert "verification" in {table.name for table in here.auth.database_tables}
    await here.storage.delete(f"verification:{NAME}")
    assert await here.verifications.take(here.ctx, NAME) == "x"
    await here.storage.set(f"verification:{NAME}", json.dumps(held))
    assert await here.verifications.take(here.ctx, NAME) is None


@requirement("B-19")
@pytest.mark.parametrize("value", ["", "{", "[]", '"x"', "{}", '{"value":1}', '{"value":"x","expiresAt":"soon"}'])
async def test_what_is_no_verification_is_none(value: str) -> None:
    here = Setting("secondary")
    await here.storage.set(f"verification:{NAME}", value)
    assert await here.verifications.get(here.ctx, NAME) is None
    assert await here.verifications.take(here.ctx, NAME) is None


@requirement("B-19")
async def test_in_secondary_storage_verifications_have_identifiers() -> None:
    here = Setting("secondary")
    with pytest.raises(ConfigError, match="name one"):
        await here.verifications.find_many(here.ctx, Where("value", "x"))


@requirement("B-21")
@pytest.mark.parametrize(
    ("way", "stored"),
    [
        ("plain", NAME),
        ("hashed", HASHED),
        (reverse, NAME[::-1]),
        (shout, NAME.upper()),
        (IdentifiersByPrefix(default="hashed"), HASHED),
        (IdentifiersByPrefix(default="hashed", overrides={"reset-": "plain"}), NAME),
        (
            IdentifiersByPrefix(overrides={"delete-": "hashed", "reset-": reverse, "reset-password": "hashed"}),
            NAME[::-1],
        ),
    ],
    ids=str,
)
async def test_identifiers_are_stored_as_the_options_say(way: Any, stored: str) -> None:
    here = Setting("database", way)
    await here.verifications.put(here.ctx, NAME, "x", 60)
    assert [row["identifier"] for row in await here.rows()] == [stored]


@requirement("B-21")
async def test_a_hashed_identifier_is_sha_256_in_base64url_without_padding() -> None:
    assert HASHED == "IMUqJ3lXuvod79AbI4EdsWmdAkZeIP5syfKs7-d5fQQ"


@requirement("B-21")
@pytest.mark.parametrize("place", PLACES)
async def test_what_was_stored_plain_before_is_found_and_taken_when_identifiers_are_hashed(place: str) -> None:
    here = Setting(place, "hashed")
    plain = make(
        here.clock,
        database=here.auth.store,
        **({} if place == "database" else {"secondary_storage": here.storage}),
        verification=VerificationOptions(store_in_database=place == "both"),
    )
    await plain.verifications.put(plain.context(None), NAME, "x", 60)
    assert await here.verifications.get(here.ctx, NAME) == "x"
    assert await here.verifications.take(here.ctx, NAME) == "x"
    assert await here.is_empty()


@requirement("B-21")
async def test_the_stored_name_opens_nothing() -> None:
    here = Setting("database", "hashed")
    await signed_up(here.auth)
    await Browser(here.auth, ORIGIN).post("/request-password-reset", {"email": "ann@example.com"})
    (row,) = await here.rows()
    refused = await Browser(here.auth, ORIGIN).post(
        "/reset-password", {"token": row["identifier"], "newPassword": "password456"}
    )
    assert (refused.status, content(refused)["code"]) == (400, "INVALID_TOKEN")
    assert await here.rows() == [row]


@requirement("ARCH-verification")
@pytest.mark.parametrize("place", ["database", "both"])
@pytest.mark.parametrize("is_off", [False, True])
async def test_what_has_expired_is_deleted_once_a_minute_unless_that_is_off(place: str, is_off: bool) -> None:
    here = Setting(place, disable_cleanup=is_off)
    left: list[int] = []
    for seconds in (0, 30, 31):
        await here.verifications.put(here.ctx, f"old-{seconds}", "x", 1)
        here.clock.advance(seconds + 1)
        assert await here.verifications.get(here.ctx, "another") is None
        left.append(len(await here.rows()))
    assert left == ([1, 2, 3] if is_off else [0, 1, 0])
    if is_off:
        assert await here.verifications.get(here.ctx, "old-0") is None
        assert len(await here.rows()) == 3


@asynccontextmanager
async def shared(place: str, tmp_path: Path) -> AsyncGenerator[tuple[str, str, Auth[Any]]]:
    """Give a database and a key prefix of Redis to two processes, and an Auth on both."""
    database = f"sqlite:///{tmp_path}/auth.db"
    async with redis_storage() as (storage, _, prefix):
        kept = VerificationOptions(store_in_database=place == "both", store_identifier="hashed")
        auth: Auth[Any] = make(database=database, secondary_storage=storage, verification=kept)
        await auth.create_schema()
        yield database, prefix, auth
        await auth.close()


@requirement("E11", "S-157")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("place", ["secondary", "both"])
async def test_of_two_processes_on_redis_one_takes_a_value_claims_a_name_and_swaps(place: str, tmp_path: Path) -> None:
    async with shared(place, tmp_path) as (database, prefix, auth):
        ctx = auth.context(None)
        for name in ("taken", "swapped", "counted"):
            await auth.verifications.put(ctx, name, "0", 60)
        said = raced("taking.py", database, prefix, place)
        assert [said.count(each) for each in ("taken", "claimed", "swapped")] == [1, 1, 1]
        assert await auth.verifications.get(ctx, "counted") == "16"
        assert await auth.verifications.get(ctx, "taken") is None


@requirement("S-186")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES)
async def test_hooks_hear_of_a_verification_that_is_deleted(place: str, way: str) -> None:
    heard: list[str] = []

    @before_delete("verification")
    async def look(ctx: HookContext, row: Verification) -> None:
        heard.append(f"before {row.value}")

    @after_delete("verification")
    async def look_back(ctx: HookContext, row: Verification) -> None:
        heard.append(f"after {row.value}")

    setting = Setting(place, WAYS[way], hooks=[look, look_back])
    await setting.verifications.put(setting.ctx, NAME, "the value", 60)
    assert await setting.verifications.delete(setting.ctx, identifier=NAME) == 1
    assert (heard, await setting.verifications.find(setting.ctx, identifier=NAME)) == (
        ["before the value", "after the value"],
        None,
    )
