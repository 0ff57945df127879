"""Options about when a session is prolonged."""

from typing import Any

import pytest

from app import ORIGIN, content, make, set_cookies, signed_up
from portico import Auth, CookieCacheOptions, Request, SessionOptions
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

DAY = 24 * 3600
DEFERRED = SessionOptions(defer_session_refresh=True)


async def expires_at(auth: Auth[Any]) -> list[str]:
    return [each.to_wire()["expiresAt"] for each in await auth.sessions.find_many(auth.context(None))]


@requirement("B-34")
async def test_a_deferred_get_says_that_it_is_time_and_a_post_prolongs() -> None:
    clock = Clock()
    auth = make(clock, session=DEFERRED)
    browser = await signed_up(auth)
    young = content(await browser.get("/get-session"))
    assert (list(young), young["needsRefresh"]) == (["session", "user", "needsRefresh"], False)
    clock.advance(DAY)
    due = await browser.get("/get-session")
    assert (content(due), set_cookies(due)) == ({**young, "needsRefresh": True}, [])
    assert await expires_at(auth) == ["2030-01-09T03:04:05.678Z"]
    posted = await browser.post("/get-session")
    assert list(content(posted)) == ["session", "user"]
    assert content(posted)["session"]["expiresAt"] == "2030-01-10T03:04:05.678Z"
    assert len(set_cookies(posted)) == 1
    assert await expires_at(auth) == ["2030-01-10T03:04:05.678Z"]
    assert content(await browser.get("/get-session"))["needsRefresh"] is False


@requirement("B-34")
async def test_no_other_endpoint_prolongs_a_deferred_session() -> None:
    clock = Clock()
    auth = make(clock, session=SessionOptions(defer_session_refresh=True, fresh_age=0))
    browser = await signed_up(auth)
    clock.advance(DAY)
    response = await browser.get("/list-sessions")
    assert (response.status, set_cookies(response)) == (200, [])
    assert await expires_at(auth) == ["2030-01-09T03:04:05.678Z"]


@requirement("B-34", "B-27")
async def test_what_is_never_prolonged_is_not_said_to_need_it() -> None:
    clock = Clock()
    auth = make(clock, session=SessionOptions(defer_session_refresh=True, update_age=0))
    browser = await signed_up(auth)
    assert content(await browser.get("/get-session"))["needsRefresh"] is True
    assert "needsRefresh" not in content(await browser.get("/get-session", "disableRefresh=true"))
    await browser.post("/sign-in/email", {"email": "ann@example.com", "password": "password123", "rememberMe": False})
    assert "needsRefresh" not in content(await browser.get("/get-session"))
    posted = await browser.post("/get-session")
    assert content(posted)["session"]["expiresAt"] == "2030-01-03T03:04:05.678Z"


@requirement("B-34", "B-32")
async def test_an_expired_session_is_deleted_by_a_post_only() -> None:
    clock = Clock()
    auth = make(clock, session=DEFERRED)
    browser = await signed_up(auth)
    cookies = dict(browser.cookies)
    clock.advance(7 * DAY)
    assert (await browser.get("/get-session")).body == b"null"
    assert (browser.cookies, len(await expires_at(auth))) == ({}, 1)
    browser.cookies.update(cookies)
    assert (await browser.post("/get-session")).body == b"null"
    assert (browser.cookies, await expires_at(auth)) == ({}, [])


@requirement("B-34")
async def test_a_post_is_refused_where_nothing_is_deferred() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    clock.advance(DAY)
    refused = await browser.post("/get-session")
    assert (refused.status, content(refused)) == (
        405,
        {
            "message": "POST method requires deferSessionRefresh to be enabled in session config",
            "code": "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED",
        },
    )
    assert await expires_at(auth) == ["2030-01-09T03:04:05.678Z"]


@requirement("B-34", "S-130")
async def test_server_code_that_serves_a_post_reads_the_session_as_ever() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    request = Request(method="POST", path="/orders", headers=browser.headers)
    assert await auth.api.get_session(request) is not None
    deferring = make(clock, session=DEFERRED, database=auth.store)
    clock.advance(DAY)
    found = await deferring.api.get_session(request)
    assert found is not None
    assert found.needs_refresh is True
    assert await expires_at(deferring) == ["2030-01-09T03:04:05.678Z"]


