from typing import Any

import pytest

from app import ORIGIN, content, make, set_cookies, signed_up
from portico import Auth
from portico.testing import Browser
from requirements import requirement

pytestmark = pytest.mark.anyio

CHANGE = {"currentPassword": "password123", "newPassword": "password456"}


async def opens(auth: Auth[Any], password: str) -> bool:
    body = {"email": "ann@example.com", "password": password}
    return (await Browser(auth, ORIGIN).post("/sign-in/email", body)).status == 200


@requirement("S-004", "B-41")
async def test_a_changed_password_replaces_the_old_one_and_keeps_the_sessions() -> None:
    auth = make()
    browser = await signed_up(auth)
    response = await browser.post("/change-password", CHANGE)
    reply = content(response)
    assert (list(reply), reply["token"], reply["user"]["email"]) == (["token", "user"], None, "ann@example.com")
    assert set_cookies(response) == []
    assert (await browser.get("/get-session")).body != b"null"
    assert [await opens(auth, "password123"), await opens(auth, "password456")] == [False, True]


@requirement("S-004", "B-41", "S05")
async def test_a_changed_password_ends_every_other_session_when_asked() -> None:
    auth = make()
    browser = await signed_up(auth)
    copy, other = Browser(auth, ORIGIN, dict(browser.cookies)), Browser(auth, ORIGIN)
    await other.post("/sign-in/email", {"email": "ann@example.com", "password": "password123"})
    response = await browser.post("/change-password", {**CHANGE, "revokeOtherSessions": True})
    token = content(response)["token"]
    assert content(await browser.get("/get-session"))["session"]["token"] == token
    for ended in (copy, other):
        assert (await ended.get("/get-session")).body == b"null"


@requirement("S-004")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({**CHANGE, "currentPassword": "wrong password"}, 400, "INVALID_PASSWORD"),
        ({**CHANGE, "newPassword": "short"}, 400, "PASSWORD_TOO_SHORT"),
        ({**CHANGE, "newPassword": "x" * 129}, 400, "PASSWORD_TOO_LONG"),
        ({"newPassword": "password456"}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_a_refused_change_changes_nothing(change: dict[str, str], status: int, code: str) -> None:
    auth = make()
    browser = await signed_up(auth)
    response = await browser.post("/change-password", {**change, "revokeOtherSessions": True})
    assert (response.status, content(response)["code"]) == (status, code)
    assert (await browser.get("/get-session")).body != b"null"
    assert await opens(auth, "password123")


@requirement("S-004")
async def test_a_password_is_changed_with_a_session_that_still_exists_only() -> None:
    auth = make()
    browser = await signed_up(auth)
    headers = dict(browser.cookies)
    await browser.post("/sign-out")
    response = await Browser(auth, ORIGIN, headers).post("/change-password", CHANGE)
    assert (response.status, content(response)["code"]) == (401, "UNAUTHORIZED")
    assert await opens(auth, "password123")


@requirement("S-004")
async def test_a_user_without_a_password_has_none_to_change() -> None:
    auth = make()
    browser = await signed_up(auth)
    await auth.accounts.delete(auth.context(None), provider_id="credential")
    response = await browser.post("/change-password", CHANGE)
    assert (response.status, content(response)["code"]) == (400, "CREDENTIAL_ACCOUNT_NOT_FOUND")
    assert await auth.accounts.find_many(auth.context(None)) == []
