from typing import Any

import anyio
import pytest

from app import ORIGIN, content, make, set_cookies, signed_up
from portico import ApiError, Auth
from portico.endpoints.password import SetPassword
from portico.testing import Browser, Clock
from postbox import Postbox
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


async def without_password(clock: Clock, **options: Any) -> tuple[Auth[Any], Browser]:
    auth = make(clock, **options)
    browser = await signed_up(auth)
    await auth.accounts.delete(auth.context(None))
    return auth, browser


@requirement("S-020")
async def test_who_has_no_password_sets_one_with_a_fresh_session() -> None:
    postbox, clock = Postbox(), Clock()
    auth, browser = await without_password(clock, **postbox.options())
    short = await browser.post("/set-password", {"newPassword": "short"})
    assert (short.status, content(short)["code"]) == (400, "PASSWORD_TOO_SHORT")
    response = await browser.post("/set-password", {"newPassword": "password456"})
    assert (response.status, content(response)) == (200, {"status": True})
    assert (await opens(auth, "password456"), postbox.told) == (True, [("password set", "ann@example.com")])
    again = await browser.post("/set-password", {"newPassword": "password789"})
    assert (again.status, content(again)) == (
        400,
        {"message": "User already has a password set", "code": "PASSWORD_ALREADY_SET"},
    )
    assert await opens(auth, "password456")
    assert len(await auth.accounts.find_many(auth.context(None))) == 1


@requirement("S-020", "S08")
async def test_a_session_that_is_not_fresh_sets_a_password_for_server_code_only() -> None:
    clock = Clock()
    auth, browser = await without_password(clock)
    clock.advance(24 * 3600)
    refused = await browser.post("/set-password", {"newPassword": "password456"})
    assert (refused.status, content(refused)["code"]) == (403, "SESSION_NOT_FRESH")
    assert await auth.accounts.find_many(auth.context(None)) == []
    reply = await auth.api.set_password(browser.headers, SetPassword(new_password="password456"))
    assert (reply.status, await opens(auth, "password456")) == (True, True)
    with pytest.raises(ApiError) as unknown:
        await auth.api.set_password(None, SetPassword(new_password="password456"))
    assert unknown.value.error.code == "UNAUTHORIZED"


@requirement("S-020")
@pytest.mark.parametrize("database", ["memory", "sqlite"])
async def test_of_ten_passwords_set_at_once_one_counts(database: str, tmp_path: Any) -> None:
    stored: dict[str, Any] = {} if database == "memory" else {"database": f"sqlite:///{tmp_path}/auth.db"}
    auth = make(**stored)
    await auth.create_schema()
    browser = await signed_up(auth)
    await auth.accounts.delete(auth.context(None))
    seen: list[int] = []

    async def one(number: int) -> None:
        copy = Browser(auth, ORIGIN, dict(browser.cookies))
        seen.append((await copy.post("/set-password", {"newPassword": f"password-{number}"})).status)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(one, number)
    assert sorted(seen) == [200, *[400] * 9]
    assert len(await auth.accounts.find_many(auth.context(None))) == 1
    await auth.close()


@requirement("B-41")
async def test_a_password_is_checked_before_something_else() -> None:
    auth = make()
    browser = await signed_up(auth)
    for password, reply in (
        ("password123", (200, {"status": True})),
        ("wrong password", (400, {"message": "Invalid password", "code": "INVALID_PASSWORD"})),
        ("x" * 129, (400, {"message": "Password too long", "code": "PASSWORD_TOO_LONG"})),
    ):
        response = await browser.post("/verify-password", {"password": password})
        assert (response.status, content(response)) == reply
    old = Browser(auth, ORIGIN, dict(browser.cookies))
    await browser.post("/sign-out")
    assert (await old.post("/verify-password", {"password": "password123"})).status == 401
