"""What one server writes the other reads, changes and takes away, while both run: on every kind of database."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from parity.databases import KINDS, Kind, Row, insert
from parity.scenario import Call, Code, Mail, get, post, reply, sign_in, sign_up, whoami
from parity.scenarios.fields import FULL
from parity.servers import Side
from parity.shared import DIRECTIONS, PASSWORD, Pair, SharedServers, in_seconds
from requirements import requirement

pytestmark = [
    requirement("ARCH-formats", "ARCH-schema", "S-153"),
    pytest.mark.parametrize(("here", "there"), DIRECTIONS, ids=lambda side: side),
    pytest.mark.parametrize("kind", KINDS),
]

UNCACHED = whoami("?disableCookieCache=true")
OTHER = {"newPassword": "another-password"}
EVERY = {**FULL, "score": 7, "lucky": [1, 2.5, -3]}
SHOWN = {name: value for name, value in EVERY.items() if name != "note"}
TAKEN = {422, 500}
"""Upstream's handler throws what its database says."""
OF_PROVIDER = "a" * 32
ONE_ADDRESS = {"x-forwarded-for": "198.51.100.7"}


@pytest.fixture
def pair(shared_servers: SharedServers, kind: Kind, here: Side) -> Pair:
    shared = shared_servers.at(kind, "together")
    shared.make(here)
    return Pair(shared)


def ann(**fields: Any) -> Call:
    return sign_up(**{"plan": "free", **fields})


def text_of(seconds: float) -> str:
    return in_seconds(seconds).isoformat()


def with_tokens(pair: Pair, side: Side, *, lasts: float = 3600) -> None:
    """Sign up at one server and add an account whose tokens are in the clear, as from before they were encrypted."""
    pair.content(side, ann())
    insert(
        pair.database,
        "account",
        {
            "id": OF_PROVIDER,
            "accountId": "42",
            "providerId": "acme",
            "userId": pair.row("user")["id"],
            "accessToken": "access",
            "refreshToken": "refresh",
            "accessTokenExpiresAt": in_seconds(lasts),
            "scope": "openid,email",
            "createdAt": in_seconds(1),
            "updatedAt": in_seconds(1),
        },
    )


def ask(pair: Pair, path: str, provider: str = "acme") -> Call:
    return post(path, {"accountId": account_of(pair, provider)["id"]})


def account_of(pair: Pair, provider: str) -> Row:
    (found,) = [row for row in pair.rows("account") if row["providerId"] == provider]
    return found


def test_a_user_with_every_field_made_by_either_is_read_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, ann(**EVERY, username="Ann_B"))
    seen = pair.content(there, UNCACHED)
    assert seen["user"] == signed_up["user"]
    assert list(seen["user"]) == list(signed_up["user"])
    assert seen == pair.content(here, UNCACHED)


def test_every_field_changed_by_one_is_read_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann(nickname="x"))
    pair.content(there, post("/update-user", {**EVERY, "name": "Ünï 🔐", "image": "https://example.com/a.png"}))
    seen = pair.content(here, UNCACHED)["user"]
    assert seen == pair.content(there, UNCACHED)["user"]
    assert {name: seen[name] for name in SHOWN} == SHOWN
    assert (seen["name"], seen["image"]) == ("Ünï 🔐", "https://example.com/a.png")
    pair.content(here, post("/update-user", {"nickname": None, "settings": None, "bornAt": None, "tags": []}))
    cleared = pair.content(there, UNCACHED)["user"]
    assert [cleared[name] for name in ("nickname", "settings", "bornAt", "tags")] == [None, None, None, []]


def test_values_that_are_taken_at_one_are_taken_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann(nickname="x", username="ann_b"))
    assert pair.ask(there, ann(jar="b")).status == 422
    assert pair.ask(there, ann(email="bob@example.com", username="Ann_B", jar="b")).status == 400
    assert pair.ask(there, ann(email="bob@example.com", nickname="x", jar="b")).status == 422
    assert len(pair.rows("user")) == 1
    pair.content(there, ann(email="bob@example.com", jar="b"))
    assert pair.ask(there, post("/update-user", {"nickname": "x"}, jar="b")).status in TAKEN
    assert [row["nickname"] for row in pair.rows("user") if row["email"] == "bob@example.com"] == [None]


