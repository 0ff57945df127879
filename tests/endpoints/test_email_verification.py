import json
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from app import ORIGIN, content, make, set_cookies, signed_up
from portico import ApiError, Auth, ErrorCode, Request, Session, User
from portico.crypto.jwt import open_jwt, sign_jwt
from portico.testing import Browser, Clock
from postbox import Postbox, follow, location, said_in
from requirements import requirement

pytestmark = pytest.mark.anyio

EMAIL = {"email": "ann@example.com"}
SIGN_UP = {"name": "Ann", "password": "password123", **EMAIL}
SIGN_IN = {"password": "password123", **EMAIL}
INVALID = (401, {"message": "Invalid token", "code": "INVALID_TOKEN"})


async def ann(auth: Auth[Any]) -> User:
    user: User | None = await auth.users.find_by_email(auth.context(None), "ann@example.com")
    assert user is not None
    return user


async def asked(postbox: Postbox, clock: Clock | None = None, **options: Any) -> tuple[Auth[Any], Browser]:
    """Return an application where Ann signed up and asked for a link, and her browser."""
    auth = make(clock, **postbox.options(**options))
    browser = await signed_up(auth)
    assert content(await Browser(auth, ORIGIN).post("/send-verification-email", EMAIL)) == {"status": True}
    return auth, browser


@requirement("S-007", "B-45")
async def test_the_mailed_link_is_a_token_that_says_whose_address_it_proves() -> None:
    postbox, clock = Postbox(), Clock()
    auth, _ = await asked(postbox, clock)
    token = postbox.last.token
    now = int(clock().timestamp())
    claims = {"email": "ann@example.com", "userId": (await ann(auth)).id, "iat": now, "exp": now + 3600}
    assert open_jwt(token, auth.keyring.accepted) == claims
    assert postbox.last.url == f"{ORIGIN}/api/auth/verify-email?token={token}&callbackURL=%2F"
    assert (postbox.addresses, await auth.verifications.find_many(auth.context(None))) == (["ann@example.com"], [])


@requirement("S-008", "B-45")
async def test_following_the_link_proves_the_address_once_and_succeeds_again() -> None:
    postbox = Postbox()
    auth, _ = await asked(postbox)
    stranger = Browser(auth, ORIGIN)
    for _ in range(2):
        response = await stranger.get("/verify-email", f"token={postbox.last.token}")
        assert (response.status, content(response)) == (200, {"status": True, "user": None})
        assert (set_cookies(response), (await ann(auth)).email_verified) == ([], True)
    assert postbox.told == [("before verification", "ann@example.com"), ("after verification", "ann@example.com")]


@requirement("S-008", "B-45")
async def test_the_link_leads_to_the_page_that_was_asked_for() -> None:
    postbox = Postbox()
    auth, browser = await asked(postbox)
    assert location(await follow(browser, postbox.last)) == "/"
    await auth.users.update(auth.context(None), EMAIL, email_verified=False)
    stranger = Browser(auth, ORIGIN)
    await stranger.post("/send-verification-email", {**EMAIL, "callbackURL": "/welcome?a=b#c"})
    assert location(await follow(stranger, postbox.last)) == "/welcome?a=b#c"
    wrong = await stranger.get("/verify-email", "token=wrong&callbackURL=%2Fwelcome%3Fa%3Db%23c")
    assert location(wrong) == "/welcome?a=b&error=INVALID_TOKEN#c"


@requirement("S-008", "C04")
@pytest.mark.parametrize("place", ["/a/..//evil.test", "/.//evil.test", "/%2e%2E//evil.test", "/..///evil.test/x/.."])
async def test_a_path_with_dots_leads_to_no_other_host(place: str) -> None:
    auth = make()
    browser = Browser(auth, ORIGIN)
    response = await browser.get("/verify-email", urlencode({"token": "x", "callbackURL": place}))
    target = location(response)
    assert urlsplit(urljoin(ORIGIN, target)).netloc == urlsplit(ORIGIN).netloc, target
    assert target.startswith("/evil.test")
    assert target.endswith("?error=INVALID_TOKEN")


