from typing import Any

import pytest

from app import ORIGIN, content, make, set_cookies, signed_up
from portico import Auth, ChangeEmailMail, VerificationMail
from portico.crypto.jwt import open_jwt
from portico.testing import Browser, Clock
from postbox import Postbox, follow, location, said_in
from requirements import requirement

pytestmark = pytest.mark.anyio

NEW = {"newEmail": "New@Example.com"}
SENT = (200, {"status": True})


async def addresses(auth: Auth[Any]) -> dict[str, bool]:
    return {user.email: user.email_verified for user in await auth.users.find_many(auth.context(None))}


async def proven(postbox: Postbox, clock: Clock | None = None, **options: Any) -> tuple[Auth[Any], Browser]:
    """Return an application and the browser of Ann, whose address is proven."""
    auth = make(clock, **postbox.options(**options))
    browser = await signed_up(auth)
    await auth.users.update(auth.context(None), {"email": "ann@example.com"}, email_verified=True)
    return auth, browser


def claims(auth: Auth[Any], token: str) -> list[Any]:
    read: Any = open_jwt(token, auth.keyring.accepted)
    assert list(read) == ["email", "updateTo", "requestType", "userId", "iat", "exp"]
    return [read["email"], read["updateTo"], read["requestType"], read["exp"] - read["iat"]]


@requirement("S-015", "B-43", "E10")
async def test_a_proven_address_is_asked_before_the_new_one_is() -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox)
    response = await browser.post("/change-email", {**NEW, "callbackURL": "/settings"})
    assert (response.status, content(response)) == SENT
    asked = postbox.last
    assert isinstance(asked, ChangeEmailMail)
    assert (postbox.addresses, asked.new_email) == (["ann@example.com"], "new@example.com")
    assert claims(auth, asked.token) == ["ann@example.com", "new@example.com", "change-email-confirmation", 3600]
    assert location(await follow(browser, asked)) == "/settings"
    assert (postbox.addresses[1:], await addresses(auth)) == (["new@example.com"], {"ann@example.com": True})
    assert claims(auth, postbox.last.token) == ["ann@example.com", "new@example.com", "change-email-verification", 3600]
    changed = await browser.get("/verify-email", f"token={postbox.last.token}")
    user = content(changed)["user"]
    assert (list(content(changed)), user["email"], user["emailVerified"]) == (
        ["status", "user"],
        "new@example.com",
        True,
    )
    assert (await addresses(auth), len(set_cookies(changed))) == ({"new@example.com": True}, 1)
    assert content(await browser.get("/get-session"))["user"] == user
    assert postbox.told == [("after verification", "new@example.com")]


@requirement("S-015", "B-43")
async def test_a_confirmation_alone_answers_with_nothing_else() -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox)
    await browser.post("/change-email", NEW)
    response = await browser.get("/verify-email", f"token={postbox.last.token}")
    assert (response.status, content(response)) == (200, {"status": True})
    assert await addresses(auth) == {"ann@example.com": True}


@requirement("S-015", "B-43")
@pytest.mark.parametrize("is_proven", [False, True])
async def test_without_anybody_to_ask_the_link_goes_to_the_new_address(*, is_proven: bool) -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox, change={"send_change_email_confirmation": None} if is_proven else {})
    await auth.users.update(auth.context(None), {"email": "ann@example.com"}, email_verified=is_proven)
    assert content(await browser.post("/change-email", NEW)) == {"status": True}
    assert isinstance(postbox.last, VerificationMail)
    assert (postbox.addresses, await addresses(auth)) == (["new@example.com"], {"ann@example.com": is_proven})
    assert location(await follow(browser, postbox.last)) == "/"
    assert await addresses(auth) == {"new@example.com": is_proven}


@requirement("S-015", "B-43")
async def test_an_unproven_address_may_be_changed_at_once() -> None:
    postbox = Postbox()
    auth = make(**postbox.options(change={"update_email_without_verification": True}))
    browser = await signed_up(auth)
    response = await browser.post("/change-email", {**NEW, "callbackURL": "/home"})
    assert (response.status, content(response), len(set_cookies(response))) == (*SENT, 1)
    assert (await addresses(auth), postbox.addresses) == ({"new@example.com": False}, ["new@example.com"])
    assert said_in(postbox.last.url)["callbackURL"] == "/home"
    await follow(browser, postbox.last)
    assert await addresses(auth) == {"new@example.com": True}


@requirement("S-015", "E02", "B-43")
@pytest.mark.parametrize("at_once", [False, True])
async def test_for_a_taken_address_the_answer_is_the_same_and_nothing_happens(*, at_once: bool) -> None:
    postbox = Postbox()
    auth = make(**postbox.options(change={"update_email_without_verification": at_once}))
    browser = await signed_up(auth)
    await signed_up(auth, "bob@example.com")
    before = await addresses(auth)
    response = await browser.post("/change-email", {"newEmail": "BOB@example.com"})
    assert (response.status, content(response)) == SENT
    assert (postbox.mails, await addresses(auth), set_cookies(response)) == ([], before, [])