def test_an_address_is_given_to_one_user_when_both_are_asked_at_once(pair: Pair, here: Side, there: Side) -> None:
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(pair.ask, side, ann(jar=side)) for side in (here, there)]
    assert sorted(call.result().status for call in calls) == [200, 422]
    assert len(pair.rows("user")) == len(pair.rows("account")) == len(pair.rows("session")) == 1


def test_who_signs_up_at_one_signs_in_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, ann(username="Ann_B"))
    assert pair.content(there, sign_in(jar="b"))["user"] == signed_up["user"]
    assert pair.content(there, post("/sign-in/username", {"username": "ann_b", **PASSWORD}, jar="c"))["token"]
    assert pair.ask(there, sign_in(password="nope", jar="d")).status == 401
    assert len(pair.content(here, get("/list-sessions"))) == 3


def test_a_password_changed_at_one_counts_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    pair.content(there, post("/change-password", {"currentPassword": "password123", **OTHER}))
    assert pair.ask(here, sign_in(jar="b")).status == 401
    assert pair.content(here, sign_in(password="another-password", jar="b"))["token"]
    pair.content(here, post("/verify-password", {"password": "another-password"}))


def test_a_session_changed_at_one_is_changed_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    pair.content(there, post("/update-session", {"theme": "dark", "textSize": 12, "note": "n"}))
    session = pair.content(here, UNCACHED)["session"]
    assert (session["theme"], session["textSize"]) == ("dark", 12)
    assert session == pair.content(there, UNCACHED)["session"]
    assert session in pair.content(there, get("/list-sessions"))


def test_sessions_revoked_at_one_are_gone_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    pair.content(here, sign_in(jar="b", label="other"))
    pair.content(there, post("/revoke-session", {"token": reply("other", "token")}))
    assert pair.content(here, whoami(jar="b")) is None
    pair.content(there, sign_in(jar="c"))
    pair.content(here, post("/revoke-other-sessions", {}))
    assert pair.content(there, whoami(jar="c")) is None
    pair.content(there, post("/sign-out"))
    assert pair.content(here, whoami()) is None
    assert pair.rows("session") == []