@requirement("S-008", "C04")
@pytest.mark.parametrize(
    ("place", "target"),
    [
        ("myapp://", "myapp://?error=INVALID_TOKEN"),
        ("MYAPP://open#top", "myapp://open?error=INVALID_TOKEN#top"),
        ("https://A.test:443/x/../y?b=c", "https://a.test/y?b=c&error=INVALID_TOKEN"),
        ("https://a.test", "https://a.test/?error=INVALID_TOKEN"),
    ],
)
async def test_a_place_is_written_as_browsers_write_it(place: str, target: str) -> None:
    auth = make(trusted_origins=["myapp://", "https://a.test"])
    browser = Browser(auth, ORIGIN)
    assert location(await browser.get("/verify-email", urlencode({"token": "x", "callbackURL": place}))) == target


@requirement("S-008")
async def test_following_the_link_signs_in_when_the_application_says_so() -> None:
    postbox = Postbox()
    auth, _ = await asked(postbox, verification={"auto_sign_in_after_verification": True})
    stranger = Browser(auth, ORIGIN)
    response = await stranger.get("/verify-email", f"token={postbox.last.token}")
    assert (content(response), len(set_cookies(response))) == ({"status": True, "user": None}, 1)
    assert content(await stranger.get("/get-session"))["user"]["emailVerified"] is True
    again = Browser(auth, ORIGIN)
    assert set_cookies(await again.get("/verify-email", f"token={postbox.last.token}")) == []


@requirement("S-008", "M05")
async def test_following_the_link_does_not_replace_the_second_step() -> None:
    postbox = Postbox()
    auth, _ = await asked(postbox, verification={"auto_sign_in_after_verification": True})
    await auth.users.update(auth.context(None), EMAIL, two_factor_enabled=True)
    before: list[Session] = await auth.sessions.find_many(auth.context(None))
    stranger = Browser(auth, ORIGIN)
    assert content(await stranger.get("/verify-email", f"token={postbox.last.token}"))["status"] is True
    assert (await stranger.get("/get-session")).body == b"null"
    assert await auth.sessions.find_many(auth.context(None)) == before


@requirement("S-008")
async def test_following_the_link_in_a_browser_that_is_signed_in_keeps_its_session() -> None:
    postbox = Postbox()
    auth, browser = await asked(postbox, verification={"auto_sign_in_after_verification": True})
    before = content(await browser.get("/get-session"))
    response = await browser.get("/verify-email", f"token={postbox.last.token}")
    assert (response.status, content(response)) == (200, {"status": True, "user": None})
    [line] = set_cookies(response)
    assert line.startswith(f"better-auth.session_token={before['session']['token']}.")
    after = content(await browser.get("/get-session"))
    assert (after["session"], after["user"]["emailVerified"]) == (before["session"], True)
    assert len(await auth.sessions.find_many(auth.context(None))) == 1


@requirement("S-008", "RFC 7519")
async def test_a_link_is_over_after_an_hour() -> None:
    postbox, clock = Postbox(), Clock()
    auth, _ = await asked(postbox, clock)
    clock.advance(3600)
    stranger = Browser(auth, ORIGIN)
    late = await stranger.get("/verify-email", f"token={postbox.last.token}")
    assert (late.status, content(late)) == (401, {"message": "Token expired", "code": "TOKEN_EXPIRED"})
    assert location(await follow(stranger, postbox.last)) == "/?error=TOKEN_EXPIRED"
    assert ((await ann(auth)).email_verified, postbox.told) == (False, [])


