"""The cookie copy of a session: who reads it, who does not, and what is believed."""

from typing import Any, Literal

import pytest

from app import ORIGIN, content, make, plain, set_cookies, signed_up
from portico import Auth, Context, CookieCacheOptions, SessionOptions, after
from portico.endpoints.session import RevokeSession
from portico.messages import SessionData
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

Strategy = Literal["compact", "jwt", "jwe"]
STRATEGIES: list[Strategy] = ["compact", "jwt", "jwe"]
DATA = "better-auth.session_data"
CREDENTIALS = {"email": "ann@example.com", "password": "password123"}


def cached(clock: Clock, strategy: Strategy = "compact", **options: Any) -> Auth[Any]:
    cache = CookieCacheOptions(enabled=True, strategy=strategy, **options)
    return make(clock, session=SessionOptions(cookie_cache=cache))


async def revoked(auth: Auth[Any], browser: Browser) -> None:
    """End the browser's session behind its back."""
    session = await auth.api.get_session(browser.headers)
    assert session is not None
    await auth.api.revoke_session(browser.headers, RevokeSession(token=session.session.token))
    assert await auth.sessions.find_many(auth.context(None)) == []


@requirement("B-38", "S-161", "S-165")
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_copy_is_believed_until_it_is_too_old(strategy: Strategy) -> None:
    clock = Clock()
    auth = cached(clock, strategy)
    browser = await signed_up(auth, nickname="n")
    before = content(await browser.get("/get-session"))
    await revoked(auth, browser)
    clock.advance(299)
    after = await browser.get("/get-session")
    assert (content(after), set_cookies(after)) == (before, [])
    clock.advance(1 if strategy == "compact" else 17)
    assert (await browser.get("/get-session")).body == b"null"
    assert browser.cookies == {}


@requirement("B-38")
async def test_a_cached_reply_has_the_columns_in_upstreams_other_order() -> None:
    browser = await signed_up(cached(Clock()), nickname="n", username="Ann")
    reply = content(await browser.get("/get-session"))
    assert list(reply["session"]) == [
        "id",
        "createdAt",
        "updatedAt",
        "userId",
        "expiresAt",
        "token",
        "ipAddress",
        "userAgent",
    ]
    assert list(reply["user"]) == [
        "id",
        "createdAt",
        "updatedAt",
        "email",
        "emailVerified",
        "name",
        "image",
        "twoFactorEnabled",
        "username",
        "displayUsername",
        "nickname",
    ]


@requirement("B-38")
async def test_a_server_call_gets_dates_from_a_copy() -> None:
    clock = Clock()
    auth = cached(clock)
    browser = await signed_up(auth)
    session = await auth.api.get_session(browser.headers)
    assert session is not None
    assert (session.user.created_at, session.session.expires_at > clock()) == (
        clock().replace(microsecond=678000),
        True,
    )


@requirement("B-38", "S-165")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/update-user", {"name": "X"}),
        ("/change-password", {"currentPassword": "password123", "newPassword": "password456"}),
        ("/revoke-session", {"token": "t"}),
        ("/revoke-sessions", {}),
        ("/revoke-other-sessions", {}),
        ("/two-factor/enable", {"password": "password123"}),
    ],
)
async def test_what_matters_reads_the_store(path: str, body: dict[str, str]) -> None:
    auth = cached(Clock())
    browser = await signed_up(auth)
    await revoked(auth, browser)
    assert (await browser.get("/get-session")).body != b"null"
    refused = await browser.post(path, body)
    assert (refused.status, content(refused)["code"]) == (401, "UNAUTHORIZED")
    user = await auth.users.find_by_email(auth.context(None), "ann@example.com")
    assert user is not None
    assert user.name == "Ann"


@requirement("B-38", "S08")
async def test_the_list_of_sessions_reads_the_store() -> None:
    auth = cached(Clock())
    browser = await signed_up(auth)
    await revoked(auth, browser)
    assert (await browser.get("/list-sessions")).status == 401


@requirement("B-38")
@pytest.mark.parametrize(
    ("query", "is_read"),
    [
        ("disableCookieCache=true", True),
        ("disableCookieCache=false", True),
        ("disableCookieCache=abc", True),
        ("disableCookieCache=", False),
        ("", False),
    ],
)
async def test_a_caller_may_ask_for_the_store(query: str, is_read: bool) -> None:
    auth = cached(Clock())
    browser = await signed_up(auth)
    response = await browser.get("/get-session", query)
    rewritten = [line.partition("=")[0] for line in set_cookies(response)]
    assert rewritten == ([DATA] if is_read else [])
    await revoked(auth, browser)
    assert ((await browser.get("/get-session", query)).body == b"null") is is_read


