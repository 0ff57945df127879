"""Sessions in secondary storage, in the format that upstream 1.7.24 was seen to write."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app import content, make, plain, signed_up
from portico import (
    Auth,
    ConfigError,
    Context,
    MemorySecondaryStorage,
    Plugin,
    RedisStorage,
    SessionOptions,
    User,
    before_create,
)
from portico.errors import UnstorableError
from portico.first_proof import prove_mailbox
from portico.messages import SessionData
from portico.store.adapter import Sort, Where
from portico.testing import Browser, Clock
from requirements import requirement
from store.redis_server import redis_storage

pytestmark = pytest.mark.anyio

WEEK = 7 * 24 * 3600
BOTH = SessionOptions(store_session_in_database=True)
KEPT = SessionOptions(store_session_in_database=True, preserve_session_in_database=True)
NOW = "2030-01-02T03:04:05.678Z"
ENDS = "2030-01-09T03:04:05.678Z"
PASSWORD = {"email": "ann@example.com", "password": "password123"}


class Setting:
    """An Auth with its clock and its storage."""

    def __init__(
        self, session: SessionOptions | None = None, *, plugins: Sequence[Plugin[Any, Any]] = (), **options: Any
    ) -> None:
        self.clock = Clock()
        self.storage = MemorySecondaryStorage(self.clock)
        self.auth: Auth[Any] = plain(
            *plugins, clock=self.clock, secondary_storage=self.storage, session=session or SessionOptions(), **options
        )

    async def sign_in(self, **fields: Any) -> Browser:
        browser = Browser(self.auth, "http://localhost:3000")
        assert (await browser.post("/sign-in/email", {**PASSWORD, **fields})).status == 200
        return browser

    async def held(self) -> dict[str, Any]:
        """Return what the storage holds, by key."""
        values = {key: await self.storage.get(key) for key in self.storage.list_keys()}
        return {key: json.loads(value) for key, value in values.items() if value is not None}

    async def rows(self) -> int:
        return await self.auth.store.count(self.auth.tables["session"])


async def guessed(setting: Setting) -> Browser:
    """Sign in with the password, as somebody else who knows it, a moment before it goes."""
    browser = await setting.sign_in()
    setting.clock.advance(0.001)
    return browser


@requirement("S05", "S-004")
async def test_a_password_that_is_being_changed_leaves_nobody_signed_in(tmp_path: Path) -> None:
    due: list[str] = []
    others: list[Browser] = []

    @before_create("session")
    async def meanwhile(ctx: Context, values: Mapping[str, Any]) -> None:
        if due:
            due.clear()
            others.append(await guessed(setting))

    setting = Setting(database=f"sqlite:///{tmp_path}/auth.db", database_hooks=[meanwhile])
    await setting.auth.create_schema()
    owner = await signed_up(setting.auth)
    due.append("when the owner's next session starts")
    change = {"currentPassword": "password123", "newPassword": "another password", "revokeOtherSessions": True}
    assert (await owner.post("/change-password", change)).status == 200
    assert [await told(browser) for browser in others] == [None]
    assert (await told(owner))["user"]["email"] == "ann@example.com"
    await setting.auth.close()


@requirement("E08", "S05")
async def test_a_mailbox_that_is_being_proven_leaves_nobody_signed_in(tmp_path: Path) -> None:
    others: list[Browser] = []

    @dataclass(frozen=True, kw_only=True, eq=False)
    class Slow(Plugin[Any, Any]):
        id: ClassVar[str] = "slow"

        async def drop_credentials(self, ctx: Context, user: User) -> None:
            others.append(await guessed(setting))

    setting = Setting(plugins=[Slow()], database=f"sqlite:///{tmp_path}/auth.db")
    await setting.auth.create_schema()
    await signed_up(setting.auth)
    ctx = setting.auth.context(None)
    user = await setting.auth.users.find_by_email(ctx, "ann@example.com")
    assert user is not None
    owner = await prove_mailbox(ctx, setting.auth.users, user)
    assert owner is not None
    assert owner.email_verified
    assert [await told(browser) for browser in others] == [None]
    await setting.auth.close()


async def told(browser: Browser) -> dict[str, Any]:
    found: dict[str, Any] = content(await browser.get("/get-session"))
    return found


async def token_of(browser: Browser) -> str:
    token: str = (await told(browser))["session"]["token"]
    return token


async def status_of(browser: Browser, path: str, body: Mapping[str, Any] | None = None) -> int:
    return (await browser.post(path, {} if body is None else dict(body))).status


@requirement("ARCH-secondary", "B-19")
async def test_a_session_is_one_key_with_its_user_and_an_entry_in_the_list_of_the_user() -> None:
    here = Setting()
    browser = await signed_up(here.auth)
    shown = await told(browser)
    token, user_id, own_id = (shown["session"][key] for key in ("token", "userId", "id"))
    assert await here.storage.get(token) == (
        f'{{"session":{{"id":"{own_id}","ipAddress":"","userAgent":"","expiresAt":"{ENDS}","userId":"{user_id}",'
        f'"token":"{token}","createdAt":"{NOW}","updatedAt":"{NOW}"}},'
        f'"user":{{"name":"Ann","email":"ann@example.com","emailVerified":false,"image":null,'
        f'"createdAt":"{NOW}","updatedAt":"{NOW}","id":"{user_id}"}}}}'
    )
    ends = int(here.clock.now.timestamp() * 1000) + WEEK * 1000
    assert await here.storage.get(f"active-sessions-{user_id}") == f'[{{"token":"{token}","expiresAt":{ends}}}]'
    assert sorted(here.storage.list_keys()) == sorted([token, f"active-sessions-{user_id}"])
    assert [here.storage.ttl(key) for key in here.storage.list_keys()] == [WEEK, WEEK]
    # The reply has the same order of columns.
    assert json.dumps(shown, separators=(",", ":")) == await here.storage.get(token)
    assert await here.rows() == 0
    assert [table.name for table in here.auth.database_tables] == ["user", "account"]


@requirement("ARCH-secondary")
async def test_with_the_database_a_session_is_in_both_and_has_the_order_of_its_columns() -> None:
    here = Setting(BOTH)
    browser = await signed_up(here.auth)
    shown = await told(browser)
    assert list(shown["session"]) == [
        *("expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "id")
    ]
    assert (await here.held())[shown["session"]["token"]] == shown
    assert await here.rows() == 1
    assert "session" in here.auth.tables


@requirement("ARCH-secondary", "S-010")
async def test_sessions_are_listed_the_nearest_end_first_and_forgotten_when_they_end() -> None:
    here = Setting()
    first = await signed_up(here.auth)
    here.clock.advance(1)
    short = await here.sign_in(rememberMe=False)
    here.clock.advance(1)
    third = await here.sign_in()
    tokens = [await token_of(browser) for browser in (short, first, third)]
    listed = content(await third.get("/list-sessions"))
    assert [each["token"] for each in listed] == tokens
    user_id = listed[0]["userId"]
    assert [each["token"] for each in (await here.held())[f"active-sessions-{user_id}"]] == tokens
    assert here.storage.ttl(tokens[0]) == 24 * 3600 - 1
    here.clock.advance(24 * 3600)
    assert await told(short) is None
    fourth = await here.sign_in()
    assert [each["token"] for each in content(await fourth.get("/list-sessions"))] == [
        *tokens[1:],
        await token_of(fourth),
    ]
    here.clock.advance(8 * 24 * 3600)
    assert await here.held() == {}
    assert await told(third) is None


@requirement("ARCH-secondary", "S-010")
async def test_where_the_database_has_all_sessions_it_lists_those_that_have_not_ended() -> None:
    here = Setting(BOTH)
    first = await signed_up(here.auth)
    await signed_up(here.auth, "bob@example.com")
    here.clock.advance(1)
    await here.sign_in(rememberMe=False)
    here.clock.advance(24 * 3600)
    third = await here.sign_in()
    tokens = [await token_of(browser) for browser in (first, third)]
    assert [each["token"] for each in content(await third.get("/list-sessions"))] == tokens


@requirement("ARCH-secondary", "S-003", "S-011", "S-012", "S-013")
@pytest.mark.parametrize("options", [SessionOptions(), BOTH, KEPT], ids=["secondary", "both", "kept"])
async def test_sessions_end_one_by_one_all_but_one_and_all(options: SessionOptions) -> None:
    here = Setting(options)
    one, stranger = await signed_up(here.auth), await signed_up(here.auth, "bob@example.com")
    two, three, four = [await here.sign_in() for _ in range(3)]
    of_stranger = await token_of(stranger)
    assert await status_of(one, "/revoke-session", {"token": of_stranger}) == 200
    assert await status_of(one, "/revoke-session", {"token": await token_of(two)}) == 200
    assert [bool(await told(each)) for each in (one, two, three, four, stranger)] == [True, False, True, True, True]
    assert await status_of(three, "/sign-out") == 200
    assert await status_of(one, "/revoke-other-sessions") == 200
    assert [bool(await told(each)) for each in (one, three, four, stranger)] == [True, False, False, True]
    shown = await told(one)
    user_id, token = shown["session"]["userId"], shown["session"]["token"]
    assert [each["token"] for each in (await here.held())[f"active-sessions-{user_id}"]] == [token]
    assert await status_of(one, "/revoke-sessions") == 200
    assert await told(one) is None
    stranger_id = (await told(stranger))["session"]["userId"]
    before = f"revoked-sessions-before-{user_id}"
    assert sorted(await here.held()) == sorted([of_stranger, f"active-sessions-{stranger_id}", before])
    assert await here.rows() == {SessionOptions(): 0, BOTH: 1, KEPT: 5}[options]
    ended = await here.auth.store.count(here.auth.tables["session"], [Where("expires_at", here.clock(), "lte")])
    assert ended == (4 if options is KEPT else 0)


@requirement("ARCH-secondary", "S-013")
async def test_a_session_that_escaped_the_list_is_revoked_with_all_others() -> None:
    here = Setting()
    browser = await signed_up(here.auth)
    shown = await told(browser)
    token, value = shown["session"]["token"], await here.storage.get(shown["session"]["token"])
    here.clock.advance(1)
    await here.storage.delete(f"active-sessions-{shown['session']['userId']}")
    other = await here.sign_in()
    assert await status_of(other, "/revoke-sessions") == 200
    assert await here.storage.get(token) == value
    assert await told(browser) is None
    assert await told(await here.sign_in()) is not None


@requirement("ARCH-secondary", "S-014")
@pytest.mark.parametrize("options", [SessionOptions(), BOTH], ids=["secondary", "both"])
async def test_a_change_of_the_user_reaches_every_session(options: SessionOptions) -> None:
    here = Setting(options)
    one = await signed_up(here.auth)
    two = await here.sign_in()
    here.clock.advance(60)
    assert await status_of(one, "/update-user", {"name": "Anna"}) == 200
    for browser in (one, two):
        shown = await told(browser)
        assert (shown["user"]["name"], shown["user"]["updatedAt"]) == ("Anna", "2030-01-02T03:05:05.678Z")
        assert (await here.held())[shown["session"]["token"]] == shown
        assert here.storage.ttl(shown["session"]["token"]) == WEEK - 60


@requirement("ARCH-secondary", "S-163")
@pytest.mark.parametrize("options", [SessionOptions(), BOTH, KEPT], ids=["secondary", "both", "kept"])
async def test_a_session_in_use_is_prolonged_with_its_entry(options: SessionOptions) -> None:
    here = Setting(options)
    browser = await signed_up(here.auth)
    here.clock.advance(2 * 24 * 3600)
    shown = await told(browser)
    assert shown["session"]["expiresAt"] == "2030-01-11T03:04:05.678Z"
    token, key = shown["session"]["token"], f"active-sessions-{shown['session']['userId']}"
    held = await here.held()
    assert held[token]["session"] == shown["session"]
    assert held[key] == [{"token": token, "expiresAt": int(here.clock.now.timestamp() * 1000) + WEEK * 1000}]
    assert (here.storage.ttl(token), here.storage.ttl(key)) == (WEEK, WEEK)


@requirement("ARCH-secondary", "S-004")
async def test_a_changed_password_ends_the_others_and_starts_a_new_session() -> None:
    here = Setting()
    one = await signed_up(here.auth)
    two = await here.sign_in()
    change = {"currentPassword": "password123", "newPassword": "password456", "revokeOtherSessions": True}
    reply = await one.post("/change-password", change)
    shown = await told(one)
    assert (reply.status, shown["session"]["token"]) == (200, content(reply)["token"])
    assert await told(two) is None
    key = f"active-sessions-{shown['session']['userId']}"
    assert [each["token"] for each in (await here.held())[key]] == [shown["session"]["token"]]


@requirement("ARCH-secondary")
async def test_the_database_gives_back_what_secondary_storage_lost_unless_it_keeps_ended_sessions() -> None:
    for options, survives in ((BOTH, True), (KEPT, False), (SessionOptions(), False)):
        here = Setting(options)
        browser = await signed_up(here.auth)
        for key in here.storage.list_keys():
            await here.storage.delete(key)
        assert bool(await told(browser)) is survives
    here = Setting(BOTH)
    browser = await signed_up(here.auth)
    for key in here.storage.list_keys():
        await here.storage.delete(key)
    here.clock.advance(2 * 24 * 3600)
    shown = await told(browser)
    assert (await here.held())[shown["session"]["token"]] == shown
    assert await status_of(browser, "/sign-out") == 200
    assert await here.rows() == 0


@requirement("ARCH-secondary")
async def test_a_deleted_user_has_no_sessions_left() -> None:
    here = Setting()
    browser = await signed_up(here.auth)
    user_id = (await told(browser))["user"]["id"]
    await here.auth.users.delete(here.auth.context(None), id=user_id)
    assert await told(browser) is None
    assert list(await here.held()) == [f"revoked-sessions-before-{user_id}"]


@requirement("ARCH-secondary")
@pytest.mark.parametrize("value", ["", "{", "[]", '{"session":{},"user":{}}', '{"session":null,"user":1}', '"x"'])
async def test_what_is_no_session_lets_nobody_in(value: str) -> None:
    here = Setting()
    browser = await signed_up(here.auth)
    shown = await told(browser)
    await here.storage.set(shown["session"]["token"], value, 60)
    assert await told(browser) is None
    browser = await here.sign_in()
    await here.storage.set(f"active-sessions-{shown['user']['id']}", value, 60)
    assert content(await browser.get("/list-sessions")) == []


@requirement("ARCH-secondary")
async def test_the_session_of_another_key_lets_nobody_in() -> None:
    here = Setting()
    one, two = await signed_up(here.auth), await signed_up(here.auth, "bob@example.com")
    tokens = [await token_of(each) for each in (one, two)]
    await here.storage.set(tokens[0], str(await here.storage.get(tokens[1])), 60)
    assert await told(one) is None


@requirement("ARCH-secondary", "E06")
async def test_sign_ins_at_once_are_all_listed() -> None:
    here = Setting()
    await signed_up(here.auth)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(here.sign_in)
    browser = await here.sign_in()
    assert len(content(await browser.get("/list-sessions"))) == 22
    assert [key for key in here.storage.list_keys() if "lock" in key] == []


@requirement("ARCH-secondary", "S-157")
@pytest.mark.parametrize("options", [SessionOptions(), BOTH, KEPT], ids=["secondary", "both", "kept"])
async def test_of_many_who_take_a_session_at_once_one_gets_it(options: SessionOptions) -> None:
    here = Setting(options)
    browser = await signed_up(here.auth)
    token, ctx, taken = await token_of(browser), here.auth.context(None), list[Any]()

    async def take() -> None:
        taken.append(await here.auth.sessions.consume(ctx, token=token))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(take)
    assert [session.token for session in taken if session is not None] == [token]
    assert await told(browser) is None
    assert await here.held() == {}
    assert await here.rows() == (1 if options is KEPT else 0)


@requirement("ARCH-secondary")
async def test_sessions_come_in_the_order_that_is_asked_for() -> None:
    here = Setting()
    first = await signed_up(here.auth)
    user_id = (await told(first))["user"]["id"]
    tokens = sorted([await token_of(browser) for browser in (first, await here.sign_in(), await here.sign_in())])
    sorts: list[tuple[Sort, list[str]]] = [(Sort("token"), tokens), (Sort("token", "desc"), tokens[::-1])]
    for sort, expected in sorts:
        found = await here.auth.sessions.find_many(here.auth.context(None), user_id=user_id, sort=sort)
        assert [session.token for session in found] == expected


@requirement("ARCH-secondary")
async def test_sessions_are_found_by_their_token_or_their_user_only() -> None:
    here = Setting()
    await signed_up(here.auth)
    before = await here.held()
    with pytest.raises(ConfigError, match="by token or user_id"):
        await here.auth.sessions.find_many(here.auth.context(None), ip_address="203.0.113.7")
    with pytest.raises(ConfigError, match="by token or user_id"):
        await here.auth.sessions.delete(here.auth.context(None), ip_address="203.0.113.7")
    assert await here.held() == before


@requirement("ARCH-secondary")
async def test_nobody_has_no_sessions() -> None:
    here = Setting()
    await signed_up(here.auth)
    [user] = await here.auth.users.find_many(here.auth.context(None))
    nobody, before = user.model_copy(update={"id": "x"}), await here.held()
    with pytest.raises(UnstorableError, match="a user who exists"):
        await here.auth.sessions.start(here.auth.context(None), nobody, remember=True, address="", agent="")
    assert await here.held() == before


@requirement("ARCH-secondary", "B-75")
async def test_hooks_run_round_sessions_in_secondary_storage() -> None:
    @before_create("session")
    async def refuse_agents(ctx: Context, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "user_agent": "seen"}

    here = Setting(database_hooks=[refuse_agents])
    assert (await told(await signed_up(here.auth)))["session"]["userAgent"] == "seen"


@requirement("ARCH-secondary", "ARCH-extends")
async def test_columns_of_plugins_and_the_app_come_along() -> None:
    storage = MemorySecondaryStorage()
    auth = make(secondary_storage=storage)
    browser = await signed_up(auth, nickname="An", username="ann_1")
    found = await auth.api.get_session(browser.headers)
    assert isinstance(found, SessionData)
    assert (found.user.nickname, found.user.two_factor_enabled) == ("An", False)


@requirement("ARCH-secondary")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_sessions_live_in_redis() -> None:
    async with redis_storage() as (storage, client, prefix):
        auth = plain(secondary_storage=storage)
        one = await signed_up(auth)
        shown = await told(one)
        token, user_id = shown["session"]["token"], shown["user"]["id"]
        assert json.loads(await client.get(prefix + token)) == shown
        assert 0 <= WEEK - await client.ttl(prefix + token) < 10
        another = plain(secondary_storage=storage, database=auth.store)
        assert await another.api.get_session(one.headers) is not None
        assert await status_of(one, "/sign-out") == 200
        assert await another.api.get_session(one.headers) is None
        assert [key async for key in client.scan_iter(f"{prefix}*{user_id}*")] == []


@requirement("ARCH-secondary")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_nobody_is_let_in_or_told_that_a_session_ended_while_redis_is_gone() -> None:
    absent = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    async with redis_storage() as (storage, _, prefix), absent as gone:
        auth = plain(secondary_storage=storage)
        browser = await signed_up(auth)
        cut_off = plain(secondary_storage=RedisStorage(gone, prefix), database=auth.store)
        for path in ("/get-session", "/list-sessions"):
            assert (await Browser(cut_off, "http://localhost:3000").get(path)).status in {200, 401}
        lost = Browser(cut_off, "http://localhost:3000")
        lost.cookies.update(browser.cookies)
        assert [(await lost.get(path)).status for path in ("/get-session", "/list-sessions")] == [503, 503]
        assert [await status_of(lost, path) for path in ("/sign-out", "/revoke-sessions")] == [503, 503]
        assert await status_of(lost, "/sign-in/email", PASSWORD) == 503
        new = {**PASSWORD, "email": "bob@example.com", "name": "Bob"}
        assert await status_of(lost, "/sign-up/email", new) == 503
        assert await auth.store.count(auth.tables["user"]) == 1
        assert await told(browser) is not None
