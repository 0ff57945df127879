"""A body names columns that are not for clients: every column of every table, at every endpoint that reads a body."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

from app import ORIGIN
from portico import AdvancedOptions, Column
from portico.schema import Field
from requirements import requirement
from threats.everything import Door, Site, code_of, everything

pytestmark = [pytest.mark.anyio, requirement("G01")]

OWN: Mapping[str, Mapping[str, Any]] = {
    "user": {
        "role": (Annotated[str, Column(input=False)], "member"),
        "credit": (Annotated[int, Column(input=False)], 0),
        "stripe_customer_id": Annotated[str | None, Column()],
        "banned": (Annotated[bool, Column()], False),
        "banned_until": Annotated[datetime | None, Column()],
    },
    "session": {"is_admin": (Annotated[bool, Column()], False)},
}
LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)
PLANTED: Mapping[str, tuple[Any, Any]] = {
    "string": ("planted", "planted"),
    "boolean": (True, True),
    "number": (424_242, 424_242),
    "date": ("2001-02-03T00:00:00.000Z", LONG_AGO),
}
"""By the kind of a column: what is sent, and what would be in the row."""
WITHIN = ["", "__proto__", "constructor", "user", "session", "data", "additionalFields"]

SITES = {
    "default": everything(additional_fields=OWN),
    "strict": everything(additional_fields=OWN, advanced=AdvancedOptions(refuse_protected_fields=True)),
}
DOORS = [door for door in SITES["default"].distinct_doors if door.has_body]


def planted(site: Site) -> dict[str, Any]:
    """Return a value for every column of every table, by its names in JSON and in Python."""
    columns = [field for table in site.auth.tables.values() for field in table.fields.values()]
    sent = {field: PLANTED[field.kind][0] for field in columns if field.kind in PLANTED}
    return {name: value for field, value in sent.items() for name in (field.wire, field.name)}


def grown(rows: Mapping[str, list[Any]], site: Site) -> Iterator[tuple[str, str]]:
    """Yield the columns in which a planted value has arrived."""
    for name, table in site.auth.tables.items():
        for field in table.fields.values():
            if field.kind in PLANTED and any(_is_planted(row[field.name], field) for row in rows[name]):
                yield name, field.name


def _is_planted(value: Any, field: Field) -> bool:
    return value is True if field.kind == "boolean" else value == PLANTED[field.kind][1]


def bodies(door: Door, site: Site, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield bodies with everything planted, at the top or in an object, and with one column at a time."""
    foreign = {name: value for name, value in planted(site).items() if name not in door.fields}
    for place in WITHIN:
        yield {**foreign, **body} if not place else {place: planted(site), **body}
    if door.endpoint.columns or door.endpoint.updates:
        yield from ({name: value, **body} for name, value in foreign.items())


@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
async def test_no_column_grows_what_a_client_planted(door: Door, site: Site) -> None:
    visitor = await site.first_visitor()
    assert list(grown(await site.rows(), site)) == []
    for number, body in enumerate(bodies(door, site, visitor.body(door))):
        # Who signs up does it under a new address each time.
        fresh = {"email": f"planted{next(site.numbers)}@example.com"} if {"name", "email"} <= body.keys() else {}
        request = door.request(visitor.cookie, ("origin", ORIGIN), body={**body, **fresh})
        response = await site.answer(request)
        assert response.status < 500, body
        assert list(grown(await site.rows(), site)) == [], (number, body)
        if response.status == 401 or any("session_token=;" in value for _, value in response.headers):
            visitor = await site.visitor()


def closed(door: Door, site: Site) -> list[Field]:
    """Return the columns of the row that a door writes which it has no field for."""
    fields = site.auth.tables[door.endpoint.columns or door.endpoint.updates or ""].fields.values()
    return [field for field in fields if field.kind in PLANTED and field.wire not in door.fields]


@pytest.mark.parametrize("door", [door for door in DOORS if door.endpoint.columns or door.endpoint.updates], ids=str)
async def test_a_column_that_is_not_for_clients_is_ignored_or_refused_as_the_application_wants(door: Door) -> None:
    answers: dict[str, set[Any]] = {}
    for name, site in SITES.items():
        visitor = await site.first_visitor()
        for field in closed(door, site):
            body = {**visitor.body(door), field.wire: PLANTED[field.kind][0]}
            response = await site.answer(door.request(visitor.cookie, ("origin", ORIGIN), body=body))
            answers.setdefault(name, set()).add((field.wire, response.status, code_of(response)))
    assert {(status, code) for _, status, code in answers["strict"]} == {(400, "FIELD_NOT_ALLOWED")}
    refused = {wire for wire, _, code in answers["default"] if code == "FIELD_NOT_ALLOWED"}
    # Upstream refuses what has no default to fall back to, and never a column of its own.
    assert refused <= {"stripeCustomerId", "bannedUntil", "role", "credit", "banned", "isAdmin", "twoFactorEnabled"}
