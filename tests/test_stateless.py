"""Sessions without a database: what two processes with one secret know of them, and what ends them."""

from typing import Any

import pytest

from app import ORIGIN, content, make, set_cookies, signed_up
from portico import Auth, Context, CookieCacheOptions, MemorySecondaryStorage, MemoryStore, SessionOptions
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("S-159")]

DAY = 24 * 3600
COPY, TOKEN = "better-auth.session_data", "better-auth.session_token"


def stateless(clock: Clock | None = None, session: SessionOptions | None = None, **options: Any) -> Auth[Any]:
    return make(clock, database=None, session=session or SessionOptions(), **options)


async def elsewhere(browser: Browser, clock: Clock, **options: Any) -> Browser:
    """Return the browser's cookies at another process, which has the secret and knows nobody."""
    return Browser(stateless(clock, **options), ORIGIN, dict(browser.cookies))


async def told(browser: Browser) -> Any:
    return content(await browser.get("/get-session"))


async def test_another_process_knows_who_is_signed_in() -> None:
    clock = Clock()
    browser = await signed_up(stateless(clock))
    there = await elsewhere(browser, clock)
    clock.advance(6 * DAY)
    assert (await told(there))["user"]["email"] == "ann@example.com"
    assert await told(there) == await told(browser)


async def test_nobody_reads_the_cookie() -> None:
    browser = await signed_up(stateless(Clock()))
    assert browser.cookies[COPY].count(".") == 4
    assert browser.cookies[COPY].startswith("eyJ")


async def test_a_session_ends_when_its_time_is_over() -> None:
    clock = Clock()
    browser = await signed_up(stateless(clock))
    clock.advance(7 * DAY)
    assert await told(browser) is None
    assert browser.cookies == {}


async def test_sign_out_takes_the_cookies_away() -> None:
    clock = Clock()
    browser = await signed_up(stateless(clock))
    there = await elsewhere(browser, clock)
    assert (await there.post("/sign-out")).status == 200
    assert there.cookies == {}
    assert await told(there) is None


async def test_a_new_version_ends_every_session() -> None:
    clock = Clock()
    browser = await signed_up(stateless(clock))
    bumped = SessionOptions(cookie_cache=CookieCacheOptions(version="2"))
    there = await elsewhere(browser, clock, session=bumped)
    assert await told(there) is None
    assert there.cookies == {}
    assert (await there.post("/update-user", {"name": "New"})).status == 401


async def test_a_short_copy_is_written_anew_in_its_last_fifth_by_whoever_reads_it() -> None:
    clock, short = Clock(), SessionOptions(cookie_cache=CookieCacheOptions(max_age=1000))
    browser = await signed_up(stateless(clock, short))
    there = await elsewhere(browser, clock, session=short)
    clock.advance(799)
    assert set_cookies(await there.get("/get-session")) == []
    clock.advance(2)
    renewed = set_cookies(await there.get("/get-session"))
    assert [line.partition("=")[0] for line in renewed] == [COPY, TOKEN]
    clock.advance(998)
    assert (await told(there))["user"]["email"] == "ann@example.com"
    assert await told(Browser(stateless(clock, short), ORIGIN, dict(browser.cookies))) is None


async def test_what_is_changed_elsewhere_is_changed_in_the_cookie() -> None:
    clock = Clock()
    browser = await signed_up(stateless(clock))
    there = await elsewhere(browser, clock)
    assert (await there.post("/update-user", {"name": "New", "nickname": "N"})).status == 200
    shown = (await told(there))["user"]
    assert (shown["name"], shown["nickname"], shown["email"]) == ("New", "N", "ann@example.com")


@pytest.mark.parametrize("path", ["/change-password", "/revoke-session", "/revoke-sessions", "/list-accounts"])
async def test_sensitive_endpoints_believe_the_cookie_too(path: str) -> None:
    clock = Clock()
    there = await elsewhere(await signed_up(stateless(clock)), clock)
    bodies = {
        "/change-password": {"currentPassword": "password123", "newPassword": "password456"},
        "/revoke-session": {"token": "x"},
    }
    response = await (there.get(path) if path == "/list-accounts" else there.post(path, bodies.get(path, {})))
    assert response.status != 401


async def test_who_asks_for_the_store_is_told_what_it_knows() -> None:
    clock = Clock()
    browser = await signed_up(stateless(clock))
    there = await elsewhere(browser, clock)
    assert content(await browser.get("/get-session", "disableCookieCache=true"))["user"]["name"] == "Ann"
    assert content(await there.get("/get-session", "disableCookieCache=true")) is None
    assert there.cookies == {}


async def test_a_retired_secret_still_opens_and_a_foreign_one_does_not() -> None:
    clock = Clock()
    browser = await signed_up(stateless(clock))
    rotated = await elsewhere(browser, clock, secrets=[(2, "n" * 40)])
    assert (await told(rotated))["user"]["name"] == "Ann"
    assert await told(await elsewhere(browser, clock, secret="f" * 40)) is None


@pytest.mark.parametrize(
    ("options", "is_stateless"),
    [
        ({}, False),
        ({"database": MemoryStore()}, False),
        ({"database": None}, True),
        ({"database": None, "secondary_storage": MemorySecondaryStorage()}, False),
        ({"database": None, "session": SessionOptions(storage=MemorySecondaryStorage())}, False),
    ],
    ids=["default", "memory", "none", "secondary storage", "session storage"],
)
async def test_sessions_are_stateless_where_nothing_keeps_them(options: Any, is_stateless: bool) -> None:
    auth = make(**options)
    assert (auth.is_stateless, auth.session_cache is not None) == (is_stateless, is_stateless)
    defaults = (auth.copies.strategy, auth.copies.max_age, auth.copies.renewal)
    assert defaults == (("jwe", 7 * DAY, 7 * DAY // 5) if is_stateless else ("compact", 300, 0))


async def test_options_that_are_given_win() -> None:
    given = CookieCacheOptions(strategy="jwt", max_age=60, refresh_cache=False)
    auth = stateless(session=SessionOptions(cookie_cache=given))
    assert (auth.copies.enabled, auth.copies.strategy, auth.copies.max_age, auth.copies.renewal) == (True, "jwt", 60, 0)
    off = stateless(session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=False)))
    browser = await signed_up(off)
    assert list(browser.cookies) == [TOKEN]
    assert (await told(browser))["user"]["name"] == "Ann"


@requirement("S-158")
async def test_a_storage_of_sessions_has_sessions_and_nothing_else() -> None:
    clock = Clock()
    storage = MemorySecondaryStorage(clock)
    auth = make(clock, session=SessionOptions(storage=storage))
    ctx: Context = auth.context(None)
    browser = await signed_up(auth)
    await auth.verifications.put(ctx, "reset-password:x", "y", 60)
    token = (await told(browser))["session"]["token"]
    user_id = (await told(browser))["user"]["id"]
    assert sorted(storage.list_keys()) == sorted([token, f"active-sessions-{user_id}"])
    assert [table.name for table in auth.database_tables if table.name in {"session", "verification"}] == [
        "verification"
    ]
    assert (await browser.post("/sign-out")).status == 200
    assert storage.list_keys() == []
