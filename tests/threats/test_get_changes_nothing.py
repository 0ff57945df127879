"""Whoever makes a browser open a URL changes nothing: every GET, with a session and with all that a URL could name."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from endpoints.test_account import linked
from endpoints.test_account_tokens import providers
from oauth_server import oauth_server
from portico import AdvancedOptions, Request, SessionOptions
from requirements import requirement
from threats.everything import PASSWORD, Door, Site, Visitor, everything

pytestmark = [pytest.mark.anyio, requirement("C03")]

DAY = 24 * 3600
DOORS = [door for door in everything().doors if door.route.method == "GET"]
Changes = dict[str, set[str]]

LINKS: Mapping[str, set[str]] = MappingProxyType(
    {
        # A link in a mail is all that its reader can press; where that is not wanted, a page asks first.
        "GET /verify-email": {"user"},
        "GET /delete-user/callback": {"user", "session", "account", "verification", "twoFactor"},
        # The first proof of the mailbox ends all that there was.
        "GET /magic-link/verify": {"user", "session", "account", "verification", "twoFactor"},
    }
)
TOKENS: Mapping[str, set[str]] = MappingProxyType(
    {
        # A token that is over is replaced by the one that its refresh gave: a refresh token may work once, so the next
        # one has to be kept. The first is the GET route of a POST; the second is upstream's and has no other.
        "GET /get-access-token": {"account"},
        "GET /account-info": {"account"},
    }
)
"""Everything that a GET may change, besides prolonging the session that it reads and forgetting what is over."""
TOKEN_COLUMNS = {
    "access_token",
    "access_token_expires_at",
    "id_token",
    "refresh_token",
    "refresh_token_expires_at",
    "updated_at",
}


async def prepared(site: Site) -> tuple[Visitor, Mapping[str, list[str]]]:
    """Return somebody who has one of everything, and what a URL could name of it, by the name of the field."""
    visitor = await site.first_visitor()
    for path, body in (
        ("/request-password-reset", {"email": visitor.email}),
        ("/change-email", {"newEmail": "new@example.com"}),
        ("/delete-user", {}),
        ("/two-factor/enable", {"password": PASSWORD}),
        ("/sign-in/magic-link", {"email": visitor.email}),
    ):
        assert (await visitor.browser.post(path, body)).status == 200, path
    ends = site.clock() - timedelta(seconds=1)
    tokens = {"access_token": "access", "refresh_token": "refresh", "access_token_expires_at": ends}
    account = await linked(site.auth, visitor.browser, "acme", "42", **tokens)
    mailed = [mail.token for _, mail in site.postbox.mails]
    assert len(mailed) == 5
    known = {"token": ["wrong", visitor.token, *mailed], "accountId": [account.id], "username": [visitor.username]}
    return visitor, known


def requests(door: Door, visitor: Visitor, known: Mapping[str, list[str]]) -> Iterator[Request]:
    """Yield a request for everything that is known and that the door has a field for."""
    named = [{name: value} for name in sorted(door.fields & known.keys()) for value in known[name]]
    headers = (visitor.cookie, ("sec-fetch-site", "same-origin"))
    for field in named or [{}]:
        for value in known["token"] if door.endpoint.parameters[:1] == ("token",) else ["wrong"]:
            yield door.request(*headers, query={**door.query, **field}, placeholder=value)


def changes(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]], now: datetime) -> set[str]:
    """Return the tables that changed, and `prolonged` if that is all that happened to a session."""
    found: set[str] = set()
    for name, rows in before.items():
        kept = [row for row in rows if row in after[name]]
        gone = [row for row in rows if row not in after[name]]
        if name in {"session", "verification"}:
            gone = [row for row in gone if row["expires_at"] > now]
        new = [row for row in after[name] if row not in kept]
        if name == "session" and [_lasting(row) for row in gone] == [_lasting(row) for row in new]:
            found |= {"prolonged"} if new else set()
        elif gone or new:
            found.add(name)
    return found


def _lasting(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"expires_at", "updated_at"}}


async def changed_by_every_get(seconds: float, **options: Any) -> Changes:
    """Return what each GET changed, asked for so long after everything was prepared."""
    changed: Changes = {}
    with oauth_server() as server:
        # Every site begins with the same tokens.
        server.takes_tokens_once = False
        site = everything(social_providers=providers(server), **options)
        for door in DOORS:
            visitor, known = await prepared(site)
            site.clock.advance(seconds)
            before = await site.remembered()
            for request in requests(door, visitor, known):
                assert (await site.answer(request)).status < 500, request
            found = changes(before, await site.remembered(), site.clock())
            if found:
                changed[str(door)] = found
    return changed


@pytest.mark.parametrize("confirms", [False, True], ids=["plain", "confirming"])
async def test_only_links_in_mails_and_what_refreshes_tokens_change_something(confirms: bool) -> None:
    changed = await changed_by_every_get(0, advanced=AdvancedOptions(confirm_mailed_links=confirms))
    assert changed == {**TOKENS, **({} if confirms else LINKS)}


@pytest.mark.parametrize("path", [door.removeprefix("GET ") for door in TOKENS])
@requirement("S-024")
async def test_what_refreshes_tokens_changes_those_that_are_over_and_nothing_else(path: str) -> None:
    with oauth_server() as server:
        site = everything(social_providers=providers(server))
        ann, known = await prepared(site)
        bob, account = await site.visitor(), known["accountId"][0]
        before = await site.remembered()
        assert (await bob.browser.get(path, f"accountId={account}")).status == 400
        assert (await site.remembered(), server.forms) == (before, [])
        assert (await ann.browser.get(path, f"accountId={account}")).status == 200
        after = await site.remembered()
        assert changes(before, after, site.clock()) == {"account"}
        [old] = [row for row in before["account"] if row not in after["account"]]
        [new] = [row for row in after["account"] if row not in before["account"]]
        assert old["id"] == new["id"] == account
        assert {name for name in old if old[name] != new[name]} <= TOKEN_COLUMNS
        assert (await ann.browser.get(path, f"accountId={account}")).status == 200
        assert await site.remembered() == after
    assert [form["refresh_token"] for form in server.forms] == ["refresh"]


@pytest.mark.parametrize("defers", [False, True], ids=["at once", "deferred"])
async def test_a_session_that_is_due_is_prolonged_by_who_reads_it_unless_that_is_deferred(defers: bool) -> None:
    changed = await changed_by_every_get(2 * DAY, session=SessionOptions(defer_session_refresh=defers))
    prolonging = {name for name, tables in changed.items() if "prolonged" in tables}
    assert {name: tables - {"prolonged"} for name, tables in changed.items() if tables != {"prolonged"}} == TOKENS
    reading = {str(door) for door in DOORS if set(door.endpoint.rules(door.route)) - {"none"}}
    assert prolonging <= (set() if defers else reading)
    assert defers is ("GET /get-session" not in prolonging)


async def test_who_comes_when_everything_is_over_only_clears_up() -> None:
    assert await changed_by_every_get(8 * DAY, session=SessionOptions()) == {}
