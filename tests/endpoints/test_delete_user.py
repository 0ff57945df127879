from typing import Any

import pytest

from app import ORIGIN, content, make, set_cookies, signed_up
from portico import ApiError, Auth, ErrorCode, Request, User
from portico.testing import Browser, Clock
from postbox import Postbox, follow, location
from requirements import requirement

pytestmark = pytest.mark.anyio

DELETED = {"success": True, "message": "User deleted"}
SENT = {"success": True, "message": "Verification email sent"}
INVALID = (404, {"message": "Invalid token", "code": "INVALID_TOKEN"})
ENDED = ["better-auth.session_token=", "better-auth.session_data=", "better-auth.dont_remember="]
STALE = 24 * 3600
NO_MAIL: dict[str, Any] = {"delete": {"send_delete_account_verification": None}}


async def rows(auth: Auth[Any]) -> dict[str, int]:
    return {name: await auth.store.count(auth.tables[name]) for name in ("user", "session", "account")}


def assert_ended(browser: Browser, cookies: list[str]) -> None:
    assert [cookie.partition(";")[0] for cookie in cookies] == ENDED
    assert all("; Max-Age=0;" in cookie for cookie in cookies)
    assert browser.cookies == {}


@requirement("S-017", "B-44", "S04")
async def test_a_fresh_session_deletes_its_user_with_everything() -> None:
    postbox = Postbox()
    auth = make(**postbox.options(**NO_MAIL))
    browser, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    other = Browser(auth, ORIGIN, dict(browser.cookies))
    response = await browser.post("/delete-user", {"callbackURL": "/bye"})
    assert (response.status, content(response)) == (200, DELETED)
    assert_ended(browser, set_cookies(response))
    assert await rows(auth) == {"user": 1, "session": 1, "account": 1}
    assert (await other.get("/get-session")).body == b"null"
    assert (await bob.get("/get-session")).body != b"null"
    assert postbox.told == [("before delete", "ann@example.com"), ("after delete", "ann@example.com")]


@requirement("S-017", "B-37")
async def test_a_session_that_is_not_fresh_needs_the_password() -> None:
    postbox, clock = Postbox(), Clock()
    auth = make(clock, **postbox.options(**NO_MAIL))
    browser = await signed_up(auth)
    clock.advance(STALE)
    for body, refusal in (
        ({}, {"message": "Session expired. Re-authenticate to perform this action.", "code": "SESSION_EXPIRED"}),
        (
            {"password": ""},
            {"message": "Session expired. Re-authenticate to perform this action.", "code": "SESSION_EXPIRED"},
        ),
        ({"password": "wrong password"}, {"message": "Invalid password", "code": "INVALID_PASSWORD"}),
    ):
        response = await browser.post("/delete-user", body)
        assert (response.status, content(response)) == (400, refusal)
    assert (await rows(auth), postbox.told) == ({"user": 1, "session": 1, "account": 1}, [])
    assert content(await browser.post("/delete-user", {"password": "password123"})) == DELETED
    assert await rows(auth) == {"user": 0, "session": 0, "account": 0}


@requirement("S-017", "B-44")
async def test_a_user_without_a_password_has_none_to_delete_with() -> None:
    auth = make(**Postbox().options(**NO_MAIL))
    browser = await signed_up(auth)
    await auth.accounts.delete(auth.context(None))
    response = await browser.post("/delete-user", {"password": "password123"})
    assert (response.status, content(response)["code"]) == (400, "CREDENTIAL_ACCOUNT_NOT_FOUND")
    assert (await rows(auth))["user"] == 1


@requirement("S-017", "B-44", "B-21")
async def test_a_mailed_link_deletes_who_is_signed_in() -> None:
    postbox, clock = Postbox(), Clock()
    auth = make(clock, **postbox.options())
    browser = await signed_up(auth)
    response = await browser.post("/delete-user", {"callbackURL": "/bye?x=1"})
    assert (content(response), set_cookies(response)) == (SENT, [])
    token = postbox.last.token
    assert postbox.last.url == f"{ORIGIN}/api/auth/delete-user/callback?token={token}&callbackURL=%2Fbye%3Fx%3D1"
    [row] = await auth.verifications.find_many(auth.context(None))
    assert (row.identifier, (row.expires_at - row.created_at).total_seconds()) == (f"delete-account-{token}", STALE)
    assert (len(token), token.lower(), token.isalnum()) == (32, token, True)
    assert await rows(auth) == {"user": 1, "session": 1, "account": 1}
    nobody = await Browser(auth, ORIGIN).get("/delete-user/callback", f"token={token}")
    assert (nobody.status, content(nobody)) == (
        404,
        {"message": "Failed to get user info", "code": "FAILED_TO_GET_USER_INFO"},
    )
    followed = await follow(browser, postbox.last)
    assert location(followed) == "/bye?x=1"
    assert_ended(browser, set_cookies(followed))
    assert await rows(auth) == {"user": 0, "session": 0, "account": 0}
    assert await auth.verifications.find_many(auth.context(None)) == []