@requirement("S-008", "E12", "O03")
@pytest.mark.parametrize(
    "claims",
    [
        {"email": "ann@example.com"},
        {"email": "ann@example.com", "exp": "never"},
        {"email": 5, "exp": 9999999999},
        {"exp": 9999999999},
        {"email": "ann@example.com", "userId": "another", "exp": 9999999999},
        {"email": "ann@example.com", "updateTo": "new@example.com", "exp": 9999999999},
        {"email": "ann@example.com", "updateTo": 5, "exp": 9999999999},
        {
            "email": "ann@example.com",
            "updateTo": "new@example.com",
            "requestType": "change-email-verification",
            "exp": 9999999999,
        },
        {"session": {"userId": "x"}, "user": {"email": "ann@example.com"}, "exp": 9999999999},
    ],
    ids=json.dumps,
)
async def test_a_token_that_says_something_else_proves_nothing(claims: dict[str, Any]) -> None:
    postbox = Postbox()
    auth, browser = await asked(postbox)
    response = await browser.get("/verify-email", f"token={sign_jwt(claims, auth.keyring.current)}")
    assert response.status == 401
    assert content(response)["code"] in {"INVALID_TOKEN", "TOKEN_EXPIRED"}
    assert ((await ann(auth)).email_verified, postbox.told) == (False, [])


@requirement("S-008")
async def test_a_token_that_asks_for_something_unknown_changes_nothing() -> None:
    postbox = Postbox()
    auth, browser = await asked(postbox)
    asking = {"email": "ann@example.com", "updateTo": "new@example.com", "requestType": "x", "exp": 9999999999}
    token = sign_jwt({**asking, "userId": (await ann(auth)).id}, auth.keyring.current)
    refused = await browser.get("/verify-email", f"token={token}")
    assert (refused.status, content(refused)) == INVALID
    assert (await ann(auth)).email_verified is False


@requirement("S-008", "E12")
async def test_a_token_of_nobody_and_one_of_another_secret_are_refused() -> None:
    auth, browser = await asked(Postbox())
    nobody = sign_jwt({"email": "nobody@example.com", "exp": 9999999999}, auth.keyring.current)
    response = await browser.get("/verify-email", f"token={nobody}")
    assert (response.status, content(response)) == (401, {"message": "User not found", "code": "USER_NOT_FOUND"})
    forged = sign_jwt({"email": "ann@example.com", "exp": 9999999999}, "another secret of the right length")
    response = await browser.get("/verify-email", f"token={forged}")
    assert (response.status, content(response)) == INVALID
    assert not (await ann(auth)).email_verified


@requirement("J02")
async def test_a_link_that_an_older_secret_signed_still_works() -> None:
    postbox = Postbox()
    auth, _ = await asked(postbox)
    old = [(2, "a new secret of the right length, 0123456789"), (1, auth.keyring.current)]
    rotated = make(secret=None, secrets=old, database=auth.store)
    response = await Browser(rotated, ORIGIN).get("/verify-email", f"token={postbox.last.token}")
    assert (response.status, content(response)) == (200, {"status": True, "user": None})


NOT_NOW = ErrorCode(403, "NOT_NOW", "Not now")


@requirement("S-008")
@pytest.mark.undescribed("the application refuses with a code of its own")
async def test_the_application_may_refuse_a_link() -> None:
    async def refuse(user: User, request: Request | None) -> None:
        raise ApiError(NOT_NOW)

    postbox = Postbox()
    auth, browser = await asked(postbox, verification={"before_email_verification": refuse})
    response = await browser.get("/verify-email", f"token={postbox.last.token}")
    assert (response.status, content(response)) == (403, {"message": "Not now", "code": "NOT_NOW"})
    assert ((await ann(auth)).email_verified, postbox.told) == (False, [])