@requirement("S-015", "E10")
async def test_a_link_is_dead_once_the_address_was_changed_otherwise() -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox, change={"send_change_email_confirmation": None})
    await browser.post("/change-email", NEW)
    first = postbox.last
    await browser.post("/change-email", {"newEmail": "newer@example.com"})
    await follow(browser, postbox.last)
    response = await browser.get("/verify-email", f"token={first.token}")
    assert (response.status, content(response)) == (401, {"message": "Invalid token", "code": "INVALID_TOKEN"})
    assert await addresses(auth) == {"newer@example.com": True}
    again = await browser.get("/verify-email", f"token={postbox.last.token}")
    assert (again.status, content(again)["code"]) == (401, "INVALID_TOKEN")


@requirement("S-015", "B-43")
async def test_a_link_changes_the_address_in_a_browser_without_a_session_and_signs_nobody_in() -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox, change={"send_change_email_confirmation": None})
    await browser.post("/change-email", NEW)
    response = await Browser(auth, ORIGIN).get("/verify-email", f"token={postbox.last.token}")
    assert (response.status, content(response)["user"]["email"], set_cookies(response)) == (200, "new@example.com", [])
    assert await addresses(auth) == {"new@example.com": True}
    assert postbox.told == [("after verification", "new@example.com")]


@requirement("S-015", "E10")
async def test_a_link_belongs_to_the_user_who_asked_for_it() -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox)
    bob = await signed_up(auth, "bob@example.com")
    await browser.post("/change-email", {**NEW, "callbackURL": "/settings"})
    before = await addresses(auth)
    for mail in (postbox.last,):
        refused = await bob.get("/verify-email", f"token={mail.token}")
        assert (refused.status, content(refused)) == (401, {"message": "Invalid user", "code": "INVALID_USER"})
        assert location(await follow(bob, mail)) == "/settings?error=INVALID_USER"
    assert (await addresses(auth), len(postbox.mails)) == (before, 1)
    assert content(await bob.get("/get-session"))["user"]["email"] == "bob@example.com"


@requirement("S-015", "E10")
async def test_asking_for_the_address_of_a_victim_gives_nothing_of_the_victims() -> None:
    postbox = Postbox()
    auth = make(**postbox.options())
    browser = await signed_up(auth)
    await browser.post("/change-email", {"newEmail": "victim@example.com"})
    link = postbox.last
    victim = await signed_up(auth, "victim@example.com")
    refused = await browser.get("/verify-email", f"token={link.token}")
    assert (refused.status, content(refused)["code"]) == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    assert content(await victim.get("/get-session"))["user"]["email"] == "victim@example.com"
    assert await addresses(auth) == {"ann@example.com": False, "victim@example.com": False}


@requirement("S-015", "B-43")
@pytest.mark.parametrize("email", ["ann@example.com", "ANN@Example.com"])
async def test_the_same_address_is_refused(email: str) -> None:
    postbox = Postbox()
    _, browser = await proven(postbox)
    response = await browser.post("/change-email", {"newEmail": email})
    assert (response.status, content(response), postbox.mails) == (400, {"message": "Email is the same"}, [])


@requirement("S-015")
async def test_addresses_are_not_changed_unless_the_application_says_so() -> None:
    auth = make()
    browser = await signed_up(auth)
    response = await browser.post("/change-email", NEW)
    assert (response.status, content(response)) == (
        400,
        {"message": "Change email is disabled", "code": "CHANGE_EMAIL_DISABLED"},
    )
    silent = make(**Postbox().options(verification={"send_verification_email": None}))
    response = await (await signed_up(silent)).post("/change-email", NEW)
    assert (response.status, content(response)) == (400, {"message": "Verification email isn't enabled"})
    assert await addresses(silent) == {"ann@example.com": False}


@requirement("S-015")
async def test_nobody_changes_an_address_without_a_session() -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox)
    stolen = dict(browser.cookies)
    await browser.post("/sign-out")
    for cookies in ({}, stolen):
        response = await Browser(auth, ORIGIN, dict(cookies)).post("/change-email", NEW)
        assert (response.status, content(response)["code"]) == (401, "UNAUTHORIZED")
    assert (postbox.mails, await addresses(auth)) == ([], {"ann@example.com": True})


@requirement("S-016")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_changes_something_may_be_called_with_the_verbs_of_rest(method: str) -> None:
    postbox = Postbox()
    auth, browser = await proven(postbox)
    assert content(await browser.send(method, "/update-user", {"name": "Anna"})) == {"status": True}
    assert content(await browser.send(method, "/change-email", NEW)) == {"status": True}
    change = {"currentPassword": "password123", "newPassword": "password456"}
    assert content(await browser.send(method, "/change-password", change))["token"] is None
    assert content(await browser.get("/get-session"))["user"]["name"] == "Anna"
    assert postbox.addresses == ["ann@example.com"]
    stranger = Browser(auth, "https://evil.test", dict(browser.cookies))
    refused = await stranger.send(method, "/update-user", {"name": "Eve"})
    assert (refused.status, content(refused)["code"]) == (403, "INVALID_ORIGIN")
    assert content(await browser.get("/get-session"))["user"]["name"] == "Anna"
