"""A login on a page of an OAuth provider: its tokens are kept, renewed once by whoever is first, and ended."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from keyring.errors import KeyringLocked

from client.cli.desk import Desk, Drawer, Outcome
from client.cli.provider import CLAIMS, HOUR, Answer, Browser, Provider, answer, raw, refusal, serving
from client.runtime.acme import LIST_SESSIONS, Acme, Session
from client.runtime.scripted import SESSION, USER, Scripted, reply
from portico_client_runtime.cli import Loopback
from portico_client_runtime.cli.grant import LEEWAY, Grant
from portico_client_runtime.cli.signing_in import SignedIn
from requirements import requirement

pytestmark = requirement("ARCH-cli-grants")

NATIVE = Loopback(client_id="acme-native")
GONE = httpx.ConnectError("Connection refused")
METADATA = "/.well-known/oauth-authorization-server/api/auth"
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


class Client(Acme):
    """One whose API takes access tokens."""

    def list_sessions(self) -> list[Session]:
        return self.send(LIST_SESSIONS)


@pytest.fixture
def at_provider(alone: Desk, provider: Provider, caplog: pytest.LogCaptureFixture) -> Iterator[Desk]:
    """Return a desk whose tool signs in at a provider; no token is ever logged."""
    with caplog.at_level("DEBUG"):
        yield sitting(alone, provider)
    assert [token for token in ("access-", "refresh-") if token in caplog.text] == []


def sitting(desk: Desk, provider: Provider) -> Desk:
    desk.url, desk.is_interactive, desk.visit = provider.url, True, Browser().open
    desk.login, desk.client = {"loopback": NATIVE}, Client
    return desk


def kept(desk: Desk) -> dict[str, Any]:
    """Return the one grant in the file."""
    (text,) = json.loads(desk.files["credentials.json"]).values()
    found: dict[str, Any] = json.loads(text)
    return found


def nobody(desk: Desk) -> Outcome:
    return Outcome(4, "", f"acme: you are not signed in to {desk.url}: run `acme login`\n")


def over(desk: Desk) -> Outcome:
    return Outcome(4, "", f"acme: your login to {desk.url} has ended: run `acme login`\n")


# Signing in


@requirement("ARCH-cli-login", "RFC 8252")
def test_where_the_server_has_a_page_users_sign_in_there(at_provider: Desk, provider: Provider) -> None:
    ended = at_provider.run("login")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        f"Your browser has been told to open {at_provider.opened[0]}",
        "Waiting for your answer there; Ctrl+C gives up.",
        f"Signed in to {provider.url} as Ann <ann@example.com>",
    ]
    assert kept(at_provider) == {
        "client_id": "acme-native",
        "access_token": "access-1",
        "refresh_token": "refresh-1",
        "ends_at": at_provider.clock.now.timestamp() + HOUR,
    }
    assert json.loads(at_provider.files["profiles.json"]) == {
        "current": "default",
        "profiles": {"default": {"server": provider.url, "place": "file", "kind": "grant"}},
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in at_provider.folder.iterdir()} == {0o600}
    assert at_provider.run("profiles") == Outcome(0, f"* default  {provider.url}\n", "")
    assert json.loads(at_provider.run("profiles --json").out) == [
        {"profile": "default", "server": provider.url, "place": "file", "current": True}
    ]


def test_the_token_is_for_programs_and_for_commands_of_the_tool(at_provider: Desk, provider: Provider) -> None:
    at_provider.run("login")
    provider.lines.clear()
    assert at_provider.run("token") == Outcome(0, "access-1\n", "")
    assert provider.lines == []
    assert at_provider.run("projects") == Outcome(0, "0 sessions with access-1\n", "")


@requirement("ARCH-cli-commands")
def test_whoami_tells_people_a_name_and_programs_the_claims(at_provider: Desk, provider: Provider) -> None:
    at_provider.run("login")
    assert at_provider.run("whoami") == Outcome(0, "Ann <ann@example.com>\n", "")
    told = json.loads(at_provider.run("whoami --json").out)
    assert told == {"profile": "default", "server": provider.url, "user": CLAIMS}
    provider.instead["/userinfo"] = answer({"sub": "u1\x1b[2J"})
    assert at_provider.run("whoami").out == "u1\N{REPLACEMENT CHARACTER}[2J\n"


@requirement("ARCH-cli-tokens")
def test_with_a_keyring_no_token_is_in_a_file_also_when_it_is_renewed(at_provider: Desk) -> None:
    at_provider.keyring = drawer = Drawer()
    at_provider.run("login")
    at_provider.clock.advance(HOUR)
    assert at_provider.run("token").out == "access-2\n"
    ((key, text),) = drawer.kept.items()
    assert key == ("acme", f"default {at_provider.url}")
    assert json.loads(text)["refresh_token"] == "refresh-2"
    assert list(at_provider.files) == ["profiles.json"]
    assert at_provider.run("logout").code == 0
    assert drawer.kept == {}


@requirement("ARCH-cli-tokens")
def test_insecure_storage_is_for_them_too(at_provider: Desk) -> None:
    at_provider.keyring = drawer = Drawer()
    at_provider.run("login --insecure-storage")
    assert (drawer.kept, kept(at_provider)["access_token"]) == ({}, "access-1")
    drawer.trouble = KeyringLocked("nobody unlocked it")
    assert at_provider.run("token").out == "access-1\n"


@requirement("ARCH-cli-login", "S-233")
@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no page", "{url} offers no login on a page of its own: use a code instead."),
        ("no browser", "No browser could be opened here: use a code instead."),
        ("--no-browser", None),
        ("nobody there", None),
    ],
)
def test_everywhere_else_there_is_a_code(at_provider: Desk, provider: Provider, case: str, said: str | None) -> None:
    if case == "no page":
        provider.said = {"code_challenge_methods_supported": ["plain"]}
    at_provider.has_browser = case != "no browser"
    at_provider.is_interactive = case != "nobody there"
    code = {"device_code": "d1", "user_code": "ABCD", "verification_uri": "/device", "expires_in": 60, "interval": 1}
    provider.instead = {
        "/api/auth/device/code": answer(code),
        "/api/auth/device/token": answer({"access_token": "t1", "token_type": "Bearer", "expires_in": 9, "scope": ""}),
        "/api/auth/get-session": answer(SESSION),
    }
    ended = at_provider.run("login --no-browser" if case == "--no-browser" else "login")
    first, *_, last = ended.err.splitlines()
    assert first == (said or "Open /device and enter the code ABCD").format(url=provider.url)
    assert (ended.code, last) == (0, f"Signed in to {provider.url} as Ann <ann@example.com>")
    # Nobody was asked for what could not be used.
    assert (METADATA in " ".join(provider.lines)) == (case in {"no page", "no browser"})
    assert [form.get("grant_type") for form in provider.forms] == [None] * len(provider.forms)
    assert at_provider.run("token").out == "t1\n"
    assert json.loads(at_provider.files["profiles.json"])["profiles"]["default"]["kind"] == "session"


@requirement("ARCH-cli-login")
def test_a_server_of_portico_has_a_code_for_the_same_tool(desk: Desk) -> None:
    desk.login, desk.is_interactive = {"loopback": NATIVE}, True
    token = desk.sign_up()
    desk.meanwhile = [lambda: desk.decide("approve", token)]
    ended = desk.run("login")
    assert ended.err.splitlines()[0] == f"{desk.url} offers no login on a page of its own: use a code instead."
    assert (ended.code, desk.run("whoami").out) == (0, "Ann <ann@example.com>\n")


@requirement("RFC 9207", "RFC 8252")
@pytest.mark.parametrize(
    ("decided", "sentence"),
    [
        ({"error": "access_denied"}, "the request was denied in the browser"),
        (
            {"error": "server_error", "error_description": "Oops\x1b[2J"},
            "the server refused: Oops\N{REPLACEMENT CHARACTER}[2J",
        ),
        ({"code": "c1", "iss": "https://evil.example.com"}, "the answer is not from the server that was asked"),
        ({"code": "c2"}, "No: invalid_grant"),
    ],
)
def test_a_login_that_comes_to_nothing_changes_nothing(
    at_provider: Desk, provider: Provider, decided: dict[str, str], sentence: str
) -> None:
    at_provider.run("login")
    before = at_provider.files
    provider.decide = lambda query: {"state": query["state"], **decided}
    ended = at_provider.run("login")
    assert (ended.code, ended.out, ended.err.splitlines()[-1]) == (1, "", f"acme: {sentence}")
    assert at_provider.files == before


@pytest.mark.parametrize(
    ("user", "code", "sentence"),
    [
        (answer({}, 401), 4, "{url} does not accept the token that it gave"),
        (refusal("insufficient_scope", 403), 1, "No: insufficient_scope"),
        (answer({"name": "Ann"}), 1, "the server's answer does not say who is signed in"),
        (answer({"sub": 1}), 1, "the server's answer does not say who is signed in"),
        (
            raw(200, b"e30.e30.", content_type="application/jwt"),
            1,
            "the server's answer does not say who is signed in",
        ),
        (raw(302, location="https://evil.example.com"), 1, "HTTP 302"),
        (answer({}, 500), 1, "HTTP 500"),
    ],
)
def test_a_token_that_says_nothing_of_its_user_is_not_kept(
    at_provider: Desk, provider: Provider, user: Answer, code: int, sentence: str
) -> None:
    provider.instead["/userinfo"] = user
    ended = at_provider.run("login")
    assert (ended.code, ended.err.splitlines()[-1]) == (code, f"acme: {sentence.format(url=provider.url)}")
    assert at_provider.files == {}


def test_a_server_whose_secrets_would_go_elsewhere_gets_none(at_provider: Desk, provider: Provider) -> None:
    provider.said = {"token_endpoint": "https://evil.example.com/token"}
    ended = at_provider.run("login")
    assert (ended.code, "another server: https://evil.example.com/token" in ended.err) == (1, True)
    assert (at_provider.opened, at_provider.files) == ([], {})


# The environment


@requirement("ARCH-cli-tokens")
def test_the_token_of_the_environment_comes_first(at_provider: Desk, provider: Provider) -> None:
    at_provider.run("login")
    before = at_provider.files
    provider.live.add("access-of-the-environment")
    given = {"ACME_TOKEN": "access-of-the-environment"}
    provider.instead["/api/auth/get-session"] = answer(None)
    assert at_provider.run("token", **given).out == "access-of-the-environment\n"
    # It may be of either kind.
    assert at_provider.run("whoami", **given) == Outcome(0, "Ann <ann@example.com>\n", "")
    provider.instead["/api/auth/get-session"] = answer({**SESSION, "user": {**USER, "name": "Bob", "email": ""}})
    assert at_provider.run("whoami", **given).out == "Bob\n"
    provider.instead["/api/auth/get-session"] = answer(None)
    assert at_provider.run("whoami", ACME_TOKEN="access-of-nobody").code == 4
    provider.said = {"token_endpoint": None}
    assert at_provider.run("whoami", **given).code == 4
    for command in ("login", "logout"):
        assert at_provider.run(command, **given).code == 2
    assert at_provider.files == before


# Renewing


@requirement("RFC 6749")
@pytest.mark.parametrize(("later", "token"), [(HOUR - LEEWAY - 1, "access-1"), (HOUR - LEEWAY, "access-2")])
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


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused", request=request)


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
        held.there.set()
        assert one.communicate(timeout=PATIENCE) == ("ready\naccess-2\n", "")
        assert other.communicate("t1\n", timeout=PATIENCE)[0] == out
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


# Signing out


@requirement("RFC 7009")
def test_logout_ends_both_tokens_on_the_server_and_forgets_them(at_provider: Desk, provider: Provider) -> None:
    at_provider.run("login")
    provider.forms.clear()
    assert at_provider.run("logout") == Outcome(0, "", f"Signed out of {provider.url}\n")
    assert provider.forms == [
        {"token": "refresh-1", "token_type_hint": "refresh_token", "client_id": "acme-native"},
        {"token": "access-1", "token_type_hint": "access_token", "client_id": "acme-native"},
    ]
    assert provider.live == set()
    assert {name: json.loads(text) for name, text in at_provider.files.items()} == {
        "credentials.json": {},
        "profiles.json": {"current": None, "profiles": {}},
    }
    assert at_provider.run("whoami") == nobody(at_provider)


@requirement("RFC 7009")
@pytest.mark.parametrize("error", ["unsupported_token_type", "invalid_request"])
def test_a_token_that_the_server_cannot_call_back_or_knows_no_more_ends_by_itself(
    at_provider: Desk, provider: Provider, error: str
) -> None:
    provider.gives = {"refresh_token": None}
    at_provider.run("login")
    provider.instead["/revoke"] = refusal(error)
    assert at_provider.run("logout") == Outcome(0, "", f"Signed out of {provider.url}\n")


@requirement("RFC 7009")
@pytest.mark.parametrize(
    ("said", "revoke", "reason"),
    [
        ({}, refusal("unsupported_token_type"), "No: unsupported_token_type"),
        ({}, refusal("invalid_request"), "No: invalid_request"),
        ({}, refusal("invalid_client", 401), "No: invalid_client"),
        ({}, answer({}, 503), "HTTP 503"),
        ({"revocation_endpoint": None}, None, "it ends no tokens before their time"),
        ({"issuer": "https://evil.example.com"}, None, "{url}/api/auth says that it is https://evil.example.com"),
    ],
)
def test_logout_forgets_the_tokens_also_when_the_server_does_not_end_them(
    at_provider: Desk, provider: Provider, said: dict[str, Any], revoke: Answer | None, reason: str
) -> None:
    at_provider.run("login")
    provider.said = said
    if revoke is not None:
        provider.instead["/revoke"] = revoke
    sentence = "acme: the token is forgotten, but its login on the server was not ended: "
    assert at_provider.run("logout") == Outcome(1, "", f"{sentence}{reason.format(url=provider.url)}\n")
    assert json.loads(at_provider.files["credentials.json"]) == {}
    assert json.loads(at_provider.files["profiles.json"]) == {"current": None, "profiles": {}}


@requirement("RFC 7009")
def test_logout_forgets_the_tokens_also_when_the_server_is_away(at_provider: Desk) -> None:
    at_provider.run("login")
    at_provider.options = {"transport": httpx.MockTransport(unreachable)}
    ended = at_provider.run("logout")
    assert (ended.code, ended.err) == (
        1,
        "acme: the token is forgotten, but its login on the server was not ended: Connection refused\n",
    )
    assert json.loads(at_provider.files["credentials.json"]) == {}


# Side by side


@requirement("ARCH-cli-profiles")
def test_logins_of_both_kinds_are_side_by_side(at_provider: Desk, provider: Provider) -> None:
    provider.instead["/api/auth/get-session"] = answer({**SESSION, "user": {**USER, "name": "Bob", "email": ""}})
    provider.instead["/api/auth/sign-out"] = answer({"success": True})
    assert at_provider.run("login").code == 0
    assert at_provider.log_in("t1", "--profile work").code == 0
    assert (at_provider.run("whoami").out, at_provider.run("token").out) == ("Bob\n", "t1\n")
    assert at_provider.run("whoami --profile default").out == "Ann <ann@example.com>\n"
    assert at_provider.run("logout").code == 0
    assert provider.live == {"access-1", "refresh-1"}
    assert at_provider.run("switch default").code == 0
    assert at_provider.run("token").out == "access-1\n"
    # One takes the place of the other.
    assert at_provider.log_in("t1", "--profile default").code == 0
    assert (at_provider.run("whoami").out, at_provider.run("token").out) == ("Bob\n", "t1\n")


@requirement("ARCH-cli-tokens")
def test_tokens_go_to_no_other_server(at_provider: Desk, tmp_path: Path) -> None:
    at_provider.run("login")
    other = Provider()
    with serving(other):
        at_provider.clock.advance(HOUR)
        for command in ("token", "whoami", "logout"):
            assert at_provider.run(f"{command} --url {other.url}").code == 4
    assert other.lines == []


@requirement("ARCH-cli-tokens")
def test_files_of_the_time_before_grants_work(alone: Desk) -> None:
    alone.folder.mkdir(mode=0o700)
    for name, content in (
        ("credentials.json", {"default https://acme.example.com": "t1", "work https://acme.example.com": "t2"}),
        (
            "profiles.json",
            {
                "current": "work",
                "profiles": {
                    "default": {"server": "https://acme.example.com", "place": "file"},
                    "work": {"server": "https://acme.example.com", "place": "file"},
                },
            },
        ),
    ):
        (alone.folder / name).write_text(json.dumps(content))
        (alone.folder / name).chmod(0o600)
    server = Scripted(reply(SESSION), reply({"success": True}))
    alone.options, alone.login = {"transport": server.transport}, {"loopback": NATIVE}
    assert alone.run("token") == Outcome(0, "t2\n", "")
    assert alone.run("whoami") == Outcome(0, "Ann <ann@example.com>\n", "")
    assert alone.run("logout").code == 0
    assert alone.run("switch default").code == 0
    assert alone.run("token") == Outcome(0, "t1\n", "")
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer t2", "Bearer t2"]


def test_tokens_are_in_no_representation() -> None:
    grant = Grant(client_id="acme-native", access_token="secret-1", refresh_token="secret-2", ends_at=5.0)
    signed_in = SignedIn(kind="grant", token=grant.text, user=CLAIMS)
    assert ("secret" in repr(grant), "secret" in repr(signed_in), "secret-2" in grant.text) == (False, False, True)
