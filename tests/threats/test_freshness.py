"""A session that was stolen long ago: what needs a recent sign-in, by default and where the application wants more."""

import pytest

from portico import SessionOptions
from requirements import requirement
from threats.everything import Door, Site, code_of, everything

pytestmark = [pytest.mark.anyio, requirement("S08")]

DAY = 24 * 3600
# Deferred, so that a look changes nothing.
SITES = {
    name: everything(session=SessionOptions(defer_session_refresh=True, fresh_for_sensitive=name == "strict"))
    for name in ("default", "strict")
}
GUARDED = {
    "default": {"GET /list-sessions", "POST /unlink-account"},
    "strict": {"POST /change-email", "PUT /change-email", "PATCH /change-email", "POST /two-factor/disable"},
}
"""What upstream guards, and what is guarded besides."""


def needs_fresh(door: Door) -> bool:
    return "fresh" in door.endpoint.rules(door.route)


CASES = [
    pytest.param(site, door, id=f"{name} {door}")
    for name, site in SITES.items()
    for door in site.doors
    if door.has_body or "none" not in door.endpoint.rules(door.route)
]


@pytest.mark.parametrize(("site", "door"), CASES)
async def test_who_signed_in_long_ago_is_held_back_where_that_matters_and_nowhere_else(site: Site, door: Door) -> None:
    visitor = await site.first_visitor()
    headers = (visitor.cookie, ("origin", site.origin), ("sec-fetch-site", "same-origin"))
    site.clock.advance(DAY - 1)
    still = await site.answer(door.request(*headers, body=visitor.body(door)))
    assert code_of(still) != "SESSION_NOT_FRESH"
    visitor = await site.first_visitor()
    site.clock.advance(DAY)
    before = await site.remembered()
    headers = (visitor.cookie, *headers[1:])
    late = await site.answer(door.request(*headers, body=visitor.body(door)))
    assert (code_of(late) == "SESSION_NOT_FRESH") is needs_fresh(door)
    if needs_fresh(door):
        assert late.status == 403
        assert await site.remembered() == before


@pytest.mark.parametrize("name", SITES)
async def test_what_is_known_to_matter_is_guarded(name: str) -> None:
    guarded = {str(door) for door in SITES[name].doors if needs_fresh(door)}
    assert guarded >= GUARDED["default"]
    assert (guarded >= GUARDED["strict"]) is (name == "strict")
