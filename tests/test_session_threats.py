"""Sessions under attack: fixation, replay after the end, and cookies that somebody tossed in."""

from typing import Annotated, Any

import pytest

from app import BASICS, ORIGIN, content, make, plain, set_cookies, signed_up
from portico import Auth, Column, CookieCacheOptions, Headers, Request, SessionOptions
from portico.plugins.bearer import Bearer
from portico.testing import Browser, Clock
from postbox import Postbox
from requirements import requirement
from store.redis_server import redis_storage

pytestmark = pytest.mark.anyio

TOKEN, COPY = "better-auth.session_token", "better-auth.session_data"
PASSWORD = {"email": "ann@example.com", "password": "password123"}
CACHED = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True))
CHECKED = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True, instant_revocation=True))


async def asked(auth: Auth[Any], cookie: str, **headers: str) -> Any:
    """Return what get-session says to a Cookie header."""
    sent = Headers([("cookie", cookie), *headers.items()])
    response = await auth.handler(Request(method="GET", path="/api/auth/get-session", headers=sent))
    assert response.status == 200
    return content(response)


def cookie_of(browser: Browser) -> str:
    return browser.headers.get("cookie") or ""


@requirement("S01")
@pytest.mark.parametrize("chosen", ["chosen", "chosen.c2lnbmF0dXJl", "theirs"])
async def test_signing_in_never_takes_the_token_that_a_browser_brought(chosen: str) -> None:
    auth = make(Clock(), session=CACHED)
    other = await signed_up(auth, "bob@example.com")
    old = dict(other.cookies)
    await other.post("/sign-out")
    await signed_up(auth)
    planted = old if chosen == "theirs" else {TOKEN: chosen}
    browser = Browser(auth, ORIGIN, dict(planted))
    assert (await browser.post("/sign-in/email", PASSWORD)).status == 200
    assert browser.cookies[TOKEN] != planted[TOKEN]
    assert (await asked(auth, cookie_of(browser)))["user"]["email"] == "ann@example.com"
    assert await asked(auth, f"{TOKEN}={planted[TOKEN]}") is None


