from typing import Any

import anyio
import pytest

from app import CHEAP, ORIGIN, content, make, plain, signed_up
from portico import Auth, EmailAndPassword, RateLimitOptions, Where
from portico.endpoints.password_reset import RequestPasswordReset
from portico.testing import Browser, Clock, Outbox
from postbox import Postbox, follow, location, said_in
from requirements import requirement

pytestmark = pytest.mark.anyio

REQUESTED = {
    "status": True,
    "message": "If this email exists in our system, check your email for the reset link",
}
INVALID = (400, {"message": "Invalid token", "code": "INVALID_TOKEN"})
EMAIL = {"email": "ann@example.com"}


async def opens(auth: Auth[Any], password: str) -> bool:
    return (await Browser(auth, ORIGIN).post("/sign-in/email", {**EMAIL, "password": password})).status == 200


async def asked(postbox: Postbox, clock: Clock | None = None, **options: Any) -> tuple[Auth[Any], Browser, str]:
    """Return an application where Ann asked for a new password, her browser, and the token."""
    auth = make(clock, **postbox.options(**options))
    browser = await signed_up(auth)
    assert content(await Browser(auth, ORIGIN).post("/request-password-reset", EMAIL)) == REQUESTED
    return auth, browser, postbox.last.token


@requirement("S-005", "B-47")
@pytest.mark.parametrize("path", ["/request-password-reset", "/forget-password"])
async def test_a_link_to_a_new_password_is_mailed(path: str) -> None:
    postbox = Postbox()
    auth = make(**postbox.options())
    await signed_up(auth)
    response = await Browser(auth, ORIGIN).post(path, {"email": "ANN@example.com", "redirectTo": "/reset?x=1&y=2"})
    assert (response.status, content(response)) == (200, REQUESTED)
    token, url = postbox.last.token, postbox.last.url
    assert url == f"{ORIGIN}/api/auth/reset-password/{token}?callbackURL=%2Freset%3Fx%3D1%26y%3D2"
    assert (postbox.addresses, len(token), token.isalnum()) == (["ann@example.com"], 24, True)
    assert postbox.requests[-1] is not None
    assert postbox.requests[-1].path == f"/api/auth{path}"


@requirement("B-21", "B-47")
async def test_the_row_of_a_reset_is_upstreams() -> None:
    clock = Clock()
    auth, _, token = await asked(Postbox(), clock)
    [row] = await auth.verifications.find_many(auth.context(None))
    user = await auth.users.find_by_email(auth.context(None), "ann@example.com")
    assert user is not None
    assert (row.identifier, row.value) == (f"reset-password:{token}", user.id)
    assert (row.expires_at - row.created_at).total_seconds() == 3600


@requirement("S-005", "E02", "B-47")
async def test_an_unknown_address_gets_the_same_answer_and_no_mail() -> None:
    postbox = Postbox()
    auth, _, _ = await asked(postbox)
    before = len(postbox.mails)
    known = await Browser(auth, ORIGIN).post("/request-password-reset", EMAIL)
    unknown = await Browser(auth, ORIGIN).post("/request-password-reset", {"email": "nobody@example.com"})
    assert (known.status, known.headers, known.body) == (unknown.status, unknown.headers, unknown.body)
    assert len(postbox.mails) == before + 1


@requirement("S-006", "B-47", "E11")
async def test_a_token_gives_a_new_password_once() -> None:
    postbox = Postbox()
    auth, browser, token = await asked(postbox)
    stranger = Browser(auth, ORIGIN)
    for short, code in (("short", "PASSWORD_TOO_SHORT"), ("x" * 129, "PASSWORD_TOO_LONG")):
        refused = await stranger.post("/reset-password", {"newPassword": short, "token": token})
        assert (refused.status, content(refused)["code"]) == (400, code)
    response = await stranger.post("/reset-password", {"newPassword": "password456", "token": token})
    assert (response.status, content(response), stranger.cookies) == (200, {"status": True}, {})
    assert [await opens(auth, "password123"), await opens(auth, "password456")] == [False, True]
    again = await stranger.post("/reset-password", {"newPassword": "password789", "token": token})
    assert (again.status, content(again)) == INVALID
    assert await opens(auth, "password456")
    assert postbox.told == [("password reset", "ann@example.com")]
    assert (await browser.get("/get-session")).body != b"null"


