"""What holds for every mail: when it is sent, where its links lead, and what nobody else gets to see."""

import logging
from typing import Any

import anyio
import pytest

from app import ORIGIN, content, make, plain, signed_up
from portico import (
    ApiError,
    Auth,
    ConfigError,
    DeleteUser,
    EmailAndPassword,
    EmailVerification,
    Headers,
    Request,
    ResetPasswordMail,
    User,
    UserOptions,
)
from portico.endpoints.password_reset import RequestPasswordReset
from portico.endpoints.sign_in import SignInEmail
from portico.http import Background
from portico.testing import Browser
from postbox import Mail, Postbox, follow
from requirements import requirement

pytestmark = pytest.mark.anyio

EMAIL = {"email": "ann@example.com"}
SIGN_UP = {"name": "Ann", "password": "password123", **EMAIL}


async def fail(mail: Mail, request: Request | None) -> None:
    raise ConnectionError("the mail server is down")


async def hang(mail: Mail, request: Request | None) -> None:
    await anyio.sleep_forever()


def mailing(mailer: Any) -> dict[str, Any]:
    """Return the options of an application whose mails all go to `mailer`."""
    return Postbox().options(
        password={"send_reset_password": mailer},
        verification={"send_verification_email": mailer, "send_on_sign_up": True},
        change={"send_change_email_confirmation": mailer},
        delete={"send_delete_account_verification": mailer},
    )


def request(browser: Browser, path: str, body: bytes) -> Request:
    headers = Headers([*browser.headers.items(), ("content-type", "application/json")])
    return Request(method="POST", path=f"/api/auth{path}", headers=headers, body=body)


CALLS = [
    ("/sign-up/email", b'{"name":"Bob","email":"bob@example.com","password":"password123"}'),
    ("/request-password-reset", b'{"email":"ann@example.com"}'),
    ("/send-verification-email", b'{"email":"ann@example.com"}'),
    ("/change-email", b'{"newEmail":"new@example.com"}'),
    ("/delete-user", b"{}"),
]


@requirement("F07", "ARCH-background")
@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_a_mailer_that_hangs_holds_up_no_answer(path: str, body: bytes) -> None:
    auth = make(**mailing(hang))
    with anyio.fail_after(5):
        browser = Browser(auth, ORIGIN)
        response = await auth.handler(
            request(browser, "/sign-up/email", b'{"name":"Ann","email":"ann@example.com","password":"password123"}')
        )
        browser.cookies["better-auth.session_token"] = (
            dict(response.headers)["set-cookie"].partition("=")[2].partition(";")[0]
        )
        response = await auth.handler(request(browser, path, body))
    assert (response.status, len(response.background)) == (200, 1)


@requirement("F08", "ARCH-background")
async def test_a_mailer_that_is_no_async_function_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    def send(mail: Mail, request: Request | None) -> None:
        """Send it, and hold up everybody meanwhile."""

    auth = make(**mailing(send))
    await Browser(auth, ORIGIN).post("/sign-up/email", SIGN_UP)
    assert ["write `async def" in str(record.exc_info) for record in caplog.records] == [True]


