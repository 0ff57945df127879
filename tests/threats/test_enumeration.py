"""Whether somebody has an account: the same answer and the same work, at every door that takes an address or a name.

Time is not measured: what costs it, hashes, transactions and queries, is compared exactly.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from app import ORIGIN
from plugins.second_step import totp_of
from portico import MemoryStore
from requirements import requirement
from threats.everything import PASSWORD, Door, Visitor, everything
from watched import Hasher, Watched

pytestmark = [pytest.mark.anyio, requirement("E01", "E02")]

WORK: list[str] = []
STORE: Any = Watched(MemoryStore(), WORK)
SITE = everything(database=STORE, hasher=Hasher(WORK))
TELLING = {
    # Refuses a taken address, unless sign-up needs a proven one: tests/test_same_work.py has that.
    "POST /sign-up/email",
    # What they are for: a limit of requests is all there is against asking for everybody.
    "POST /is-username-available",
    "POST /username/is-available",
    "GET /username/is-available",
}
NAMING = {"email", "username"}


def asks_strangers(door: Door) -> bool:
    """Tell whether a door takes a name of somebody from who has no session."""
    return bool(door.fields & NAMING) and not set(door.endpoint.rules(door.route)) - {"none", "own", "optional"}


DOORS = [door for door in SITE.doors if asks_strangers(door) and str(door) not in TELLING]


async def nothing(visitor: Visitor) -> None:
    """Leave somebody as they signed up."""


async def prove(visitor: Visitor) -> None:
    await SITE.auth.users.update(SITE.auth.context(None), {"email": visitor.email}, email_verified=True)


async def take_password(visitor: Visitor) -> None:
    await SITE.auth.store.delete_many(SITE.auth.tables["account"], [])


async def enroll(visitor: Visitor) -> None:
    enabled = await visitor.browser.post("/two-factor/enable", {"password": PASSWORD})
    code = totp_of(json.loads(enabled.body)).at(SITE.clock())
    assert (await visitor.browser.post("/two-factor/verify-totp", {"code": code})).status == 200


async def answered(door: Door, names: Mapping[str, str]) -> Any:
    """Return all that a stranger can see of an answer, and what it cost; mails come after it."""
    body = {**door.body, **{name: names[name] for name in NAMING & door.body.keys()}}
    body |= {"password": "wrong password"} if "password" in body else {}
    query = {**door.query, **{name: names[name] for name in NAMING & door.query.keys()}}
    WORK.clear()
    response = await SITE.auth.handler(door.request(("origin", ORIGIN), body=body, query=query))
    work = list(WORK)
    await SITE.auth.finish(response)
    return response.status, response.headers, response.body, work


@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize("become", [nothing, prove, take_password, enroll])
async def test_a_stranger_learns_of_nobody(door: Door, become: Callable[[Visitor], Awaitable[None]]) -> None:
    visitor = await SITE.first_visitor()
    await become(visitor)
    known = await answered(door, {"email": visitor.email, "username": visitor.username})
    assert known == await answered(door, {"email": "nobody@example.com", "username": "nobody"})
    assert known[0] in {200, 401}
    assert known[3] != []


def test_the_doors_are_there() -> None:
    assert {str(door) for door in DOORS} >= {
        "POST /sign-in/email",
        "POST /sign-in/username",
        "POST /request-password-reset",
        "POST /forget-password",
        "POST /send-verification-email",
        "POST /sign-in/magic-link",
    }
    assert {str(door) for door in SITE.doors} >= TELLING
