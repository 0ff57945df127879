"""A foreign site makes a browser send our cookies: every kind of sender, through every door that changes something."""

from collections.abc import Iterator
from itertools import product

import pytest

from app import ORIGIN
from requirements import requirement
from threats.everything import FORM, JSON, Door, Site, code_of, everything, set_cookies

pytestmark = pytest.mark.anyio

OTHER = "https://app.example.com"
TRUSTED = {ORIGIN, OTHER, f"{ORIGIN}/page?a=b"}
ORIGINS: list[tuple[str, str] | None] = [
    None,
    ("origin", "null"),
    ("origin", "https://evil.test"),
    ("origin", f"{ORIGIN}.evil.test"),
    ("origin", f"{OTHER}.evil.test"),
    ("origin", "https://evil.test/localhost:3000"),
    ("origin", ORIGIN),
    ("origin", OTHER),
    ("origin", "http://localhost:3001"),
    ("origin", "https://localhost:3000"),
    ("referer", f"{ORIGIN}/page?a=b"),
    ("referer", f"https://evil.test/?{ORIGIN}"),
]
SITES = [None, "same-origin", "same-site", "cross-site"]
KINDS = [JSON, "text/plain", FORM, "multipart/form-data; boundary=part", ""]
"""The last one is no body at all."""

Sender = tuple[tuple[str, str] | None, str | None, str]
SENDERS: list[Sender] = list(product(ORIGINS, SITES, KINDS))

SIMPLEST: Sender = (("origin", ORIGIN), None, JSON)

DOORS = [door for door in everything().doors if door.changes]
EFFECTIVE = frozenset(
    f"POST /{path}"
    for path in (
        "change-email",
        "change-password",
        "delete-user",
        "multi-session/revoke",
        "request-password-reset",
        "revoke-session",
        "revoke-sessions",
        "send-verification-email",
        "sign-in/email",
        "sign-in/magic-link",
        "sign-in/username",
        "sign-out",
        "sign-up/email",
        "two-factor/disable",
        "two-factor/enable",
        "update-user",
    )
)
"""Where a request that fits is known to change something; elsewhere it needs more than a session and a password."""
CODES = {
    "MISSING_OR_NULL_ORIGIN",
    "INVALID_ORIGIN",
    "UNSUPPORTED_MEDIA_TYPE",
    "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
}


def refusals(door: Door, sender: Sender) -> set[tuple[int, str]]:
    """State the rule: who sends cookies says where from, and that is trusted; a body is of a type that is taken.

    The Origin counts, or else the Referer. A page of ours that hides its origin is believed if the browser vouches for
    it; so is a link of ours to a GET route, with which no browser sends an Origin.
    """
    stated, site, kind = sender
    where = "" if stated is None else stated[1]
    found: set[tuple[int, str]] = set()
    if kind and door.has_body and kind.partition(";")[0] not in door.endpoint.media:
        found.add((415, "UNSUPPORTED_MEDIA_TYPE"))
    if site == "same-origin" and (where == "null" or door.route.method == "GET"):
        return found
    if where in {"", "null"}:
        found.add((403, "MISSING_OR_NULL_ORIGIN"))
    elif where not in TRUSTED:
        found.add((403, "INVALID_ORIGIN"))
    return found


def headers_of(sender: Sender) -> Iterator[tuple[str, str]]:
    stated, site, _ = sender
    if stated is not None:
        yield stated
    if site is not None:
        yield "sec-fetch-site", site
        yield "sec-fetch-mode", "navigate"


@pytest.fixture(scope="module")
def site() -> Site:
    return everything(trusted_origins=[OTHER])


@requirement("C01", "B-05", "B-48")
@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_whom_we_do_not_trust_changes_nothing_with_our_cookies(door: Door, site: Site) -> None:
    visitor = await site.first_visitor()
    before = await site.remembered()
    refused = [(sender, refusals(door, sender)) for sender in SENDERS]
    refused = [(sender, expected) for sender, expected in refused if expected]
    # A rule that lets everybody in would be kept by everything.
    assert len(refused) > len(SENDERS) / 2
    for sender, expected in refused:
        request = door.request(visitor.cookie, *headers_of(sender), body=visitor.body(door), kind=sender[2])
        response = await site.answer(request)
        assert (response.status, code_of(response)) in expected, sender
        assert set_cookies(response) == [], sender
    assert await site.remembered() == before


@requirement("C01", "B-48")
@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_whom_we_trust_is_let_in(door: Door, site: Site) -> None:
    visitor = await site.first_visitor()
    before = await site.remembered()
    for sender in sorted(SENDERS, key=SIMPLEST.__ne__):
        if refusals(door, sender):
            continue
        request = door.request(visitor.cookie, *headers_of(sender), body=visitor.body(door), kind=sender[2])
        assert code_of(await site.answer(request)) not in CODES, sender
        # What is refused above would have changed something.
        assert sender != SIMPLEST or str(door) not in EFFECTIVE or await site.remembered() != before


@requirement("C01")
def test_the_doors_that_are_known_to_change_something_are_there() -> None:
    assert {str(door) for door in DOORS} >= EFFECTIVE


SIGN_INS = [door for door in DOORS if door.endpoint.csrf == "login" or door.route.confirms]
MODES = [None, "navigate", "cors"]


def login_refusal(stated: tuple[str, str] | None, site: str | None, mode: str | None) -> str | None:
    """State the rule without cookies: nobody navigates here from elsewhere, and a browser comes from whom we trust."""
    if (site, mode) == ("cross-site", "navigate"):
        return "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
    where = "" if stated is None else stated[1]
    if not where and site is None and mode is None:
        return None
    if where == "null" and site == "same-origin":
        return None
    if where in {"", "null"}:
        return "MISSING_OR_NULL_ORIGIN"
    return None if where in TRUSTED else "INVALID_ORIGIN"


@requirement("C02", "B-49")
@pytest.mark.parametrize("door", SIGN_INS, ids=str)
async def test_nobody_is_signed_in_by_a_foreign_page(door: Door, site: Site) -> None:
    visitor = await site.first_visitor()
    body, kinds = visitor.body(door), door.endpoint.media if door.has_body else [""]
    for stated, where, mode, kind in product(ORIGINS, SITES, MODES, kinds):
        told = [("sec-fetch-site", where), ("sec-fetch-mode", mode)]
        headers = [*([stated] if stated else []), *((name, value) for name, value in told if value is not None)]
        before = await site.remembered()
        response = await site.answer(door.request(*headers, body=body, kind=kind))
        expected = login_refusal(stated, where, mode)
        if expected is None:
            assert code_of(response) not in CODES, headers
        else:
            assert (response.status, code_of(response)) == (403, expected), headers
            assert set_cookies(response) == []
            assert await site.remembered() == before


OF_DEVICES = "/device/code"
"""Whoever asks there gets codes, which are worth nothing until a user approves."""


@requirement("C02")
@pytest.mark.parametrize(
    "door", [door for door in DOORS if door.route.method == "POST" and door.route.path != OF_DEVICES], ids=str
)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != JSON])
async def test_a_form_of_a_foreign_page_does_nothing_without_cookies_either(door: Door, kind: str, site: Site) -> None:
    visitor = await site.first_visitor()
    before = await site.remembered()
    for stated in (("origin", "https://evil.test"), ("origin", "null")):
        headers = (stated, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"))
        response = await site.answer(door.request(*headers, body=visitor.body(door), kind=kind))
        assert all("Max-Age=0" in line for line in set_cookies(response))
    assert await site.remembered() == before