@requirement("B-34", "B-38")
async def test_a_deferred_copy_is_written_by_a_get() -> None:
    clock = Clock()
    auth = make(
        clock, session=SessionOptions(defer_session_refresh=True, cookie_cache=CookieCacheOptions(enabled=True))
    )
    browser = await signed_up(auth)
    clock.advance(DAY)
    due = await browser.get("/get-session")
    assert content(due)["needsRefresh"] is True
    assert [line.partition("=")[0] for line in set_cookies(due)][-1] == "better-auth.session_data"
    assert "needsRefresh" not in content(await browser.get("/get-session"))


@requirement("B-33", "S-163")
@pytest.mark.parametrize("deferred", [False, True])
async def test_no_session_is_prolonged_where_that_is_off(deferred: bool) -> None:
    clock = Clock()
    options = SessionOptions(disable_session_refresh=True, defer_session_refresh=deferred)
    auth = make(clock, session=options)
    browser = await signed_up(auth)
    clock.advance(6 * DAY)
    response = await browser.get("/get-session")
    assert (content(response).get("needsRefresh"), set_cookies(response)) == (False if deferred else None, [])
    if deferred:
        await browser.post("/get-session")
    assert await expires_at(auth) == ["2030-01-09T03:04:05.678Z"]
    clock.advance(DAY)
    assert (await browser.get("/get-session")).body == b"null"


@requirement("S-162", "S-159")
async def test_a_function_tells_versions_of_copies_apart() -> None:
    clock, versions = Clock(), {"Ann": "1", "Bob": "1"}

    def version(session: Any, user: Any) -> str:
        assert session.user_id == user.id
        assert session.expires_at > clock()
        return versions[user.name]

    auth = make(clock, session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True, version=version)))
    ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com", name="Bob")
    await auth.sessions.delete(auth.context(None))
    assert (await ann.get("/get-session")).body != b"null"
    versions["Bob"] = "2"
    assert (await ann.get("/get-session")).body != b"null"
    assert (await bob.get("/get-session")).body == b"null"


def renewing(clock: Clock, refresh_cache: bool | int, **options: Any) -> Auth[Any]:
    cache = CookieCacheOptions(enabled=True, max_age=300, refresh_cache=refresh_cache)
    return make(clock, session=SessionOptions(cookie_cache=cache), **options)


@requirement("S-162")
@pytest.mark.parametrize(("refresh_cache", "early", "late"), [(True, 240, 241), (100, 200, 201)])
async def test_without_a_database_a_copy_is_renewed_before_it_goes_stale(
    refresh_cache: bool | int, early: int, late: int
) -> None:
    clock = Clock()
    browser = await signed_up(renewing(clock, refresh_cache))
    before = content(await browser.get("/get-session"))
    # As after a restart: no row is left.
    await browser.auth.sessions.delete(browser.auth.context(None))
    clock.advance(early)
    assert set_cookies(await browser.get("/get-session")) == []
    clock.advance(late - early)
    assert set_cookies(await browser.get("/get-session", "disableRefresh=true")) == []
    renewed = await browser.get("/get-session")
    assert content(renewed) == before
    assert [line.partition("=")[0] for line in set_cookies(renewed)] == [
        "better-auth.session_data",
        "better-auth.session_token",
    ]
    clock.advance(299)
    assert content(await browser.get("/get-session")) == before
    clock.advance(7 * DAY)
    assert (await browser.get("/get-session")).body == b"null"


@requirement("S-162", "B-27")
async def test_a_renewed_copy_is_not_remembered_if_its_session_is_not() -> None:
    clock = Clock()
    auth = renewing(clock, 300)
    await signed_up(auth)
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-in/email", {"email": "ann@example.com", "password": "password123", "rememberMe": False})
    clock.advance(30)
    lines = set_cookies(await browser.get("/get-session"))
    assert [(line.partition("=")[0], "Max-Age" in line) for line in lines] == [
        ("better-auth.session_data", False),
        ("better-auth.session_token", False),
    ]


@requirement("S-162", "S-165")
async def test_with_a_database_no_copy_renews_itself(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    auth = renewing(clock, True, database=f"sqlite:///{tmp_path}/auth.db")
    assert [record.getMessage() for record in caplog.records] == [
        "session.cookie_cache.refresh_cache is ignored: with a database, a copy that renews itself would outlive the "
        "revocation of its session"
    ]
    await auth.create_schema()
    browser = await signed_up(auth)
    await auth.sessions.delete(auth.context(None))
    clock.advance(299)
    assert set_cookies(await browser.get("/get-session")) == []
    clock.advance(1)
    assert (await browser.get("/get-session")).body == b"null"
    await auth.close()