@requirement("B-38", "S07")
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_copy_that_was_tampered_with_is_replaced_from_the_store(strategy: Strategy) -> None:
    browser = await signed_up(cached(Clock(), strategy))
    genuine = browser.cookies[DATA]
    for forged in (genuine[:-8] + "AAAAAAAA", genuine[8:], "", "x", "e30", "%ff"):
        browser.cookies[DATA] = forged
        response = await browser.get("/get-session")
        assert content(response)["user"]["email"] == "ann@example.com", forged
        assert browser.cookies[DATA] not in {forged, ""}, forged


@requirement("B-38", "S07")
async def test_a_copy_of_another_session_is_not_believed() -> None:
    auth = cached(Clock())
    ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    ann.cookies[DATA] = bob.cookies[DATA]
    assert content(await ann.get("/get-session"))["user"]["email"] == "ann@example.com"


@requirement("S-159", "S-162")
async def test_a_copy_of_another_version_is_not_believed() -> None:
    clock = Clock()
    auth = cached(clock)
    browser = await signed_up(auth)
    newer = cached(clock, version="2", max_age=60)
    newer.store = auth.store
    assert (await Browser(newer, ORIGIN, dict(browser.cookies)).get("/get-session")).body != b"null"
    await revoked(auth, browser)
    assert (await browser.get("/get-session")).body != b"null"
    assert (await Browser(newer, ORIGIN, dict(browser.cookies)).get("/get-session")).body == b"null"


@requirement("B-38", "B-27")
async def test_a_copy_for_the_browser_session_has_no_max_age() -> None:
    browser = await signed_up(cached(Clock()))
    lines = set_cookies(await browser.post("/sign-in/email", {**CREDENTIALS, "rememberMe": False}))
    assert [line.partition("=")[0].removeprefix("better-auth.") for line in lines] == [
        "session_token",
        "dont_remember",
        "session_data",
    ]
    assert not any("Max-Age" in line for line in lines)


@requirement("B-38", "S-162")
async def test_a_copy_goes_from_the_browser_when_it_goes_stale() -> None:
    browser = await signed_up(cached(Clock()))
    lines = set_cookies(await browser.post("/sign-in/email", CREDENTIALS))
    attributes = {line.partition("=")[0]: line.partition("; ")[2] for line in lines}
    assert attributes == {
        "better-auth.session_token": "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax",
        "better-auth.session_data": "Max-Age=300; Path=/; HttpOnly; SameSite=Lax",
    }


@requirement("S03", "B-61")
async def test_signing_out_expires_the_copy_as_often_as_upstream_does() -> None:
    browser = await signed_up(cached(Clock()))
    lines = set_cookies(await browser.post("/sign-out"))
    attributes = "=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    assert lines == [
        f"better-auth.{name}{attributes}" for name in ("session_token", "session_data", "session_data", "dont_remember")
    ]


@requirement("B-38", "S-266")
async def test_a_changed_user_is_in_the_copy_at_once() -> None:
    browser = await signed_up(cached(Clock()))
    await browser.post("/update-user", {"name": "Anna"})
    assert content(await browser.get("/get-session"))["user"]["name"] == "Anna"


@requirement("S-164")
async def test_what_a_hook_adds_to_a_session_is_never_served_from_the_copy() -> None:
    calls: list[str] = []

    @after("/get-session")
    async def number(ctx: Context, outcome: Any) -> Any:
        calls.append(ctx.headers.get("cookie") or "")
        return SessionData(
            session=outcome.session, user=outcome.user.model_copy(update={"nickname": f"call {len(calls)}"})
        )

    cache = CookieCacheOptions(enabled=True)
    browser = await signed_up(make(Clock(), session=SessionOptions(cookie_cache=cache), hooks=[number]))
    seen = [content(await browser.get("/get-session"))["user"]["nickname"] for _ in range(3)]
    assert seen == ["call 1", "call 2", "call 3"]
    assert [DATA in cookies for cookies in calls] == [True] * 3


@requirement("B-38")
async def test_a_large_copy_comes_and_goes_in_chunks() -> None:
    browser = await signed_up(cached(Clock()), image="x" * 9000)
    assert sorted(browser.cookies) == [f"{DATA}.{number}" for number in range(4)] + ["better-auth.session_token"]
    assert set_cookies(await browser.get("/get-session")) == []
    await browser.post("/update-user", {"image": None})
    assert sorted(browser.cookies) == [DATA, "better-auth.session_token"]


@requirement("B-38")
async def test_without_the_option_no_copy_is_sent_or_read() -> None:
    clock = Clock()
    browser = await signed_up(cached(clock))
    without = plain(clock=clock)
    assert (await Browser(without, ORIGIN, dict(browser.cookies)).get("/get-session")).body == b"null"
    assert list((await signed_up(without)).cookies) == ["better-auth.session_token"]