@requirement("S-006", "B-47")
async def test_a_token_may_come_in_the_query() -> None:
    auth, _, token = await asked(Postbox())
    browser, body = Browser(auth, ORIGIN), {"newPassword": "password456"}
    wrong = await browser.send("POST", "/reset-password", {**body, "token": "wrong"}, query=f"token={token}")
    assert (wrong.status, content(wrong)) == INVALID
    right = await browser.send("POST", "/reset-password", body, query=f"token={token}")
    assert (right.status, content(right)) == (200, {"status": True})
    assert await opens(auth, "password456")


@requirement("S-006", "S05")
async def test_a_new_password_ends_every_session_when_the_application_says_so() -> None:
    postbox = Postbox()
    auth, browser, token = await asked(postbox, password={"revoke_sessions_on_password_reset": True})
    await Browser(auth, ORIGIN).post("/reset-password", {"newPassword": "password456", "token": token})
    assert (await browser.get("/get-session")).body == b"null"
    assert await auth.sessions.find_many(auth.context(None)) == []


@requirement("S-006")
async def test_who_had_no_password_gets_one() -> None:
    auth, _, token = await asked(Postbox())
    await auth.accounts.delete(auth.context(None), provider_id="credential")
    await Browser(auth, ORIGIN).post("/reset-password", {"newPassword": "password456", "token": token})
    assert await opens(auth, "password456")
    assert len(await auth.accounts.find_many(auth.context(None))) == 1


@requirement("S-006", "E11")
async def test_a_token_is_over_after_an_hour() -> None:
    clock = Clock()
    auth, _, token = await asked(Postbox(), clock)
    clock.advance(3600)
    browser = Browser(auth, ORIGIN)
    late = await browser.post("/reset-password", {"newPassword": "password456", "token": token})
    assert (late.status, content(late)) == INVALID
    assert await opens(auth, "password123")
    assert await auth.verifications.find_many(auth.context(None)) == []


@requirement("S-006", "E11")
async def test_the_lifetime_of_a_token_can_be_chosen() -> None:
    clock = Clock()
    auth, _, token = await asked(Postbox(), clock, password={"reset_password_token_expires_in": 7200})
    clock.advance(7199)
    browser = Browser(auth, ORIGIN)
    assert (await browser.post("/reset-password", {"newPassword": "password456", "token": token})).status == 200


@requirement("S-006")
@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": "wrong"}])
async def test_without_a_token_nothing_is_reset(body: dict[str, str]) -> None:
    auth, _, _ = await asked(Postbox())
    response = await Browser(auth, ORIGIN).post("/reset-password", {"newPassword": "password456", **body})
    assert (response.status, content(response)) == INVALID
    assert await opens(auth, "password123")


@requirement("S-006")
async def test_the_token_of_a_user_who_is_gone_is_refused() -> None:
    auth, _, token = await asked(Postbox())
    await auth.users.delete(auth.context(None))
    response = await Browser(auth, ORIGIN).post("/reset-password", {"newPassword": "password456", "token": token})
    assert (response.status, content(response)) == (400, {"message": "User not found", "code": "USER_NOT_FOUND"})
    assert await auth.accounts.find_many(auth.context(None)) == []


@requirement("B-47")
async def test_the_link_leads_to_the_page_where_the_password_is_chosen() -> None:
    postbox = Postbox()
    auth = make(**postbox.options(), trusted_origins=["https://app.example.com", "myapp://"])
    await signed_up(auth)
    browser = Browser(auth, ORIGIN)
    for target, page in (
        ("/reset", f"{ORIGIN}/reset?token={{}}"),
        ("/reset?a=b&token=theirs#part", f"{ORIGIN}/reset?a=b&token={{}}#part"),
        ("https://app.example.com", "https://app.example.com/?token={}"),
        ("myapp://reset", "myapp://reset?token={}"),
    ):
        await browser.post("/request-password-reset", {**EMAIL, "redirectTo": target})
        assert location(await follow(browser, postbox.last)) == page.format(postbox.last.token)
    await browser.post("/request-password-reset", EMAIL)
    assert location(await follow(browser, postbox.last)) == f"{ORIGIN}/api/auth/error?error=INVALID_TOKEN"


