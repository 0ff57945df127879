"""Every cookie that is set, as it is written: what it may be read by, where it is sent, and whose value it has."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from plugins.second_step import totp_of
from portico.testing import Browser
from requirements import requirement
from threats.everything import PASSWORD, Door, Site, everything, set_cookies

pytestmark = pytest.mark.anyio

SITES = {"http": everything(), "https": everything(base_url="https://app.example.com")}
READABLE = {"last_used_login_method"}
"""What is written for scripts to read, as upstream's is; it is no credential."""
VALUE = re.compile(r"[!#$%&'()*+\-./0-9:<=>?@A-Z\[\]^_`a-z{|}~]*")


@dataclass(frozen=True)
class Line:
    """A Set-Cookie header."""

    name: str
    value: str
    attributes: dict[str, str]

    @classmethod
    def read(cls, text: str) -> "Line":
        pair, *attributes = text.split("; ")
        name, _, value = pair.partition("=")
        return cls(name, value, {key: given for key, _, given in (each.partition("=") for each in attributes)})


async def lines_of_doors(site: Site) -> list[str]:
    """Return what every door sets for somebody who is signed in, and for nobody."""
    lines: list[str] = []
    for door in site.doors:
        visitor = await site.visitor()
        sender = [("origin", site.origin), ("sec-fetch-site", "same-origin")]
        for headers in ([*sender, visitor.cookie], sender):
            response = await site.answer(door.request(*headers, body=visitor.body(door)))
            lines += set_cookies(response)
    return lines


async def lines_of_a_second_step(site: Site) -> list[str]:
    """Return what is set when somebody who has a second factor signs in, trusts the device, and comes again."""
    visitor, browser = await site.visitor(), Browser(site.auth, site.origin)
    enabled: Any = (await visitor.browser.post("/two-factor/enable", {"password": PASSWORD})).body
    app = totp_of(json.loads(enabled))
    lines: list[str] = []
    lines += set_cookies(await visitor.browser.post("/two-factor/verify-totp", {"code": app.at(site.clock())}))
    site.clock.advance(30)
    body = {"email": visitor.email, "password": PASSWORD, "rememberMe": False}
    for path, sent in (
        ("/sign-in/email", body),
        ("/two-factor/verify-totp", {"code": app.at(site.clock()), "trustDevice": True}),
        ("/sign-in/email", body),
        ("/two-factor/disable", {"password": PASSWORD}),
        ("/sign-out", {}),
    ):
        response = await browser.post(path, sent)
        assert response.status == 200, (path, response)
        lines += set_cookies(response)
    return lines


@requirement("S06", "B-61")
@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
async def test_every_cookie_is_ours_alone(site: Site) -> None:
    is_secure, prefix = site.origin.startswith("https"), "__Secure-" if site.origin.startswith("https") else ""
    lines = [Line.read(each) for each in [*await lines_of_doors(site), *await lines_of_a_second_step(site)]]
    for line in lines:
        assert line.name.startswith(f"{prefix}better-auth."), line
        assert VALUE.fullmatch(line.value), line
        wanted = {"Path": "/", "SameSite": "Lax", **({"Secure": ""} if is_secure else {})}
        wanted |= {} if line.name.rpartition(".")[2] in READABLE else {"HttpOnly": ""}
        age = line.attributes.get("Max-Age")
        assert line.attributes == {**wanted, **({"Max-Age": age} if age is not None else {})}, line
        assert age is None or int(age) >= 0, line
        # What is over has no value left, and is over.
        assert (line.value == "") is (age == "0"), line
    names = {line.name.removeprefix(f"{prefix}better-auth.") for line in lines}
    assert names >= {"session_token", "session_data", "dont_remember", "two_factor", "trust_device"}


def is_sign_in(door: Door) -> bool:
    """Tell whether a door signs somebody in who fits, without any session."""
    return door.route.method == "POST" and {"password"} <= door.body.keys() and door.endpoint.session == "none"


SIGN_INS = [door for door in SITES["http"].doors if is_sign_in(door)]
PLANTED = ["chosen", "chosen.c2lnbmF0dXJl", "theirs", "over"]


async def planted(site: Site, how: str) -> str:
    """Return a token cookie that was put into a browser: made up, of another user, or of a session that is over."""
    if "chosen" in how:
        return how
    other = await site.visitor()
    value = other.browser.cookies["better-auth.session_token"]
    if how == "over":
        await other.browser.post("/sign-out")
    return value


@requirement("S01")
@pytest.mark.parametrize("door", SIGN_INS, ids=str)
@pytest.mark.parametrize("how", PLANTED)
async def test_signing_in_takes_no_token_that_was_there_before(door: Door, how: str) -> None:
    site = SITES["http"]
    visitor = await site.first_visitor()
    value = await planted(site, how)
    headers = (("cookie", f"better-auth.session_token={value}"), ("origin", site.origin))
    response = await site.answer(door.request(*headers, body=visitor.body(door)))
    assert response.status == 200, response
    fresh = [line for line in map(Line.read, set_cookies(response)) if line.name == "better-auth.session_token"]
    assert len(fresh) == 1
    token, known = fresh[0].value.partition(".")[0], value.partition(".")[0]
    assert len(token) == 32
    assert token not in {known, visitor.token}
    tokens = [row["token"] for row in (await site.remembered())["session"]]
    assert token in tokens
    # What was planted is what it was: nothing, or the session of another.
    assert (known in tokens) is (how == "theirs")


@requirement("S01")
def test_there_are_sign_ins() -> None:
    assert {str(door) for door in SIGN_INS} >= {"POST /sign-in/email", "POST /sign-up/email", "POST /sign-in/username"}