@requirement("S-007", "E02", "B-46")
async def test_to_strangers_asking_for_a_link_answers_always_the_same() -> None:
    postbox = Postbox()
    auth, _ = await asked(postbox)
    stranger = Browser(auth, ORIGIN)
    unverified = await stranger.post("/send-verification-email", {"email": "ANN@example.com"})
    await auth.users.update(auth.context(None), EMAIL, email_verified=True)
    verified = await stranger.post("/send-verification-email", EMAIL)
    unknown = await stranger.post("/send-verification-email", {"email": "nobody@example.com"})
    assert unverified.status == 200
    for other in (verified, unknown):
        assert (other.status, other.headers, other.body) == (unverified.status, unverified.headers, unverified.body)
    assert postbox.addresses == ["ann@example.com"] * 2


@requirement("S-007", "B-46")
async def test_who_is_signed_in_is_told_what_is_wrong() -> None:
    postbox = Postbox()
    _, browser = await asked(postbox)
    mismatch = await browser.post("/send-verification-email", {"email": "nobody@example.com"})
    assert (mismatch.status, content(mismatch)) == (400, {"message": "Email mismatch", "code": "EMAIL_MISMATCH"})
    assert content(await browser.post("/send-verification-email", EMAIL)) == {"status": True}
    await follow(browser, postbox.last)
    done = await browser.post("/send-verification-email", EMAIL)
    assert (done.status, content(done)) == (
        400,
        {"message": "Email is already verified", "code": "EMAIL_ALREADY_VERIFIED"},
    )
    assert len(postbox.mails) == 2


@requirement("S-007")
async def test_without_a_mailer_nothing_can_be_proven() -> None:
    auth = make()
    browser = await signed_up(auth)
    response = await browser.post("/send-verification-email", EMAIL)
    assert (response.status, content(response)) == (
        400,
        {"message": "Verification email isn't enabled", "code": "VERIFICATION_EMAIL_NOT_ENABLED"},
    )


@requirement("B-26", "S-002")
@pytest.mark.parametrize("path", ["/sign-in/email", "/sign-in/username"])
async def test_nobody_signs_in_before_the_address_is_proven(path: str) -> None:
    postbox = Postbox()
    auth = make(**postbox.options(password={"require_email_verification": True}))
    browser = Browser(auth, ORIGIN)
    signed = await browser.post("/sign-up/email", {**SIGN_UP, "username": "annie", "callbackURL": "/welcome"})
    assert (content(signed)["token"], set_cookies(signed)) == (None, [])
    assert said_in(postbox.last.url)["callbackURL"] == "/welcome"
    body = {"username": "annie", "password": "password123"} if path.endswith("username") else SIGN_IN
    refused = await browser.post(path, body)
    assert (refused.status, content(refused)) == (403, {"message": "Email not verified", "code": "EMAIL_NOT_VERIFIED"})
    assert (await browser.post(path, {**body, "password": "wrong password"})).status == 401
    assert (set_cookies(refused), await auth.sessions.find_many(auth.context(None))) == ([], [])
    assert len(postbox.mails) == 1
    await follow(browser, postbox.last)
    assert (await browser.post(path, body)).status == 200


@requirement("B-26")
async def test_a_refused_sign_in_mails_the_link_again_when_the_application_says_so() -> None:
    postbox = Postbox()
    options = postbox.options(
        password={"require_email_verification": True}, verification={"send_on_sign_in": True, "send_on_sign_up": False}
    )
    auth = make(**options)
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-up/email", SIGN_UP)
    await browser.post("/sign-in/email", {**SIGN_IN, "password": "wrong password"})
    assert postbox.mails == []
    assert (await browser.post("/sign-in/email", {**SIGN_IN, "callbackURL": "/home"})).status == 403
    assert said_in(postbox.last.url)["callbackURL"] == "/home"


@requirement("B-26")
async def test_sign_up_mails_the_link_without_requiring_it() -> None:
    postbox = Postbox()
    auth = make(**postbox.options(verification={"send_on_sign_up": True}))
    browser = await signed_up(auth)
    assert postbox.addresses == ["ann@example.com"]
    assert (await browser.get("/get-session")).body != b"null"
