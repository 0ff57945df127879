"""A value that wants to be a condition: in every field of every door, on a database that speaks SQL."""

from collections.abc import Iterator
from typing import Any

import pytest

from app import ORIGIN
from requirements import requirement
from threats.everything import Door, Site, Visitor, everything

pytestmark = [pytest.mark.anyio, requirement("I02")]

VALUES = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE user; --",
    "'; UPDATE user SET emailVerified=1; --",
    '" OR ""="',
    "` OR 1=1 --",
    "') OR ('a'='a",
    "x' UNION SELECT token FROM session --",
    "\\' OR 1=1 --",
    "\uff07 OR 1=1 --",
    "\u02bc OR 1=1 --",
    "%",
    "%%",
    "_",
    "________________________________",
    "ann%",
    "*",
    "?",
    "$1",
    ":id",
    "%s%n%(id)s",
    "{0}{id}",
    "NULL",
    "user.email",
    "email",
    "id",
    "1) OR 1=1",
    "/**/OR/**/1=1",
    "[]",
    '{"$ne":null}',
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return everything(database=f"sqlite:///{tmp_path_factory.mktemp('injection')}/auth.db")


def attempts(door: Door, attacker: Visitor) -> Iterator[tuple[dict[str, Any], dict[str, str], str]]:
    """Yield body, query and placeholder with one of the values in one place."""
    body = attacker.body(door)
    for value in VALUES:
        for name in sorted(door.fields):
            given = f"{value}@example.com" if "mail" in name.lower() else value
            if door.has_body:
                yield {**body, name: given}, door.query, "wrong"
            else:
                yield body, {**door.query, name: given}, "wrong"
        if door.endpoint.parameters[:1] == ("token",):
            yield body, door.query, value


async def of(site: Site, email: str) -> dict[str, list[Any]]:
    """Return every row of one person."""
    rows = await site.remembered()
    [user] = [row for row in rows["user"] if row["email"] == email]
    return {
        name: [row for row in kept if user["id"] in (row["id"], row.get("user_id"), row.get("value"))]
        for name, kept in rows.items()
        if name != "mails"
    }


@pytest.mark.parametrize("door", everything().distinct_doors, ids=str)
async def test_a_value_is_a_value(door: Door, site: Site) -> None:
    if not site.auth.is_started:
        await site.auth.create_schema()
    victim = await site.first_visitor()
    await victim.browser.post("/request-password-reset", {"email": victim.email})
    attacker = await site.visitor()
    before = await of(site, victim.email)
    assert all(before[name] for name in ("user", "session", "account", "verification"))
    sender = (("origin", ORIGIN), ("sec-fetch-site", "same-origin"))
    for body, query, placeholder in attempts(door, attacker):
        request = door.request(attacker.cookie, *sender, body=body, query=query, placeholder=placeholder)
        response = await site.answer(request)
        assert response.status < 500, (body, query)
        assert victim.email.encode() not in response.body, (body, query)
        assert victim.token.encode() not in response.body, (body, query)
        if response.status == 401 or any("session_token=;" in value for _, value in response.headers):
            attacker = await site.visitor()
    assert await of(site, victim.email) == before
    assert (await victim.browser.get("/get-session")).status == 200
