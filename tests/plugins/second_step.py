"""Users of the second step: who turned it on, and who is asked for it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from pyotp.totp import TOTP

from app import ORIGIN, Api, content, plain, signed_up
from portico import AnyApi, Auth, Request
from portico.plugins.two_factor import OtpMail, OtpOptions, TwoFactor
from portico.testing import Browser, Clock

ASKED = {"twoFactorRedirect": True, "twoFactorMethods": ["totp"]}
PASSWORD = {"password": "password123"}
Sent = list[OtpMail]
CREDENTIALS = {"email": "ann@example.com", "password": "password123"}


def sending(
    clock: Clock | None = None, otp: dict[str, Any] | None = None, factor: dict[str, Any] | None = None, **options: Any
) -> tuple[Auth[AnyApi], Sent]:
    """Return an Auth whose second factor sends codes, by the options of either, and the codes that were sent."""
    sent: Sent = []

    async def send(mail: OtpMail, request: Request | None) -> None:
        sent.append(mail)

    plugin = TwoFactor(issuer="Acme", otp=OtpOptions(send_otp=send, **(otp or {})), **(factor or {}))
    return plain(plugin, **{"clock": clock or Clock(), **options}), sent


async def signed_up_with_app(auth: Auth[Any], clock: Clock) -> tuple[Browser, TOTP, list[str]]:
    """Return a browser of a user whose second factor is on, their authenticator app and their backup codes."""
    browser = await signed_up(auth)
    reply = content(await browser.post("/two-factor/enable", PASSWORD))
    totp = totp_of(reply)
    # The step before, so that the present one is still to be used.
    earlier = totp.at(int(clock().timestamp()) - totp.interval)
    assert (await browser.post("/two-factor/verify-totp", {"code": earlier})).status == 200
    return browser, totp, reply["backupCodes"]


async def enrolled(auth: Auth[Api], clock: Clock, email: str = "ann@example.com") -> tuple[Browser, TOTP]:
    """Return a browser of a user whose second factor is on, and their authenticator app."""
    browser = await signed_up(auth, email)
    return browser, await turned_on(browser, clock)


async def turned_on(browser: Browser, clock: Clock) -> TOTP:
    """Turn the second factor of a browser's user on, and return their authenticator app."""
    reply = content(await browser.post("/two-factor/enable", PASSWORD))
    assert list(reply) == ["method", "totpURI", "backupCodes"]
    totp = totp_of(reply)
    verified = await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})
    assert content(verified)["user"]["twoFactorEnabled"] is True
    clock.advance(30)
    return totp


async def challenged(auth: Auth[Any]) -> Browser:
    """Return a new browser that signed in and is asked for the second step."""
    browser = Browser(auth, ORIGIN)
    assert content(await browser.post("/sign-in/email", CREDENTIALS)) == ASKED
    return browser


def totp_of(reply: Any) -> TOTP:
    """Return the authenticator app that scanned the reply of enable."""
    uri: str = reply["totpURI"]
    said = {name: value for name, (value,) in parse_qs(urlsplit(uri).query).items()}
    return TOTP(said["secret"], digits=int(said["digits"]), interval=int(said["period"]))


async def rows(auth: Auth[Any], table: str = "twoFactor") -> list[Any]:
    """Return the rows of one table."""
    return await auth.store.find_many(auth.tables[table])
