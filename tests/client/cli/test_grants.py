"""A login on a page of an OAuth provider: its tokens are kept as those of sessions are, and ended."""

import json
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from keyring.errors import KeyringLocked

from client.cli.desk import Desk, Drawer, Outcome
from client.cli.grants import NATIVE, kept, unreachable
from client.cli.provider import CLAIMS, HOUR, Answer, Provider, answer, raw, refusal, serving
from client.runtime.scripted import SESSION, USER, Scripted, reply
from portico_client_runtime.cli.grant import Grant
from portico_client_runtime.cli.signing_in import SignedIn
from requirements import requirement

pytestmark = requirement("ARCH-cli-grants")

METADATA = "/.well-known/oauth-authorization-server/api/auth"


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
        ({"code": "the-code", "iss": "https://evil.example.com"}, "the answer is not from the server that was asked"),
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
    assert at_provider.run("whoami") == Outcome(
        4, "", f"acme: you are not signed in to {provider.url}: run `acme login`\n"
    )


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
