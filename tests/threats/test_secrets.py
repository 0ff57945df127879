"""Whoever knows another secret: one that everybody knows, one that was retired, or one of another site."""

from typing import Any

import pytest

from portico import CookieCacheOptions, SessionOptions
from portico.configuration import PUBLIC_SECRETS
from portico.testing import Browser
from requirements import requirement
from threats.everything import PASSWORD, Site, everything, set_cookies

pytestmark = [pytest.mark.anyio, requirement("J02")]

SECRETS = [*sorted(PUBLIC_SECRETS), "secret", " ", "0" * 32, "reference-secret-0123456789-abcdefghij-XYz"]
STRATEGIES: list[Any] = ["compact", "jwt", "jwe"]


def site_of(strategy: Any, **options: Any) -> Site:
    cache = CookieCacheOptions(enabled=True, strategy=strategy)
    return everything(session=SessionOptions(cookie_cache=cache), **options)


async def is_somebody(site: Site, cookies: dict[str, str]) -> bool:
    """Tell whether cookies open a session: where one is shown, or where one is needed."""
    browser = Browser(site.auth, site.origin, dict(cookies))
    shown = await browser.get("/get-session")
    browser.cookies = dict(cookies)
    changed = await browser.post("/update-user", {"name": "Evil"})
    assert shown.status == 200
    return shown.body != b"null" or changed.status != 401


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_what_another_secret_signed_or_sealed_is_worthless(
    secret: str, strategy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = site_of(strategy)
    victim = await ours.visitor()
    # A forger who sees all rows, and knows every password, has what the secret alone does not give away.
    monkeypatch.setenv("PORTICO_ENV", "development")
    forger = site_of(strategy, secret=secret, database=ours.auth.store, clock=ours.clock)
    browser = Browser(forger.auth, forger.origin)
    body = {"email": victim.email, "password": PASSWORD, "rememberMe": False}
    assert (await browser.post("/sign-in/email", body)).status == 200
    assert await is_somebody(forger, browser.cookies)
    before = await ours.remembered()
    assert not await is_somebody(ours, browser.cookies)
    copies = {name: value for name, value in browser.cookies.items() if "session_data" in name}
    assert copies
    assert not await is_somebody(ours, copies)
    token = victim.browser.cookies["better-auth.session_token"]
    assert not await is_somebody(ours, {**copies, "better-auth.session_token": token.replace(".", ".A", 1)})
    await browser.post("/send-verification-email", {"email": victim.email})
    refused = await Browser(ours.auth, ours.origin).send(
        "POST", "/verify-email", query=f"token={forger.postbox.last.token}"
    )
    assert refused.status == 401
    assert set_cookies(refused) == []
    assert await ours.remembered() == before
