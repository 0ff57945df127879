"""The second factor and sessions that were revoked while a cookie copy remembers them."""

import pytest

from app import content, make, signed_up
from plugins.second_step import rows, sending, signed_up_with_app, totp_of
from portico import CookieCacheOptions, SessionOptions
from portico.testing import Clock
from requirements import requirement

pytestmark = pytest.mark.anyio


@requirement("M06")
async def test_a_revoked_session_that_its_cookie_copy_remembers_turns_nothing_on() -> None:
    clock = Clock()
    auth = make(clock, session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
    browser = await signed_up(auth)
    reply = content(await browser.post("/two-factor/enable", {"password": "password123"}))
    await auth.sessions.delete(auth.context(None))
    before = await rows(auth)
    refused = await browser.post("/two-factor/verify-totp", {"code": totp_of(reply).at(clock())})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert (await rows(auth), await rows(auth, "session")) == (before, [])


@requirement("M05", "S-038", "S-036")
@pytest.mark.parametrize("path", ["verify-totp", "verify-backup-code", "send-otp", "verify-otp"])
async def test_a_revoked_session_that_its_cookie_copy_remembers_learns_and_spends_nothing(path: str) -> None:
    clock = Clock()
    auth, sent = sending(clock, session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
    browser, totp, codes = await signed_up_with_app(auth, clock)
    await browser.post("/two-factor/send-otp", {})
    right = {"verify-totp": totp.at(clock()), "verify-backup-code": codes[0], "verify-otp": sent[0].otp}
    await auth.sessions.delete(auth.context(None))
    before = (await rows(auth), await rows(auth, "verification"))
    refused = await browser.post(f"/two-factor/{path}", {"code": right[path]} if path in right else {})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert ((await rows(auth), await rows(auth, "verification")), len(sent)) == (before, 1)
