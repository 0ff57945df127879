"""Tokens of an OAuth provider are renewed before they end, by one process at a time, and no trouble loses them."""

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from client.cli.desk import Desk, Outcome
from client.cli.grants import NATIVE, Client, kept, over, unreachable
from client.cli.provider import HOUR, Answer, Provider, answer, raw, refusal
from client.runtime.acme import LIST_SESSIONS
from client.runtime.scripted import SESSION
from portico_client_runtime import MemoryStorage, RequestOptions
from portico_client_runtime.cli import NotSignedInError
from portico_client_runtime.cli.grant import Grant, GrantAuth, KeptGrant
from portico_client_runtime.errors import Unauthorized
from requirements import requirement

pytestmark = requirement("ARCH-cli-grants")

PATIENCE = 30
"""In seconds."""
PROGRAM = """
import sys
from pathlib import Path
from portico_client_runtime import BaseClient
from portico_client_runtime.cli import CommandLineLogin, Loopback, Machine
folder, url, now, *command = sys.argv[1:]
acme = CommandLineLogin(
    BaseClient,
    app="acme",
    client_id="acme-cli",
    base_url=url,
    folder=Path(folder),
    loopback=Loopback(client_id="acme-native"),
    machine=Machine(keyring=lambda: None, clock=lambda: float(now)),
)
print("ready", flush=True)
acme.commands()(command)
"""


@requirement("RFC 6749")
@pytest.mark.parametrize(("later", "token"), [(HOUR - 31, "access-1"), (HOUR - 30, "access-2")])
def test_a_token_that_is_about_to_end_is_renewed(
    at_provider: Desk, provider: Provider, later: float, token: str
) -> None:
    at_provider.run("login")
    at_provider.clock.advance(later)
    assert at_provider.run("token") == Outcome(0, f"{token}\n", "")
    assert at_provider.run("projects") == Outcome(0, f"0 sessions with {token}\n", "")
    assert at_provider.run("whoami").out == "Ann <ann@example.com>\n"
    assert provider.renewals() == ([] if token == "access-1" else ["refresh-1"])
    assert kept(at_provider)["access_token"] == token


@requirement("RFC 6749", "RFC 8707")
def test_what_is_renewed_is_what_was_granted(at_provider: Desk, provider: Provider) -> None:
    api = "https://api.acme.example.com/"
    at_provider.login = {"loopback": replace(NATIVE, resource=api)}
    at_provider.run("login")
    # The next version of the tool has other options.
    at_provider.login = {}
    at_provider.clock.advance(HOUR)
    assert at_provider.run("token").out == "access-2\n"
    assert provider.forms[-1] == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": "acme-native",
        "resource": api,
    }
    assert kept(at_provider) == {
        "client_id": "acme-native",
        "resource": api,
        "access_token": "access-2",
        "refresh_token": "refresh-2",
        "ends_at": at_provider.clock.now.timestamp() + HOUR,
    }


@requirement("RFC 6749")
def test_a_refresh_token_that_is_not_replaced_stays(at_provider: Desk, provider: Provider) -> None:
    at_provider.run("login")
    provider.instead["/token"] = answer({"access_token": "access-9", "token_type": "bearer"})
    at_provider.clock.advance(HOUR)
    assert at_provider.run("token").out == "access-9\n"
    # Nobody said when it ends.
    assert kept(at_provider) == {"client_id": "acme-native", "access_token": "access-9", "refresh_token": "refresh-1"}
    at_provider.clock.advance(1000 * HOUR)
    assert at_provider.run("token").out == "access-9\n"


@pytest.mark.parametrize("command", ["projects", "whoami"])
def test_a_token_that_the_server_ended_early_is_renewed_once(
    at_provider: Desk, provider: Provider, command: str
) -> None:
    at_provider.run("login")
    provider.live.discard("access-1")
    assert at_provider.run(command).code == 0
    assert (provider.renewals(), kept(at_provider)["access_token"]) == (["refresh-1"], "access-2")
    # What is refused again is refused.
    path = "/userinfo" if command == "whoami" else "/api/auth/list-sessions"
    provider.instead[path] = answer({"error": "invalid_token"}, 401)
    assert at_provider.run(command).code == 4
    assert provider.renewals() == ["refresh-1", "refresh-2"]


