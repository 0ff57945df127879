"""Every secret at every door but its own: what was made for one purpose opens nothing else and is not used up."""

from collections.abc import Mapping
from typing import Any

import pytest

from app import ORIGIN, content
from portico import Headers, Request, Response
from portico.testing import Browser
from requirements import requirement
from threats.everything import BASE, PASSWORD, Door, Site, Visitor, everything

pytestmark = pytest.mark.anyio

PREFIX = "better-auth."
COOKIES = ("session_token", "session_data", "two_factor", "trust_device", "dont_remember")
FIELDS = frozenset({"token", "code", "userCode", "user_code", "device_code", "sessionToken"})
"""Fields that hold a secret, whichever endpoint has them."""
OWN = {
    "session": {"bearer", "POST /multi-session/set-active: sessionToken", "POST /multi-session/revoke: sessionToken"},
    "signed session": {"bearer", "cookie session_token"},
    "copy": {"cookie session_data"},
    "challenge": {"cookie two_factor"},
    "sent code": {"POST /two-factor/verify-otp: code"},
    "backup code": {"POST /two-factor/verify-backup-code: code"},
    "trusted device": {"cookie trust_device"},
    "link": {"GET /magic-link/verify: token", "POST /magic-link/verify: token"},
    "reset": {"POST /reset-password: token", "GET /reset-password/{token}: placeholder"},
    "verification": {"GET /verify-email: token", "POST /verify-email: token"},
    "change": {"GET /verify-email: token", "POST /verify-email: token"},
    "deletion": {
        "GET /delete-user/callback: token",
        "POST /delete-user/callback: token",
        "POST /delete-user: token",
    },
    "device code": {"POST /device/token: device_code"},
    "user code": {
        "GET /device: user_code",
        "POST /device/approve: userCode",
        "POST /device/deny: userCode",
    },
    "token": set[str](),
}
"""Kinds of secrets, and where each belongs."""


async def with_second_factor(site: Site, method: str) -> tuple[Visitor, Any]:
    """Return somebody new who turned the second factor on, and what that answered."""
    visitor = await site.visitor()
    reply = content(await visitor.browser.post("/two-factor/enable", {"password": PASSWORD, "method": method}))
    return visitor, reply


async def minted(site: Site) -> dict[str, str]:
    """Return one secret of every kind, all of them live."""
    ann = await site.first_visitor()
    mails = site.postbox.mails

    async def mailed(path: str, body: Mapping[str, Any]) -> str:
        response = await ann.browser.post(path, body)
        assert response.status == 200, response.body
        mail: Any = mails[-1][1]
        return str(mail.token)

    first: Any = mails[-1][1]
    made = {"verification": first.token, "session": ann.token}
    made["signed session"] = ann.browser.cookies[f"{PREFIX}session_token"]
    made["copy"] = ann.browser.cookies[f"{PREFIX}session_data"]
    made["link"] = await mailed("/sign-in/magic-link", {"email": ann.email})
    made["reset"] = await mailed("/request-password-reset", {"email": ann.email})
    made["change"] = await mailed("/change-email", {"newEmail": "new@example.com"})
    made["deletion"] = await mailed("/delete-user", {})
    asked = content(await ann.browser.post("/device/code", {"client_id": "a-device"}))
    made |= {"device code": asked["device_code"], "user code": asked["user_code"]}
    made["token"] = content(await ann.browser.get("/token"))["token"]
    eve, _ = await with_second_factor(site, "otp")
    waiting = Browser(site.auth, ORIGIN)
    credentials = {"email": eve.email, "password": PASSWORD}
    await waiting.post("/sign-in/email", credentials)
    await waiting.post("/two-factor/send-otp")
    await waiting.post("/two-factor/verify-otp", {"code": site.postbox.codes[-1].otp, "trustDevice": True})
    made["trusted device"] = waiting.cookies[f"{PREFIX}trust_device"]
    again = Browser(site.auth, ORIGIN)
    await again.post("/sign-in/email", credentials)
    await again.post("/two-factor/send-otp")
    made |= {"challenge": again.cookies[f"{PREFIX}two_factor"], "sent code": site.postbox.codes[-1].otp}
    _, reply = await with_second_factor(site, "totp")
    return {**made, "backup code": reply["backupCodes"][0]}


def attempts(site: Site, visitor: Visitor, secret: str) -> dict[str, Request]:
    """Return a request for every place that a secret can be presented at, by the place's name."""
    found: dict[str, Request] = {}
    for name in COOKIES:
        found[f"cookie {name}"] = _with(("cookie", f"{PREFIX}{name}={secret}"))
    found["bearer"] = _with(("authorization", f"Bearer {secret}"))
    own = (visitor.cookie, ("origin", ORIGIN))
    for door in site.distinct_doors:
        if door.endpoint.parameters and "{" in door.route.path:
            found[f"{door}: placeholder"] = door.request(*own, placeholder=secret)
        for field in sorted(door.fields & FIELDS):
            found[f"{door}: {field}"] = _filled(door, field, secret, own, visitor)
    return found


def _with(header: tuple[str, str]) -> Request:
    """Ask to change a name, which needs a session."""
    fields = Headers([header, ("origin", ORIGIN), ("content-type", "application/json")])
    return Request(method="POST", path=f"{BASE}/update-user", headers=fields, body=b'{"name":"Mallory"}')


def _filled(door: Door, field: str, secret: str, headers: tuple[tuple[str, str], ...], visitor: Visitor) -> Request:
    body = {**visitor.body(door), field: secret} if door.has_body else None
    query = {**door.query, field: secret} if field in door.query or not door.has_body else None
    if query and "code" in query and field != "code":
        query.pop("code")
    return door.request(*headers, body=body, query=query)


async def left(site: Site) -> dict[str, Any]:
    """Return what must not change, but for the verifications that an attempt itself begins."""
    rows = await site.rows()
    rows.pop("jwks", None)
    held = {row["identifier"]: row["value"] for row in rows.pop("verification")}
    return {**rows, "verifications": held}


@requirement("E12")
@pytest.mark.parametrize("kind", OWN)
async def test_a_secret_opens_its_own_doors_only(kind: str) -> None:
    site = everything()
    secrets = await minted(site)
    assert secrets.keys() == OWN.keys()
    mallory = await site.visitor()
    secret = secrets[kind]
    tried = attempts(site, mallory, secret)
    assert OWN[kind] <= tried.keys()
    before = await left(site)
    for place, request in tried.items():
        if place in OWN[kind]:
            continue
        response = await site.answer(request)
        assert response.status < 500, place
        assert not signs_in(response), place
        after = await left(site)
        gone = before["verifications"].items() - after["verifications"].items()
        assert (gone, {**after, "verifications": None}) == (set(), {**before, "verifications": None}), place


def signs_in(response: Response) -> bool:
    """Tell whether an answer hands out a session."""
    lines = [value for name, value in response.headers if name == "set-cookie"]
    return any(line.startswith(f"{PREFIX}session_token=") and "Max-Age=0" not in line for line in lines)


@requirement("E12")
@pytest.mark.parametrize("kind", ["session", "signed session", "link", "reset", "verification", "user code"])
async def test_at_its_own_door_it_would_have_done_something(kind: str) -> None:
    site = everything()
    secrets = await minted(site)
    tried = attempts(site, await site.visitor(), secrets[kind])
    before = await site.rows()
    for place in sorted(OWN[kind]):
        await site.answer(tried[place])
    assert await site.rows() != before
