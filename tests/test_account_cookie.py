from typing import Any

import pytest

from app import content, make, plain, set_cookies, signed_up
from endpoints.test_account import linked
from oauth_server import oauth_server
from portico import AccountOptions, Auth, CookieCacheOptions, GenericOAuth, SessionOptions
from portico.crypto.jwe import Envelope
from portico.models import Account
from portico.testing import Browser, Clock
from requirements import requirement
from upstream import COOKIES

pytestmark = [pytest.mark.anyio, requirement("B-71", "S-024")]

NAME = "better-auth.account_data"
STORED = AccountOptions(store_account_cookie=True)
CACHED = SessionOptions(cookie_cache=CookieCacheOptions(enabled=True))
UNKNOWN = {"message": "Account not found", "code": "ACCOUNT_NOT_FOUND"}


def now(auth: Auth[Any]) -> int:
    return int(auth.clock().timestamp())


async def holding(auth: Auth[Any], *, as_row: bool = True) -> tuple[Browser, Account]:
    """Return a browser whose account cookie holds an account, which perhaps is no row."""
    browser = await signed_up(auth)
    values = {"access_token": "access", "refresh_token": "refresh", "scope": "openid"}
    account = await linked(auth, browser, "acme", "42", access_token_expires_at=auth.context(None).now(), **values)
    if not as_row:
        await auth.accounts.delete(auth.context(None), id=account.id)
    put(auth, browser, account)
    return browser, account


def put(auth: Auth[Any], browser: Browser, account: Account) -> None:
    assert auth.account_cookie is not None
    for _, line in auth.account_cookie.write(account, browser.headers, now(auth)):
        name, _, value = line.partition(";")[0].partition("=")
        browser.cookies[name] = value


@pytest.mark.parametrize("as_row", [True, False])
async def test_the_account_in_the_cookie_is_used_and_kept_up_to_date(as_row: bool) -> None:
    with oauth_server() as server:
        acme = GenericOAuth(id="acme", client_id="client", token_url=f"{server.url}/token")
        auth = make(Clock(), account=STORED, social_providers=[acme])
        browser, account = await holding(auth, as_row=as_row)
        response = await browser.post("/get-access-token", {"useAccountCookie": True})
        assert content(response)["accessToken"] == "access for refresh"
        assert [line.partition("=")[0] for line in set_cookies(response)] == [NAME]
        assert auth.account_cookie is not None
        kept = auth.account_cookie.read(browser.headers, now(auth))
        assert kept is not None
        assert (kept.id, kept.refresh_token, kept.created_at) == (account.id, "refresh+", account.created_at)
        again = await browser.post("/get-access-token", {"useAccountCookie": True})
        assert (content(again), set_cookies(again)) == (content(response), [])
        refreshed = await browser.post("/refresh-token", {"useAccountCookie": True})
        assert content(refreshed)["refreshToken"] == "refresh++"
        assert await auth.store.count(auth.tables["account"]) == (2 if as_row else 1)


async def test_a_cookie_of_another_user_or_too_old_is_nobodys() -> None:
    clock = Clock()
    auth = make(clock, account=STORED)
    ann, account = await holding(auth)
    bob = await signed_up(auth, "bob@example.com")
    put(auth, bob, account)
    response = await bob.post("/get-access-token", {"useAccountCookie": True})
    assert (response.status, content(response)) == (400, UNKNOWN)
    clock.advance(300 + 16)
    late = await ann.post("/get-access-token", {"useAccountCookie": True})
    assert (late.status, content(late)) == (400, UNKNOWN)
    ann.cookies[NAME] = "x"
    assert content(await ann.post("/get-access-token", {"useAccountCookie": True})) == UNKNOWN


async def test_the_cookie_goes_with_the_session() -> None:
    auth = make(Clock(), account=STORED)
    browser, _ = await holding(auth)
    names = [line.partition(";")[0] for line in set_cookies(await browser.post("/sign-out"))]
    # Upstream expires a cookie that came whole twice.
    assert names == [
        "better-auth.session_token=",
        "better-auth.session_data=",
        f"{NAME}=",
        f"{NAME}=",
        "better-auth.dont_remember=",
    ]
    assert browser.cookies == {}


async def test_what_was_sent_anew_and_is_over_by_the_end_of_the_call_is_not_sent() -> None:
    auth = make(Clock(), account=STORED, session=CACHED)
    browser, _ = await holding(auth)
    # It reads the session, which sends both cookies anew, and then ends it.
    lines = set_cookies(await browser.post("/revoke-sessions"))
    assert {line.partition(";")[0] for line in lines} == {
        *("better-auth.session_token=", "better-auth.session_data=", f"{NAME}=", "better-auth.dont_remember=")
    }
    assert browser.cookies == {}


async def test_the_cookie_lives_as_long_as_the_copy_of_the_session_and_no_other_user_keeps_it() -> None:
    clock = Clock()
    auth = make(clock, account=STORED, session=CACHED)
    browser, account = await holding(auth)
    before = browser.cookies[NAME]
    clock.advance(200)
    await browser.get("/get-session", "disableCookieCache=true")
    assert browser.cookies[NAME] != before
    clock.advance(200)
    assert auth.account_cookie is not None
    kept = auth.account_cookie.read(browser.headers, now(auth))
    assert kept is not None
    assert kept.to_wire() == account.to_wire()
    assert (kept.access_token, kept.refresh_token) == ("access", "refresh")
    bob = await signed_up(auth, "bob@example.com")
    put(auth, bob, account)
    await bob.get("/get-session", "disableCookieCache=true")
    assert NAME not in bob.cookies


async def test_the_cookie_of_upstream_is_read() -> None:
    sample = COOKIES["account_data_cookie"]
    auth = plain(account=STORED)
    assert auth.account_cookie is not None
    line: str = sample["setCookie"][1]
    browser = Browser(auth, "http://localhost:3000", {NAME: line.partition(";")[0].partition("=")[2]})
    account = auth.account_cookie.read(browser.headers, sample["payload"]["iat"])
    assert account is not None
    written = sample["payload"].items() - {("iat", 0)}
    assert {(name, value) for name, value in written if name not in {"iat", "exp", "jti"}} == set(
        auth.account_cookie._claims(account).items()  # pyright: ignore[reportPrivateUsage]  # what a cookie will hold
    )


async def test_what_is_no_account_is_not_read() -> None:
    auth = plain(account=STORED)
    assert auth.account_cookie is not None
    sealed = Envelope(auth.keyring, "better-auth-account").seal({"id": "x", "userId": 1}, 300, 1000)
    browser = Browser(auth, "http://localhost:3000", {NAME: sealed})
    assert auth.account_cookie.read(browser.headers, 1000) is None