def test_a_refusal_for_another_reason_costs_no_token(at_provider: Desk, provider: Provider) -> None:
    at_provider.run("login")
    provider.instead["/api/auth/list-sessions"] = answer({"message": "Unauthorized"}, 401)
    assert at_provider.run("projects") == Outcome(4, "", "acme: Unauthorized\n")
    assert provider.renewals() == []


def test_a_header_of_the_callers_own_stays_and_costs_no_token(provider: Provider, tmp_path: Path) -> None:
    storage = MemoryStorage()
    storage.save("", Grant(client_id="acme-native", access_token="access-0", refresh_token="refresh-0").text)

    def never() -> NotSignedInError:
        raise AssertionError

    kept = KeptGrant(
        storage=storage,
        lock=tmp_path / "lock",
        connect=lambda: Client(provider.url),
        clock=lambda: 0.0,
        missing=never,
        ended=never,
    )
    own = RequestOptions(headers={"authorization": "Bearer own"})
    with Client(provider.url, auth=GrantAuth(kept)) as client:
        with pytest.raises(Unauthorized):
            client.send(LIST_SESSIONS, options=own)
        provider.live.add("own")
        assert client.send(LIST_SESSIONS, options=own) == []
    assert provider.lines == ["GET /api/auth/list-sessions"] * 2


@pytest.mark.parametrize("command", ["token", "whoami", "projects"])
def test_a_renewal_that_is_refused_ends_the_login_and_nothing_else(
    at_provider: Desk, provider: Provider, command: str
) -> None:
    at_provider.run("login --profile work")
    at_provider.run("login --profile home")
    work = json.loads(at_provider.files["credentials.json"])[f"work {provider.url}"]
    provider.live.discard("refresh-2")
    at_provider.clock.advance(HOUR)
    assert at_provider.run(command) == over(at_provider)
    assert json.loads(at_provider.files["credentials.json"]) == {f"work {provider.url}": work}
    assert json.loads(at_provider.files["profiles.json"])["profiles"].keys() == {"home", "work"}
    ended = at_provider.run(command)
    assert (ended.code, ended.out, "you are not signed in" in ended.err) == (4, "", True)
    assert provider.renewals() == ["refresh-2"]


def test_a_refresh_token_that_somebody_else_has_used_is_of_no_use(at_provider: Desk, provider: Provider) -> None:
    at_provider.run("login")
    stolen = {"grant_type": "refresh_token", "refresh_token": "refresh-1", "client_id": "acme-native"}
    assert httpx.post(f"{provider.url}/token", data=stolen).json()["access_token"] == "access-2"
    at_provider.clock.advance(HOUR)
    assert at_provider.run("token") == over(at_provider)
    # That is how the provider sees it, too, and how the thief is stopped.
    assert provider.live == set()


@pytest.mark.parametrize(
    ("trouble", "code", "sentence"),
    [
        (refusal("invalid_client", 401), 4, "No: invalid_client"),
        (refusal("unauthorized_client"), 1, "No: unauthorized_client"),
        (refusal("invalid_grant", 500), 1, "No: invalid_grant"),
        (refusal("invalid_grant", 429), 1, "No: invalid_grant"),
        (answer({"code": "invalid_grant", "message": "Busy"}, 400), 1, "Busy"),
        (raw(200, b"<html>"), 1, "the server's answer holds no token that this tool can use"),
        (answer({"access_token": "access-x"}), 1, "the server's answer holds no token that this tool can use"),
        (raw(302, location="https://evil.example.com/token"), 1, "HTTP 302"),
    ],
)
def test_a_renewal_that_fails_otherwise_loses_nothing(
    at_provider: Desk, provider: Provider, trouble: Answer, code: int, sentence: str
) -> None:
    at_provider.run("login")
    before = at_provider.files
    at_provider.clock.advance(HOUR)
    provider.instead["/token"] = trouble
    assert at_provider.run("token") == Outcome(code, "", f"acme: {sentence}\n")
    assert at_provider.files == before
    provider.instead.clear()
    assert at_provider.run("token").out == "access-2\n"


