"""Authenticator apps that nobody here wrote show the codes that are taken here."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from app import ORIGIN, content, plain, signed_up
from parity.servers import HERE
from plugins.second_step import CREDENTIALS, PASSWORD, totp_of
from portico.plugins.two_factor import TotpOptions, TwoFactor
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("RFC 6238", "S-033")]

MOMENTS = (0, 29, 30, 1_111_111_109, 2_000_000_000, 20_000_000_000)


def shown(uri: str, moments: Sequence[int]) -> list[str]:
    """Return what otplib shows for a URI, having checked that it takes it back."""
    command = ["node", "otp.mjs", uri, *map(str, moments)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["agreed"] is True
    return list(said["codes"])


@pytest.mark.parametrize("options", [TotpOptions(), TotpOptions(digits=8, period=60)], ids=["usual", "longer"])
async def test_otplib_and_pyotp_show_the_codes_that_sign_in(options: TotpOptions) -> None:
    clock = Clock()
    auth = plain(TwoFactor(issuer="Ünï & Co", totp=options), clock=clock)
    browser = await signed_up(auth)
    reply = content(await browser.post("/two-factor/enable", PASSWORD))
    uri, app = reply["totpURI"], totp_of(reply)
    assert shown(uri, MOMENTS) == [app.at(moment) for moment in MOMENTS]
    [code] = shown(uri, [int(clock().timestamp())])
    assert (await browser.post("/two-factor/verify-totp", {"code": code})).status == 200
    clock.advance(options.period)
    again = Browser(auth, ORIGIN)
    await again.post("/sign-in/email", CREDENTIALS)
    [code] = shown(uri, [int(clock().timestamp())])
    assert code == app.at(clock())
    assert (await again.post("/two-factor/verify-totp", {"code": code})).status == 200