@requirement("B-47")
async def test_a_link_that_works_no_more_leads_to_the_page_with_an_error() -> None:
    auth, _, _ = await asked(Postbox())
    response = await Browser(auth, ORIGIN).get("/reset-password/wrong", "callbackURL=%2Freset%3Fa%3Db")
    assert location(response) == f"{ORIGIN}/reset?a=b&error=INVALID_TOKEN"
    refused = await Browser(auth, ORIGIN).get("/reset-password/wrong")
    assert (refused.status, content(refused)["code"]) == (400, "VALIDATION_ERROR")


@requirement("B-47")
async def test_without_a_mailer_nobody_resets_a_password() -> None:
    auth = plain()
    await signed_up(auth)
    response = await Browser(auth, ORIGIN).post("/request-password-reset", EMAIL)
    assert (response.status, content(response)) == (
        400,
        {"message": "Reset password isn't enabled", "code": "RESET_PASSWORD_DISABLED"},
    )
    assert await auth.verifications.find_many(auth.context(None)) == []


@requirement("E11", "M05")
async def test_a_new_password_does_not_replace_the_second_step() -> None:
    postbox = Postbox()
    auth, browser, token = await asked(postbox)
    await auth.users.update(auth.context(None), {"email": "ann@example.com"}, two_factor_enabled=True)
    await Browser(auth, ORIGIN).post("/reset-password", {"newPassword": "password456", "token": token})
    await browser.post("/sign-out")
    other = Browser(auth, ORIGIN)
    reply = content(await other.post("/sign-in/email", {**EMAIL, "password": "password456"}))
    assert reply == {"twoFactorRedirect": True, "twoFactorMethods": []}
    assert await auth.sessions.find_many(auth.context(None)) == []


@requirement("E11")
@pytest.mark.parametrize("database", ["memory", "sqlite"])
async def test_of_twenty_resets_at_once_one_succeeds_and_its_password_counts(database: str, tmp_path: Any) -> None:
    postbox = Postbox()
    stored: dict[str, Any] = {} if database == "memory" else {"database": f"sqlite:///{tmp_path}/auth.db"}
    auth = make(**postbox.options(), **stored)
    await auth.create_schema()
    await signed_up(auth)
    await Browser(auth, ORIGIN).post("/request-password-reset", EMAIL)
    token = postbox.last.token
    seen: dict[int, int] = {}

    async def one(number: int) -> None:
        body = {"newPassword": f"password-{number}", "token": token}
        seen[number] = (await Browser(auth, ORIGIN).post("/reset-password", body)).status

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, number)
    assert sorted(seen.values()) == [200, *[400] * 19]
    [winner] = [number for number, status in seen.items() if status == 200]
    assert [number for number in range(20) if await opens(auth, f"password-{number}")] == [winner]
    await auth.close()


@requirement("S-126", "S-005")
async def test_server_code_asks_for_a_reset_and_the_mail_is_sent_when_the_call_returns() -> None:
    postbox = Postbox()
    auth = make(**postbox.options())
    await signed_up(auth)
    reply = await auth.api.request_password_reset(None, RequestPasswordReset(email="ann@example.com"))
    assert (reply.to_wire(), postbox.requests) == (REQUESTED, [None])
    assert said_in(postbox.last.url) == {"callbackURL": ""}
    found = await auth.store.count(auth.tables["verification"], [Where("identifier", "reset", "starts_with")])
    assert found == 1


@requirement("B-54", "ARCH-routes")
async def test_both_paths_of_a_request_share_a_limit() -> None:
    postbox = Postbox()
    auth = make(**postbox.options(), rate_limit=RateLimitOptions(enabled=True))
    browser = Browser(auth, ORIGIN)
    paths = ("/forget-password", "/request-password-reset", "/forget-password", "/request-password-reset")
    assert [(await browser.post(path, EMAIL)).status for path in paths] == [200, 200, 200, 429]


@requirement("S-005")
async def test_the_outbox_of_the_testing_kit_takes_the_mails_of_the_core() -> None:
    outbox = Outbox()
    options = EmailAndPassword(enabled=True, password=CHEAP, send_reset_password=outbox.keep)
    auth = plain(email_and_password=options)
    await signed_up(auth)
    await Browser(auth, ORIGIN).post("/request-password-reset", EMAIL)
    [(address, link)] = outbox.mails
    assert (address, link.startswith(f"{ORIGIN}/api/auth/reset-password/")) == ("ann@example.com", True)
