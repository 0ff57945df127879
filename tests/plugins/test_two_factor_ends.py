"""How the second factor of one user ends, and whose does not."""

import pytest

from app import ORIGIN, content, make, plain, signed_up
from plugins.second_step import PASSWORD, enrolled, rows, signed_up_with_app, totp_of
from portico import CookieCacheOptions, Request, SessionOptions
from portico.plugins.magic_link import MagicLink, MagicLinkMail
from portico.plugins.two_factor import TwoFactor
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio


@requirement("S-031", "M06")
async def test_who_turns_it_off_turns_it_off_for_nobody_else() -> None:
    clock = Clock()
    auth = make(clock)
    bob, _ = await enrolled(auth, clock, "bob@example.com")
    [kept] = await rows(auth)
    ann, _ = await enrolled(auth, clock)
    assert content(await ann.post("/two-factor/disable", PASSWORD)) == {"status": True}
    assert await rows(auth) == [kept]
    found = [content(await each.get("/get-session"))["user"]["twoFactorEnabled"] for each in (ann, bob)]
    assert found == [False, True]


@requirement("S-031", "S-030")
async def test_a_copy_of_the_session_says_at_once_that_it_is_on_or_off() -> None:
    clock = Clock()
    auth = make(clock, session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
    browser, said = await signed_up(auth), list[bool]()
    totp = totp_of(content(await browser.post("/two-factor/enable", PASSWORD)))
    for path, body in (("verify-totp", {"code": totp.at(clock())}), ("disable", PASSWORD)):
        assert (await browser.post(f"/two-factor/{path}", body)).status == 200
        said.append(content(await browser.get("/get-session"))["user"]["twoFactorEnabled"])
    assert said == [True, False]


@requirement("E08", "E09")
async def test_who_proves_a_mailbox_ends_what_was_set_up_for_it_and_nothing_else() -> None:
    clock, mails = Clock(), list[MagicLinkMail]()

    async def send(mail: MagicLinkMail, request: Request | None) -> None:
        mails.append(mail)

    auth = plain(TwoFactor(), MagicLink(send_magic_link=send), clock=clock)
    bob = await signed_up(auth, "bob@example.com")
    totp = totp_of(content(await bob.post("/two-factor/enable", PASSWORD)))
    assert (await bob.post("/two-factor/verify-totp", {"code": totp.at(clock())})).status == 200
    [kept] = await rows(auth)
    await signed_up_with_app(auth, clock)
    owner = Browser(auth, ORIGIN)
    await owner.post("/sign-in/magic-link", {"email": "ann@example.com"})
    signed_in = content(await owner.get("/magic-link/verify", f"token={mails[0].token}"))
    assert (signed_in["user"]["email"], signed_in["user"]["twoFactorEnabled"]) == ("ann@example.com", False)
    assert await rows(auth) == [kept]
    assert content(await bob.get("/get-session"))["user"]["twoFactorEnabled"] is True