def test_a_session_is_prolonged_by_either_and_ends_for_both(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    assert pair.set("session", "expiresAt", in_seconds(5 * 86400)) == 1
    pair.content(there, whoami())
    assert pair.content(here, whoami())["session"]["expiresAt"] > text_of(6.9 * 86400)
    pair.set("session", "expiresAt", in_seconds(-60))
    assert pair.content(there, whoami()) is None
    assert pair.rows("session") == []


def test_what_either_forgets_is_forgotten(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann(rememberMe=False))
    ends = pair.content(there, whoami())["session"]["expiresAt"]
    assert text_of(86340) < ends < text_of(86460)
    pair.set("session", "createdAt", in_seconds(-2 * 86400))
    assert pair.ask(there, get("/list-sessions")).status == 403


def test_a_password_is_reset_at_one_by_a_link_of_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    pair.content(here, post("/request-password-reset", {"email": "ann@example.com", "redirectTo": "/reset"}))
    opened = pair.ask(there, get(Mail("reset-password", "url"), jar="b"))
    assert opened.status == 302
    assert dict(opened.headers)["location"].endswith(f"/reset?token={pair.mails[-1]['token']}")
    new = {"token": Mail("reset-password"), **OTHER}
    assert pair.ask(there, post("/reset-password", {**new, "newPassword": "short"}, jar="b")).status == 400
    pair.content(there, post("/reset-password", new, jar="b"))
    assert [mail["kind"] for mail in pair.mails][-1] == "password-was-reset"
    assert pair.ask(here, post("/reset-password", new, jar="b")).status == 400
    assert pair.content(here, sign_in(password="another-password", jar="b"))["token"]


def test_an_expired_link_of_one_is_refused_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    before = pair.rows("account")
    pair.content(here, post("/request-password-reset", {"email": "ann@example.com", "redirectTo": "/reset"}))
    assert pair.set("verification", "expiresAt", in_seconds(-1)) == 1
    refused = pair.ask(there, post("/reset-password", {"token": Mail("reset-password"), **OTHER}, jar="b"))
    assert refused.status == 400
    assert pair.rows("account") == before


def test_an_address_is_proven_at_one_by_a_link_of_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    pair.content(here, post("/send-verification-email", {"email": "ann@example.com"}))
    assert pair.ask(there, get(Mail("verification", "url"), jar="b")).status == 302
    assert pair.content(here, UNCACHED)["user"]["emailVerified"] is True
    assert [mail["kind"] for mail in pair.mails][-2:] == ["before-verification", "after-verification"]


def test_an_address_is_changed_by_links_that_both_sent(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    pair.set("user", "emailVerified", True)
    pair.content(here, post("/change-email", {"newEmail": "New@Example.com", "callbackURL": "/settings"}))
    assert pair.ask(there, get(Mail("change-email-confirmation", "url"))).status == 302
    assert pair.content(here, UNCACHED)["user"]["email"] == "ann@example.com"
    assert pair.ask(here, get(Mail("verification", "url"))).status == 302
    user = pair.content(there, UNCACHED)["user"]
    assert (user["email"], user["emailVerified"]) == ("new@example.com", True)
    assert pair.content(there, sign_in("new@example.com", jar="b"))["user"] == user


def test_a_user_is_deleted_at_one_by_a_link_of_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    pair.content(there, sign_in(jar="b"))
    pair.content(here, post("/delete-user", {"callbackURL": "/bye"}))
    assert pair.ask(there, get(Mail("delete-account", "url"), jar="c")).status == 404
    assert len(pair.rows("user")) == 1
    pair.content(here, post("/delete-user", {"callbackURL": "/bye"}))
    assert pair.ask(there, get(Mail("delete-account", "url"))).status == 302
    assert [mail["kind"] for mail in pair.mails][-2:] == ["before-delete", "after-delete"]
    rows = pair.database.rows()
    assert [rows[table] for table in ("user", "session", "account")] == [[], [], []]
    assert pair.content(here, whoami(jar="b")) is None
    assert pair.ask(here, sign_in(jar="c")).status == 401


def test_who_points_to_a_deleted_user_points_to_nobody(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann(label="chief"))
    bob = ann(email="bob@example.com", jar="b", chiefId=reply("chief", "user", "id"))
    assert pair.content(there, bob)["user"]["chiefId"] == pair.content(here, UNCACHED)["user"]["id"]
    pair.content(there, post("/delete-user", {}))
    pair.content(there, post("/delete-user", {"token": Mail("delete-account")}))
    assert pair.content(here, whoami("?disableCookieCache=true", jar="b"))["user"]["chiefId"] is None


def test_tokens_that_either_encrypted_are_used_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    with_tokens(pair, here)
    assert pair.content(there, ask(pair, "/get-access-token"))["accessToken"] == "access"
    refreshed = pair.content(here, ask(pair, "/refresh-token"))
    assert refreshed["accessToken"] == "access for refresh"
    assert account_of(pair, "acme")["accessToken"] != refreshed["accessToken"]
    tokens = pair.content(there, ask(pair, "/get-access-token"))
    assert tokens["accessToken"] == refreshed["accessToken"]
    assert tokens["accessTokenExpiresAt"] == refreshed["accessTokenExpiresAt"]
    again = pair.content(there, ask(pair, "/refresh-token"))
    assert again["accessToken"] == f"access for {refreshed['refreshToken']}"
    assert pair.content(here, ask(pair, "/get-access-token"))["accessToken"] == again["accessToken"]


def test_tokens_that_ended_are_refreshed_by_either(pair: Pair, here: Side, there: Side) -> None:
    with_tokens(pair, here, lasts=-60)
    assert pair.content(there, ask(pair, "/get-access-token"))["accessToken"] == "access for refresh"
    assert pair.content(here, ask(pair, "/get-access-token"))["accessToken"] == "access for refresh"
    info = get(f"/account-info?accountId={account_of(pair, 'acme')['id']}")
    ours, theirs = (pair.content(side, info) for side in ("portico", "upstream"))
    # Upstream's server adds a field, without which it would let nobody in by the provider.
    assert {**theirs, "user": {**ours["user"], "plan": "free"}} == {**ours, "user": theirs["user"]}


def test_an_account_is_unlinked_at_either(pair: Pair, here: Side, there: Side) -> None:
    with_tokens(pair, here)
    listed = [pair.content(side, get("/list-accounts")) for side in (here, there)]
    assert len(listed[0]) == 2
    # Upstream asks for no order, and every database has one of its own.
    assert sorted(listed[0], key=str) == sorted(listed[1], key=str)
    pair.content(there, ask(pair, "/unlink-account"))
    assert [each["providerId"] for each in pair.content(here, get("/list-accounts"))] == ["credential"]
    assert pair.ask(here, ask(pair, "/unlink-account", "credential")).status == 400
    assert len(pair.rows("account")) == 1


def test_the_account_cookie_of_either_is_used_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    in_cookie = {"useAccountCookie": True}
    pair.sign_in_by_provider()
    first = pair.content(here, post("/refresh-token", in_cookie))
    assert pair.content(there, post("/get-access-token", in_cookie))["accessToken"] == first["accessToken"]
    second = pair.content(there, post("/refresh-token", in_cookie))
    assert second["accessToken"] == f"access for {first['refreshToken']}"
    assert pair.content(here, post("/get-access-token", in_cookie))["accessToken"] == second["accessToken"]
    assert pair.content(here, ask(pair, "/get-access-token"))["accessToken"] == second["accessToken"]
    pair.content(there, post("/sign-out"))
    assert pair.jars["a"] == {}


def test_both_count_together(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, ann())
    before = len(pair.rows("rateLimit"))
    sides = (here, there, there, here, there)
    answers = [pair.ask(side, sign_in(jar="b", headers=ONE_ADDRESS)) for side in sides]
    assert [each.status for each in answers] == [200, 200, 200, 429, 429]
    (row,) = [row for row in pair.rows("rateLimit") if row["key"] == "198.51.100.7|/sign-in/email"]
    assert int(str(row["count"])) == 3
    assert len(pair.rows("rateLimit")) == before + 1
    assert pair.set("rateLimit", "lastRequest", int((in_seconds(-11)).timestamp() * 1000)) == before + 1
    assert pair.ask(there, sign_in(jar="b", headers=ONE_ADDRESS)).status == 200


def test_the_second_factor_turned_on_at_one_is_asked_for_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    assert pair.content(there, sign_in(jar="b"))["twoFactorRedirect"] is True
    verified = pair.content(there, post("/two-factor/verify-totp", {"code": Code("enable", 0)}, jar="b"))
    assert verified["user"]["twoFactorEnabled"] is True


def test_a_challenge_of_one_is_answered_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    pair.content(here, sign_in(jar="b"))
    answer = {"code": Code("enable", 0), "trustDevice": True}
    verified = pair.content(there, post("/two-factor/verify-totp", answer, jar="b"))
    assert pair.content(here, whoami(jar="b"))["session"]["token"] == verified["token"]


def test_a_device_trusted_by_one_is_trusted_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    pair.content(here, sign_in(jar="b"))
    pair.content(here, post("/two-factor/verify-totp", {"code": Code("enable", 0), "trustDevice": True}, jar="b"))
    pair.content(here, post("/sign-out", jar="b"))
    assert "token" in pair.content(there, sign_in(jar="b"))


def test_a_backup_code_of_one_works_once_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    used = {"code": reply("enable", "backupCodes", 3)}
    pair.content(there, sign_in(jar="b"))
    assert "token" in pair.content(there, post("/two-factor/verify-backup-code", used, jar="b"))
    pair.content(here, sign_in(jar="c"))
    assert pair.ask(here, post("/two-factor/verify-backup-code", used, jar="c")).status == 401


def test_the_tables_of_either_suffice_for_the_other(pair: Pair, here: Side, there: Side) -> None:
    made = pair.database.schema()
    pair.shared.servers[there].make_tables()
    assert pair.database.schema() == made
    pair.shared.remake(there)
    assert pair.database.schema() == made
