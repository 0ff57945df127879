"""What a TypeScript server gives a browser is taken by a Portico server, and the other way round."""

from typing import Any

import pytest

from parity.scenario import Forget, Mail, get, post, reply, sign_in, sign_up, whoami
from parity.scenarios.device_authorization import ask, decide, look, poll
from parity.servers import Side
from parity.shared import DIRECTIONS, Pair, SharedServers
from requirements import requirement

pytestmark = requirement("ARCH-formats", "ARCH-schema", "ARCH-sqlite")

CACHED = ("compact", "jwt", "jwe")

each_direction = pytest.mark.parametrize(("here", "there"), DIRECTIONS, ids=lambda side: side)


@pytest.fixture
def pair(request: pytest.FixtureRequest, shared_servers: SharedServers, here: Side) -> Pair:
    shared = shared_servers.named(request.param)
    shared.make(here)
    return Pair(shared)


@each_direction
@pytest.mark.parametrize("pair", ["core", "bearer", "secure"], indirect=True)
def test_a_session_made_by_either_is_accepted_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, sign_up(label="in"))
    seen = pair.content(there, whoami("?disableCookieCache=true"))
    assert seen["user"] == signed_up["user"]
    assert seen == pair.content(here, whoami("?disableCookieCache=true"))
    assert [each["id"] for each in pair.content(there, get("/list-sessions"))] == [seen["session"]["id"]]


@each_direction
@pytest.mark.parametrize("pair", ["bearer"], indirect=True)
def test_a_bearer_token_of_either_is_accepted_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, sign_up(label="in"))
    authorization = reply("in", "token", template="Bearer {}")
    seen = pair.content(there, whoami(headers={"authorization": authorization}, jar="empty"))
    assert seen["user"] == signed_up["user"]


@each_direction
@pytest.mark.parametrize("pair", CACHED, indirect=True)
def test_a_cached_session_made_by_either_is_read_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, sign_up(name="Ünï 🔐"))
    assert pair.database.run("delete from session") == 1
    assert pair.content(there, whoami())["user"] == signed_up["user"]


@each_direction
@pytest.mark.parametrize("pair", CACHED, indirect=True)
def test_a_cached_session_in_pieces_is_read_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, sign_up(name="x" * 9000))
    assert len([name for name in pair.jars["a"] if "session_data" in name]) > 2
    assert pair.database.run("delete from session") == 1
    assert pair.content(there, whoami())["user"] == signed_up["user"]


@each_direction
@pytest.mark.parametrize("pair", CACHED, indirect=True)
def test_without_the_copy_a_deleted_session_is_gone(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    pair.database.run("delete from session")
    pair.take(Forget("session_data"))
    assert pair.content(there, whoami()) is None


@each_direction
@pytest.mark.parametrize("pair", ["links", "links on postgresql", "closed links"], indirect=True)
def test_a_link_mailed_by_one_works_once_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    pair.set("user", "emailVerified", True)
    pair.content(here, post("/sign-in/magic-link", {"email": "ann@example.com"}, jar="z"))
    link = get(Mail("magic-link", template="/magic-link/verify?token={}"), jar="b")
    assert pair.content(there, link)["user"]["email"] == "ann@example.com"
    assert pair.content(here, whoami("?disableCookieCache=true", jar="b"))["user"]["email"] == "ann@example.com"
    for side in (here, there):
        again = pair.ask(side, link)
        assert (again.status, dict(again.headers)["location"].partition("?")[2]) == (302, "error=INVALID_TOKEN")


@each_direction
@pytest.mark.parametrize("pair", ["several", "several and secure"], indirect=True)
def test_users_who_share_a_browser_at_one_do_so_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    ann = pair.content(here, sign_up(label="ann"))
    bob = pair.content(there, sign_up("bob@example.com", label="bob"))
    for side in (here, there):
        listed = pair.content(side, get("/multi-session/list-device-sessions"))
        assert {each["session"]["token"] for each in listed} == {ann["token"], bob["token"]}
    turns: list[tuple[Side, Any]] = [(there, ann), (here, bob)]
    for side, user in turns:
        active = pair.content(side, post("/multi-session/set-active", {"sessionToken": user["token"]}))
        assert active["session"]["token"] == user["token"]
    pair.content(there, post("/multi-session/revoke", {"sessionToken": bob["token"]}))
    assert pair.content(here, whoami())["session"]["token"] == ann["token"]
    pair.content(here, post("/sign-out"))
    assert pair.content(there, get("/multi-session/list-device-sessions")) == []
    assert pair.rows("session") == []


@each_direction
@pytest.mark.parametrize("pair", ["devices", "devices on postgresql"], indirect=True)
def test_a_device_that_asked_at_either_is_let_in_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, sign_up(label="in"))
    pair.content(here, ask())
    assert pair.content(there, look())["client_id"] == "cli"
    assert pair.content(here, decide("approve")) == {"success": True}
    token = pair.content(there, poll("token"))
    assert token["scope"] == "read write"
    authorization = reply("token", "access_token", template="Bearer {}")
    seen = pair.content(here, whoami(headers={"authorization": authorization}, jar="empty"))
    assert seen["user"] == signed_up["user"]
    assert pair.database.rows()["deviceCode"] == []


@each_direction
@pytest.mark.parametrize("pair", ["sent codes", "sent codes on postgresql"], indirect=True)
def test_a_code_that_one_sent_is_verified_once_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    pair.content(there, post("/two-factor/enable", {"password": "password123", "method": "otp"}))
    assert pair.content(here, sign_in(jar="b"))["twoFactorMethods"] == ["otp"]
    pair.content(here, post("/two-factor/send-otp", {}, jar="b"))
    code = Mail("otp", "otp")
    assert pair.ask(there, post("/two-factor/verify-otp", {"code": "000000"}, jar="b")).status == 401
    assert "token" in pair.content(there, post("/two-factor/verify-otp", {"code": code}, jar="b"))
    assert pair.content(here, whoami(jar="b"))["user"]["twoFactorEnabled"] is True
    assert pair.ask(here, post("/two-factor/verify-otp", {"code": code}, jar="b")).status == 400
