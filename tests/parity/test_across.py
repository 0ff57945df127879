"""A TypeScript server and a Portico server run on one database at the same time."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from parity.scenario import Call, Code, Forget, get, post, reply, sign_in, sign_up, whoami
from parity.scenarios.tokens import LISTED, account, ask
from parity.servers import Server, Side
from parity.transcript import Exchange, Run
from requirements import requirement

pytestmark = requirement("ARCH-formats", "ARCH-schema", "ARCH-sqlite")

PASSWORD = {"password": "password123"}
CACHED = ("compact", "jwt", "jwe")
DIRECTIONS: tuple[tuple[Side, Side], ...] = (("upstream", "portico"), ("portico", "upstream"))

each_direction = pytest.mark.parametrize(("here", "there"), DIRECTIONS, ids=lambda side: side)


@dataclass
class Pair:
    """Both servers on one file; browsers keep their cookies when they go from one to the other."""

    servers: dict[Side, Server]
    jars: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def ask(self, side: Side, call: Call) -> Exchange:
        exchange = Run(self.servers[side], self.jars, self.texts).take(call)
        assert exchange is not None
        return exchange

    def content(self, side: Side, call: Call) -> Any:
        exchange = self.ask(side, call)
        assert exchange.status == 200, exchange
        return json.loads(exchange.body)

    def sql(self, statement: str) -> int:
        return self.servers["upstream"].run(statement)

    def enroll(self, side: Side) -> None:
        self.content(side, sign_up())
        self.content(side, post("/two-factor/enable", PASSWORD, label="enable"))
        self.content(side, post("/two-factor/verify-totp", {"code": Code("enable", -1)}))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], dict[Side, Server]]]:
    """Start both servers on one file, once per configuration."""
    started: dict[str, dict[Side, Server]] = {}

    def start(configuration: str) -> dict[Side, Server]:
        if configuration not in started:
            folder = tmp_path_factory.mktemp("shared")
            file = folder / "shared.db"
            started[configuration] = {side: Server(side, configuration, folder, file) for side, _ in DIRECTIONS}
        return started[configuration]

    yield start
    for servers in started.values():
        for each in servers.values():
            each.stop()


@pytest.fixture
def pair(request: pytest.FixtureRequest, shared: Callable[[str], dict[Side, Server]]) -> Pair:
    servers = shared(getattr(request, "param", "plugins"))
    servers["upstream"].reset()
    return Pair(servers)


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
    assert pair.sql("delete from session") == 1
    assert pair.content(there, whoami())["user"] == signed_up["user"]


@each_direction
@pytest.mark.parametrize("pair", CACHED, indirect=True)
def test_a_cached_session_in_pieces_is_read_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, sign_up(name="x" * 9000))
    assert len([name for name in pair.jars["a"] if "session_data" in name]) > 2
    assert pair.sql("delete from session") == 1
    assert pair.content(there, whoami())["user"] == signed_up["user"]


@each_direction
@pytest.mark.parametrize("pair", CACHED, indirect=True)
def test_without_the_copy_a_deleted_session_is_gone(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    pair.sql("delete from session")
    Run(pair.servers[here], pair.jars).take(Forget("session_data"))
    assert pair.content(there, whoami()) is None


@each_direction
def test_who_signs_up_at_one_signs_in_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed_up = pair.content(here, sign_up(username="Ann_B"))
    assert pair.content(there, sign_in(jar="b"))["user"] == signed_up["user"]
    assert pair.content(there, post("/sign-in/username", {"username": "ann_b", **PASSWORD}, jar="c"))["token"]
    assert pair.ask(there, sign_in(password="nope", jar="d")).status == 401


@each_direction
def test_a_password_changed_at_one_counts_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    pair.content(there, post("/change-password", {"currentPassword": "password123", "newPassword": "another-password"}))
    assert pair.ask(here, sign_in(jar="b")).status == 401
    assert pair.content(here, sign_in(password="another-password", jar="b"))["token"]


@each_direction
def test_sessions_revoked_at_one_are_gone_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    pair.content(here, sign_in(jar="b", label="other"))
    pair.content(there, post("/revoke-session", {"token": reply("other", "token")}))
    assert pair.content(here, whoami(jar="b")) is None
    pair.content(there, post("/sign-out"))
    assert pair.content(here, whoami()) is None
    assert pair.servers[here].rows()["session"] == []


@each_direction
def test_the_second_factor_turned_on_at_one_is_asked_for_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    assert pair.content(there, sign_in(jar="b"))["twoFactorRedirect"] is True
    verified = pair.content(there, post("/two-factor/verify-totp", {"code": Code("enable", 0)}, jar="b"))
    assert verified["user"]["twoFactorEnabled"] is True


@each_direction
def test_a_challenge_of_one_is_answered_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    pair.content(here, sign_in(jar="b"))
    verified = pair.content(
        there, post("/two-factor/verify-totp", {"code": Code("enable", 0), "trustDevice": True}, jar="b")
    )
    assert pair.content(here, whoami(jar="b"))["session"]["token"] == verified["token"]


@each_direction
def test_a_device_trusted_by_one_is_trusted_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    pair.content(here, sign_in(jar="b"))
    pair.content(here, post("/two-factor/verify-totp", {"code": Code("enable", 0), "trustDevice": True}, jar="b"))
    pair.content(here, post("/sign-out", jar="b"))
    assert "token" in pair.content(there, sign_in(jar="b"))


@each_direction
def test_a_backup_code_of_one_works_once_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.enroll(here)
    used = {"code": reply("enable", "backupCodes", 3)}
    pair.content(there, sign_in(jar="b"))
    assert "token" in pair.content(there, post("/two-factor/verify-backup-code", used, jar="b"))
    pair.content(here, sign_in(jar="c"))
    assert pair.ask(here, post("/two-factor/verify-backup-code", used, jar="c")).status == 401


@pytest.mark.parametrize(("first", "second"), DIRECTIONS)
def test_a_database_made_by_either_suffices_for_the_other(tmp_path: Path, first: Side, second: Side) -> None:
    file = tmp_path / "shared.db"
    maker = Server(first, "plugins", tmp_path, file)
    made = maker.schema()
    maker.stop()
    Server(second, "plugins", tmp_path, file).stop()
    assert maker.schema() == made


@each_direction
@pytest.mark.parametrize("pair", ["encrypted providers"], indirect=True)
def test_tokens_that_either_encrypted_are_used_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    added = account()
    pair.servers[here].run(added.sql, *added.parameters)
    pair.content(here, LISTED)
    refreshed = pair.content(here, ask("/refresh-token"))
    tokens = pair.content(there, ask("/get-access-token"))
    assert tokens["accessToken"] == refreshed["accessToken"]
    again = pair.content(there, ask("/refresh-token"))
    assert again["accessToken"] == f"access for {refreshed['refreshToken']}"
    assert pair.content(here, ask("/get-access-token"))["accessToken"] == again["accessToken"]