@requirement("F07", "F08", "ARCH-background")
@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_a_mailer_that_fails_changes_no_answer_and_its_failure_is_logged(
    path: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    working = make(**mailing(Postbox().keep))
    failing = make(**mailing(fail))
    replies: list[Any] = []
    with caplog.at_level(logging.DEBUG):
        for auth in (working, failing):
            browser = await signed_up(auth)
            caplog.clear()
            response = await auth.handler(request(browser, path, body))
            await auth.finish(response)
            reply = content(response)
            reply.pop("user", None)
            replies.append((response.status, {**reply, "token": None}, len(response.background)))
    assert replies[0] == replies[1]
    assert ["the mail server is down" in str(record.exc_info) for record in caplog.records] == [True]
    for row in await failing.verifications.find_many(failing.context(None)):
        assert row.identifier.removeprefix("delete-account-").removeprefix("reset-password:") not in caplog.text


@requirement("S-175", "F07")
async def test_a_queue_of_the_application_gets_what_is_left_to_do() -> None:
    queue: list[Background] = []

    async def put(work: Background) -> None:
        queue.append(work)

    postbox = Postbox()
    auth = make(run_background=put, **postbox.options())
    browser = await signed_up(auth)
    sent = len(postbox.mails)
    assert (await browser.post("/request-password-reset", {"email": "ann@example.com"})).status == 200
    assert (len(postbox.mails), len(queue)) == (sent, 1)
    await queue.pop()()
    assert [address for address, _ in postbox.mails[sent:]] == ["ann@example.com"]


@requirement("F07")
async def test_for_server_code_a_mailer_that_fails_changes_nothing_either() -> None:
    auth = make(**mailing(fail))
    await signed_up(auth)
    reply = await auth.api.request_password_reset(None, RequestPasswordReset(email="ann@example.com"))
    assert reply.status


@requirement("F07", "ARCH-background")
async def test_a_refused_server_call_still_sends_its_mail() -> None:
    postbox = Postbox()
    options = postbox.options(
        password={"require_email_verification": True}, verification={"send_on_sign_in": True, "send_on_sign_up": False}
    )
    auth = make(**options)
    await Browser(auth, ORIGIN).post("/sign-up/email", SIGN_UP)
    with pytest.raises(ApiError) as refused:
        await auth.api.sign_in_email(None, SignInEmail(email="ann@example.com", password="password123"))
    assert (refused.value.error.code, postbox.addresses) == ("EMAIL_NOT_VERIFIED", ["ann@example.com"])


@requirement("E02", "F07")
async def test_an_unknown_address_costs_what_a_known_one_does() -> None:
    auth = make(**mailing(Postbox().keep))
    browser = await signed_up(auth)
    before = await auth.store.count(auth.tables["verification"])
    response = await auth.handler(request(browser, "/request-password-reset", b'{"email":"ann@example.com"}'))
    # Nothing is written before the answer: it is what only a known address would cost.
    assert (response.status, await auth.store.count(auth.tables["verification"])) == (200, before)
    await auth.finish(response)
    assert await auth.store.count(auth.tables["verification"]) == before + 1


@requirement("C07")
async def test_the_first_request_from_outside_decides_no_link() -> None:
    postbox = Postbox()
    auth = make(**postbox.options(verification={"send_on_sign_up": True}))
    await auth.start()
    evil = [("host", "evil.test"), ("x-forwarded-host", "evil.test"), ("forwarded", "host=evil.test;proto=https")]
    headers = Headers([*evil, ("x-forwarded-proto", "https"), ("content-type", "application/json")])
    for path, body in (
        ("/sign-up/email", b'{"name":"Ann","email":"ann@example.com","password":"password123"}'),
        ("/request-password-reset", b'{"email":"ann@example.com"}'),
        ("/send-verification-email", b'{"email":"ann@example.com"}'),
    ):
        response = await auth.handler(Request(method="POST", path=f"/api/auth{path}", headers=headers, body=body))
        await auth.finish(response)
        assert response.status == 200
    assert len(postbox.mails) == 3
    assert all(mail.url.startswith(f"{ORIGIN}/api/auth/") for _, mail in postbox.mails)
    assert all("evil" not in mail.url for _, mail in postbox.mails)


HOSTILE = [
    "https://evil.test",
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/%2Fevil.test",
    "/%5cevil.test",
    "evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://evil.test@app.example.com",
    "https://app.example.com.evil.test",
    "http://app.example.com",
    "https:evil.test",
    "/\tevil.test",
    "/\r\nlocation: https://evil.test",
    "myapp:evil",
]


@requirement("C04", "C06")
@pytest.mark.parametrize("target", HOSTILE)
async def test_no_link_leads_to_a_hostile_place(target: str) -> None:
    postbox = Postbox()
    auth = make(**postbox.options(), trusted_origins=["https://app.example.com"])
    browser = await signed_up(auth)
    for path, name, body in (
        ("/request-password-reset", "redirectTo", EMAIL),
        ("/send-verification-email", "callbackURL", EMAIL),
        ("/change-email", "callbackURL", {"newEmail": "new@example.com"}),
        ("/delete-user", "callbackURL", {}),
        ("/sign-up/email", "callbackURL", {**SIGN_UP, "email": "bob@example.com"}),
    ):
        refused = await browser.post(path, {**body, name: target})
        code = "INVALID_REDIRECT_URL" if name == "redirectTo" else "INVALID_CALLBACK_URL"
        assert (path, refused.status, content(refused)["code"]) == (path, 403, code)
    assert postbox.mails == []
    await browser.post("/request-password-reset", EMAIL)
    await browser.post("/send-verification-email", EMAIL)
    await browser.post("/delete-user")
    query = "callbackURL=" + "".join(f"%{byte:02X}" for byte in target.encode())
    tokens = [mail.token for _, mail in postbox.mails]
    for path, fields in (
        (f"/reset-password/{tokens[0]}", query),
        ("/reset-password/wrong", query),
        ("/verify-email", f"token={tokens[1]}&{query}"),
        ("/verify-email", f"token=wrong&{query}"),
        ("/delete-user/callback", f"token={tokens[2]}&{query}"),
    ):
        refused = await browser.get(path, fields)
        assert (path, refused.status, content(refused)["code"]) == (path, 403, "INVALID_CALLBACK_URL")
    [user] = await auth.users.find_many(auth.context(None))
    assert not user.email_verified


@requirement("C03")
async def test_only_links_in_mails_change_something_by_get(tmp_path: Any) -> None:
    postbox = Postbox()
    auth = make(**postbox.options())
    browser = await signed_up(auth)

    async def everything() -> list[Any]:
        return [await auth.store.find_many(table) for table in auth.tables.values()]

    before = await everything()
    for compiled in auth.handler.compiled.values():
        for route in compiled.endpoint.routes:
            if route.method == "GET":
                await browser.get(route.path.replace("{token}", "x"), "token=x&callbackURL=%2Fx&username=ann")
    assert await everything() == before


@requirement("E12")
async def test_what_one_door_opens_no_other_does() -> None:
    postbox = Postbox()
    auth = make(**postbox.options(verification={"send_on_sign_up": True}))
    browser = await signed_up(auth)
    await browser.post("/request-password-reset", EMAIL)
    await browser.post("/change-email", {"newEmail": "new@example.com"})
    await browser.post("/delete-user")
    verify, reset, change, delete = (mail.token for _, mail in postbox.mails)
    session: Any = browser.cookies["better-auth.session_token"].partition(".")[0]
    [user] = await auth.users.find_many(auth.context(None))
    for token in (verify, change, delete, session, user.id, f"{delete}&", ""):
        body = {"newPassword": "password456", "token": token}
        assert (await browser.post("/reset-password", body)).status == 400, token
    for token in (reset, delete, session, user.id):
        assert (await browser.get("/verify-email", f"token={token}")).status == 401, token
    for token in (verify, reset, change, session, user.id):
        assert (await browser.get("/delete-user/callback", f"token={token}")).status == 404, token
        assert (await browser.post("/delete-user", {"token": token})).status == 404, token
    assert await auth.users.find_many(auth.context(None)) == [user]
    assert postbox.told == []
    assert (await follow(browser, postbox.last)).status == 302


@requirement("F08")
async def test_a_mail_that_is_printed_shows_no_token() -> None:
    postbox = Postbox()
    auth: Auth[Any] = make(**postbox.options())
    browser = await signed_up(auth)
    await browser.post("/request-password-reset", EMAIL)
    await browser.post("/change-email", {"newEmail": "new@example.com"})
    await browser.post("/delete-user")
    assert len(postbox.mails) == 3
    assert all(mail.token not in repr(mail) for _, mail in postbox.mails)
    assert isinstance(postbox.mails[0][1], ResetPasswordMail)
    assert isinstance(postbox.mails[0][1].user, User)


@requirement("CONF-links")
@pytest.mark.parametrize(
    ("options", "name"),
    [
        (
            {"email_and_password": EmailAndPassword(reset_password_token_expires_in=0)},
            "email_and_password.reset_password_token_expires_in",
        ),
        ({"email_verification": EmailVerification(expires_in=-1)}, "email_verification.expires_in"),
        (
            {"user": UserOptions(delete_user=DeleteUser(delete_token_expires_in=0))},
            "user.delete_user.delete_token_expires_in",
        ),
    ],
)
async def test_a_link_that_is_over_before_it_is_sent_is_a_mistake(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is a number of seconds above 0"):
        plain(**options)