@requirement("S02")
async def test_no_two_sessions_share_a_token_or_its_beginning() -> None:
    auth = make(Clock())
    await signed_up(auth)
    ctx = auth.context(None)
    (user,) = await auth.users.find_many(ctx)
    tokens = {(await auth.sessions.start(ctx, user, remember=True, address="", agent="")).token for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {32}
    assert len({token[:8] for token in tokens}) == 1000


@requirement("S03")
@pytest.mark.parametrize("session", [SessionOptions(), CACHED, CHECKED], ids=["plain", "cached", "checked"])
async def test_nothing_that_was_sent_before_signing_out_works_after_it(session: SessionOptions) -> None:
    clock = Clock()
    auth = plain(Bearer(), clock=clock, session=session)
    browser = await signed_up(auth)
    everything, token = cookie_of(browser), browser.cookies[TOKEN]
    await browser.post("/sign-out")
    assert await asked(auth, f"{TOKEN}={token}") is None
    assert await asked(auth, "", authorization=f"Bearer {token}") is None
    if session is CACHED:
        assert (await asked(auth, everything))["user"]["name"] == "Ann"
        clock.advance(300)
    assert await asked(auth, everything) is None


@requirement("S-166", "S08")
async def test_a_session_that_is_not_fresh_is_valid_and_one_that_is_over_is_not_fresh() -> None:
    clock = Clock()
    auth = make(clock, session=CACHED)
    browser = await signed_up(auth)
    clock.advance(24 * 3600)
    stale = await browser.get("/list-sessions")
    assert (stale.status, content(stale)["code"]) == (403, "SESSION_NOT_FRESH")
    assert (await browser.post("/update-user", {"name": "New"})).status == 200
    await auth.sessions.delete(auth.context(None), token=content(await browser.get("/get-session"))["session"]["token"])
    over = await browser.get("/list-sessions")
    assert (over.status, content(over)["code"]) == (401, "UNAUTHORIZED")


@requirement("S04")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_deleting_a_user_ends_every_session_in_redis() -> None:
    clock, postbox = Clock(), Postbox()
    async with redis_storage() as (storage, client, prefix):
        auth = make(clock, **postbox.options(), secondary_storage=storage, session=CHECKED)
        browser = await signed_up(auth)
        other = Browser(auth, ORIGIN)
        await other.post("/sign-in/email", PASSWORD)
        await browser.post("/delete-user")
        assert (await browser.post("/delete-user", {"token": postbox.last.token})).status == 200
        assert await asked(auth, cookie_of(other)) is None
        left = [key.decode().removeprefix(prefix).rpartition("-")[0] async for key in client.scan_iter(f"{prefix}*")]
        assert left == ["revoked-sessions-before"]


@requirement("S07")
@pytest.mark.parametrize("strategy", ["compact", "jwt", "jwe"])
@pytest.mark.parametrize("gone", ["0", "1", "3"])
async def test_a_copy_with_a_piece_missing_is_read_from_the_store_and_sent_again(strategy: Any, gone: str) -> None:
    cache = CookieCacheOptions(enabled=True, strategy=strategy)
    auth = make(Clock(), session=SessionOptions(cookie_cache=cache))
    browser = await signed_up(auth, image="x" * 12_000)
    del browser.cookies[f"{COPY}.{gone}"]
    whole = await browser.get("/get-session")
    assert content(whole)["user"]["image"] == "x" * 12_000
    assert COPY in "".join(set_cookies(whole))
    assert set_cookies(await browser.get("/get-session")) == []


@requirement("S07")
@pytest.mark.parametrize(
    "junk",
    [
        f"{COPY}={'x' * 16_384}",
        f"{COPY}.0={'x' * 8192}; {COPY}.1={'y' * 8192}",
        f"{COPY}.99=x; {COPY}.100=y; {COPY}.-1=z",
        "; ".join(f"junk{number}={'x' * 300}" for number in range(50)),
        f"{COPY}=; {COPY}.0=",
        f"__Secure-{TOKEN}=x; __Secure-{COPY}=y; __Host-{TOKEN}=z",
    ],
    ids=["16 KB", "16 KB in pieces", "strange numbers", "fifty", "empty", "other prefixes"],
)
async def test_cookies_that_were_tossed_in_change_nothing(junk: str) -> None:
    auth = make(Clock(), session=CACHED)
    browser = await signed_up(auth)
    token = f"{TOKEN}={browser.cookies[TOKEN]}"
    for cookie in (f"{junk}; {token}", f"{token}; {junk}"):
        assert (await asked(auth, cookie))["user"]["name"] == "Ann"
    assert await asked(auth, junk) is None


@requirement("S07")
async def test_on_a_secure_site_the_plain_names_are_nobodys() -> None:
    auth = make(Clock(), session=CACHED, base_url="https://example.com")
    ann = Browser(auth, "https://example.com")
    body = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    assert (await ann.post("/sign-up/email", body)).status == 200
    bob = await signed_up(make(Clock(), session=CACHED, database=auth.store), "bob@example.com")
    assert (await asked(auth, f"{cookie_of(bob)}; {cookie_of(ann)}"))["user"]["name"] == "Ann"
    assert await asked(auth, cookie_of(bob)) is None


@requirement("S-162")
async def test_a_copy_has_no_column_that_replies_leave_out() -> None:
    fields = {
        "user": {"secret_note": Annotated[str | None, Column(input=True, returned=False)]},
        "session": {"theme": Annotated[str | None, Column(input=True)]},
    }
    auth = Auth(**BASICS, clock=Clock(), session=CACHED, additional_fields=fields)
    browser = await signed_up(auth, secretNote="hidden")
    await browser.post("/update-session", {"theme": "dark"})
    assert auth.session_cache is not None
    cached = auth.session_cache.decode(browser.cookies[COPY], int(Clock().now.timestamp() * 1000))
    assert cached is not None
    assert "secretNote" not in cached.user
    assert cached.session["theme"] == "dark"
    assert (await asked(auth, cookie_of(browser)))["session"]["theme"] == "dark"
    (row,) = await auth.store.find_many(auth.tables["user"])
    assert row["secret_note"] == "hidden"


@requirement("S06")
@pytest.mark.parametrize(
    ("base_url", "attributes"),
    [
        ("http://localhost:3000", "Path=/; HttpOnly; SameSite=Lax"),
        ("https://example.com", "Path=/; HttpOnly; Secure; SameSite=Lax"),
    ],
)
async def test_every_cookie_of_a_session_has_the_same_attributes(base_url: str, attributes: str) -> None:
    auth = make(Clock(), session=CACHED, base_url=base_url)
    browser = Browser(auth, base_url)
    body = {"name": "Ann", "email": "ann@example.com", "password": "password123", "rememberMe": False}
    lines = set_cookies(await browser.post("/sign-up/email", body))
    assert [line.split("; ", 1)[1] for line in lines] == [attributes] * 3
    assert all(line.startswith("__Secure-") is ("https" in base_url) for line in lines)
