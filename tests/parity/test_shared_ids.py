"""Both servers share a database whose ids are numbers or UUIDs, whoever made its tables and whoever made the row."""

import re
from collections.abc import Mapping

import pytest

from parity.databases import KINDS, Kind, Row
from parity.scenario import Code, Mail, get, post, reply, sign_in, sign_up, whoami
from parity.servers import Side
from parity.shared import DIRECTIONS, PASSWORD, Pair, SharedServers
from requirements import requirement

IDS: Mapping[str, str] = {
    "serial": r"[1-9]\d*",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
}

pytestmark = [
    requirement("ARCH-formats", "ARCH-schema", "S-153", "B-15"),
    pytest.mark.parametrize(("here", "there"), DIRECTIONS, ids=lambda side: side),
    pytest.mark.parametrize("ids", IDS),
    pytest.mark.parametrize("kind", KINDS),
]

UNCACHED = whoami("?disableCookieCache=true")
ANN = sign_up(plan="free", label="ann")
BOB = sign_up("bob@example.com", plan="pro", jar="b", chiefId=reply("ann", "user", "id"))
ONE_ADDRESS = {"x-forwarded-for": "198.51.100.7"}


@pytest.fixture
def pair(shared_servers: SharedServers, kind: Kind, ids: str, here: Side) -> Pair:
    shared = shared_servers.at(kind, f"together, {ids}")
    shared.make(here)
    return Pair(shared)


def ids_in(rows: list[Row]) -> list[str]:
    return [str(value) for row in rows for name, value in row.items() if name in {"id", "userId"}]


def test_users_sessions_and_second_factors(pair: Pair, here: Side, there: Side, ids: str) -> None:
    ann = pair.content(here, ANN)["user"]
    bob = pair.content(there, BOB)["user"]
    assert bob["chiefId"] == ann["id"] != bob["id"]
    assert pair.content(there, UNCACHED) == pair.content(here, UNCACHED)
    assert pair.content(there, post("/update-user", {"chiefId": bob["id"]})) == {"status": True}
    assert pair.content(here, UNCACHED)["user"]["chiefId"] == bob["id"]
    pair.content(there, sign_in(jar="c", label="again"))
    sessions = pair.content(here, get("/list-sessions"))
    assert {each["userId"] for each in sessions} == {ann["id"]}
    pair.content(here, post("/revoke-session", {"token": reply("again", "token")}))
    assert pair.content(there, whoami(jar="c")) is None
    pair.content(here, post("/two-factor/enable", PASSWORD, label="enable"))
    pair.content(there, post("/two-factor/verify-totp", {"code": Code("enable", -1)}))
    pair.content(there, sign_in(jar="d"))
    verified = pair.content(here, post("/two-factor/verify-totp", {"code": Code("enable")}, jar="d"))
    assert verified["user"]["id"] == ann["id"]
    rows = pair.database.rows()
    for table in ("user", "session", "account", "twoFactor", "rateLimit"):
        assert rows[table]
        assert all(re.fullmatch(IDS[ids], each) for each in ids_in(rows[table])), rows[table]


def test_accounts_links_and_counts(pair: Pair, here: Side, there: Side, ids: str) -> None:
    pair.content(there, sign_up("bob@example.com", plan="free", jar="b"))
    pair.content(here, ANN)
    account = pair.content(there, get("/list-accounts"))[0]
    assert pair.content(here, get("/list-accounts")) == [account]
    assert pair.ask(there, post("/unlink-account", {"accountId": account["id"]})).status == 400
    pair.content(here, post("/request-password-reset", {"email": "ann@example.com", "redirectTo": "/reset"}))
    assert re.fullmatch(IDS[ids], str(pair.row("verification")["id"]))
    new = {"token": Mail("reset-password"), "newPassword": "another-password"}
    pair.content(there, post("/reset-password", new, jar="c"))
    sides = (there, here, there, here)
    signed_in = [
        pair.ask(side, sign_in(password="another-password", jar="c", headers=ONE_ADDRESS)).status for side in sides
    ]
    assert signed_in == [200, 200, 200, 429]
    pair.content(here, post("/change-email", {"newEmail": "new@example.com"}))
    assert pair.ask(there, get(Mail("verification", "url"))).status == 302
    assert pair.content(here, UNCACHED)["user"]["email"] == "new@example.com"
    pair.content(there, post("/delete-user", {}))
    pair.content(here, post("/delete-user", {"token": Mail("delete-account")}))
    assert pair.content(there, whoami(jar="c")) is None
    rows = pair.database.rows()
    assert [len(rows[table]) for table in ("user", "session", "account")] == [1, 1, 1]


def test_the_tables_of_either_are_those_of_the_other(pair: Pair, there: Side) -> None:
    made = pair.database.schema()
    pair.shared.remake(there)
    assert pair.database.schema() == made
