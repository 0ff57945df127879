"""Users of the second step: who turned it on, and who is asked for it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from pyotp.totp import TOTP

from app import ORIGIN, Api, content, signed_up
from portico import Auth
from portico.testing import Browser, Clock

ASKED = {"twoFactorRedirect": True, "twoFactorMethods": ["totp"]}
CREDENTIALS = {"email": "ann@example.com", "password": "password123"}


async def enrolled(auth: Auth[Api], clock: Clock, email: str = "ann@example.com") -> tuple[Browser, TOTP]:
    """Return a browser of a user whose second factor is on, and their authenticator app."""
    browser = await signed_up(auth, email)
    reply = content(await browser.post("/two-factor/enable", {"password": "password123"}))
    assert list(reply) == ["method", "totpURI", "backupCodes"]
    totp = totp_of(reply)
    verified = await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})
    assert content(verified)["user"]["twoFactorEnabled"] is True
    clock.advance(30)
    return browser, totp


async def challenged(auth: Auth[Any]) -> Browser:
    """Return a new browser that signed in and is asked for the second step."""
    browser = Browser(auth, ORIGIN)
    assert content(await browser.post("/sign-in/email", CREDENTIALS)) == ASKED
    return browser


def totp_of(reply: Any) -> TOTP:
    """Return the authenticator app that scanned the reply of enable."""
    uri: str = reply["totpURI"]
    return TOTP(parse_qs(urlsplit(uri).query)["secret"][0])


async def rows(auth: Auth[Any], table: str = "twoFactor") -> list[Any]:
    """Return the rows of one table."""
    return await auth.store.find_many(auth.tables[table])