@pytest.mark.parametrize("command", ["token", "whoami", "projects"])
def test_a_server_that_is_away_loses_nothing(at_provider: Desk, provider: Provider, command: str) -> None:
    at_provider.run("login")
    before = at_provider.files
    at_provider.clock.advance(HOUR)
    at_provider.options = {"transport": httpx.MockTransport(unreachable)}
    assert at_provider.run(command) == Outcome(1, "", "acme: the server cannot be reached: Connection refused\n")
    assert at_provider.files == before
    at_provider.options = {}
    assert at_provider.run("token").out == "access-2\n"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"token_endpoint": "https://evil.example.com/token"}, "would have its secrets sent to another server"),
        ({"issuer": "https://evil.example.com"}, "says that it is https://evil.example.com"),
        ({"code_challenge_methods_supported": []}, "does not say any more where its tokens are renewed"),
    ],
)
def test_a_server_that_has_changed_for_the_worse_gets_no_token(
    at_provider: Desk, provider: Provider, said: dict[str, Any], sentence: str
) -> None:
    at_provider.run("login")
    before = at_provider.files
    at_provider.clock.advance(HOUR)
    provider.said = said
    for command in ("token", "whoami"):
        ended = at_provider.run(command)
        assert (ended.code, ended.out, sentence in ended.err) == (1, "", True)
    assert (provider.renewals(), at_provider.files) == ([], before)


def test_a_login_without_a_refresh_token_lasts_as_long_as_its_token(at_provider: Desk, provider: Provider) -> None:
    provider.gives = {"refresh_token": None}
    at_provider.run("login")
    assert at_provider.run("token").out == "access-1\n"
    at_provider.clock.advance(HOUR)
    assert at_provider.run("token") == over(at_provider)
    assert provider.renewals() == []


@pytest.mark.parametrize("text", ["no json, access-1", "{}", '{"client_id": "acme-native"}', "[]"])
def test_what_is_no_grant_is_told_without_showing_it(at_provider: Desk, text: str) -> None:
    at_provider.run("login")
    path = at_provider.folder / "credentials.json"
    path.write_text(json.dumps({f"default {at_provider.url}": text}))
    for command in ("token", "whoami", "projects", "logout"):
        assert at_provider.run(command) == Outcome(
            1, "", "acme: what is kept of this login cannot be read: log in again\n"
        )
    assert at_provider.run("login").code == 0
    assert at_provider.run("token").out == "access-2\n"


# Several processes


class Held:
    """Holds the first renewal until another process is there, and then until that has asked for one, too, or not."""

    def __init__(self) -> None:
        self.first, self.second, self.there = Event(), Event(), Event()

    def __call__(self) -> None:
        if self.first.is_set():
            self.second.set()
            return
        self.first.set()
        assert self.there.wait(PATIENCE)
        # Whoever does not wait for us comes at once.
        self.second.wait(1)


@pytest.mark.parametrize(
    ("command", "out", "kind"),
    [("token", "access-2\n", "grant"), ("logout", "", None), ("login --with-token", "", "session")],
)
def test_one_process_at_a_time_changes_what_is_kept(
    at_provider: Desk, provider: Provider, command: str, out: str, kind: str | None
) -> None:
    at_provider.run("login")
    at_provider.clock.advance(HOUR)
    provider.instead["/api/auth/get-session"] = answer(SESSION)
    provider.meanwhile = held = Held()
    now = str(at_provider.clock.now.timestamp())

    def started(words: str) -> subprocess.Popen[str]:
        line = [sys.executable, "-c", PROGRAM, str(at_provider.folder), provider.url, now, *words.split()]
        pipe = subprocess.PIPE
        return subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    with ExitStack() as processes:
        one = processes.enter_context(started("token"))
        assert held.first.wait(PATIENCE)
        other = processes.enter_context(started(command))
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        assert other.stdin is not None
        other.stdin.write("t1\n")
        other.stdin.flush()
        held.there.set()
        assert one.communicate(timeout=PATIENCE) == ("ready\naccess-2\n", "")
        assert other.communicate(timeout=PATIENCE)[0] == out
    assert (one.returncode, other.returncode) == (0, 0)
    assert provider.renewals() == ["refresh-1"]
    profiles = json.loads(at_provider.files["profiles.json"])["profiles"]
    assert [profile["kind"] for profile in profiles.values()] == ([] if kind is None else [kind])
    if kind == "grant":
        assert kept(at_provider)["refresh_token"] == "refresh-2"
    else:
        left = json.loads(at_provider.files["credentials.json"])
        assert list(left.values()) == ([] if kind is None else ["t1"])
    assert provider.live == (set() if command == "logout" else {"access-2", "refresh-2"})