@requirement("S-017", "B-44")
async def test_a_mailed_token_deletes_without_a_page_too() -> None:
    postbox = Postbox()
    auth = make(**postbox.options())
    browser, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    await browser.post("/delete-user")
    wrong = await browser.post("/delete-user", {"token": "wrong"})
    assert (wrong.status, content(wrong)) == INVALID
    response = await browser.post("/delete-user", {"token": postbox.last.token})
    assert content(response) == DELETED
    await bob.post("/delete-user")
    response = await bob.get("/delete-user/callback", f"token={postbox.last.token}")
    assert (response.status, content(response)) == (200, DELETED)
    assert_ended(bob, set_cookies(response))
    assert await rows(auth) == {"user": 0, "session": 0, "account": 0}


@requirement("S-017", "B-44")
async def test_another_user_cannot_use_a_link_nor_use_it_up() -> None:
    postbox = Postbox()
    auth = make(**postbox.options())
    browser, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    await browser.post("/delete-user")
    mail = postbox.last
    for refused in (
        await bob.get("/delete-user/callback", f"token={mail.token}"),
        await bob.post("/delete-user", {"token": mail.token}),
    ):
        assert (refused.status, content(refused)) == INVALID
    assert (await rows(auth))["user"] == 2
    assert location(await follow(browser, mail)) == "/"
    assert [user.email for user in await auth.users.find_many(auth.context(None))] == ["bob@example.com"]


@requirement("S-017")
async def test_a_link_is_over_after_its_lifetime() -> None:
    postbox, clock = Postbox(), Clock()
    auth = make(clock, **postbox.options(delete={"delete_token_expires_in": 60}))
    browser = await signed_up(auth)
    await browser.post("/delete-user")
    clock.advance(60)
    response = await browser.get("/delete-user/callback", f"token={postbox.last.token}")
    assert (response.status, content(response)) == INVALID
    assert (await rows(auth))["user"] == 1


@requirement("S-017", "B-44")
async def test_nobody_deletes_themselves_unless_the_application_says_so() -> None:
    auth = make()
    browser = await signed_up(auth)
    response = await browser.post("/delete-user")
    assert (response.status, response.body) == (404, b"")
    response = await browser.get("/delete-user/callback", "token=x")
    assert (response.status, content(response)) == (404, {"message": "Not found", "code": "NOT_FOUND"})
    assert (await Browser(auth, ORIGIN).post("/delete-user")).status == 401
    assert (await rows(auth))["user"] == 1


KEPT = ErrorCode(409, "KEPT", "There are unpaid bills")


@requirement("S-017")
@pytest.mark.undescribed("the application refuses with a code of its own")
async def test_the_application_may_keep_a_user() -> None:
    async def keep(user: User, request: Request | None) -> None:
        raise ApiError(KEPT)

    postbox = Postbox()
    auth = make(**postbox.options(delete={"send_delete_account_verification": None, "before_delete": keep}))
    browser = await signed_up(auth)
    response = await browser.post("/delete-user")
    assert (response.status, content(response)["code"], set_cookies(response)) == (409, "KEPT", [])
    assert (await rows(auth), postbox.told) == ({"user": 1, "session": 1, "account": 1}, [])
    assert (await browser.get("/get-session")).body != b"null"


@requirement("S-017", "S04")
async def test_a_session_that_was_ended_deletes_nobody() -> None:
    postbox = Postbox()
    auth = make(**postbox.options())
    browser = await signed_up(auth)
    await browser.post("/delete-user")
    old = Browser(auth, ORIGIN, dict(browser.cookies))
    await browser.post("/sign-out")
    assert (await old.post("/delete-user", {"token": postbox.last.token})).status == 401
    again = Browser(auth, ORIGIN, dict(old.cookies))
    assert (await again.get("/delete-user/callback", f"token={postbox.last.token}")).status == 404
    assert (await rows(auth))["user"] == 1
