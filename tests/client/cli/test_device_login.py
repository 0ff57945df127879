"""Signing in by a code: the tool asks as the server wants it to, and its user decides in a browser."""

import httpx
import pytest

from client.cli.desk import Desk, Outcome
from client.runtime.scripted import SESSION, Answer, Scripted, reply
from requirements import requirement

pytestmark = requirement("ARCH-cli-login")

CODE = {
    "device_code": "d1",
    "user_code": "ABCD-EFGH",
    "verification_uri": "https://acme.example.com/device",
    "verification_uri_complete": "https://acme.example.com/device?user_code=ABCD-EFGH",
    "expires_in": 600,
    "interval": 5,
}
TOKEN = reply({"access_token": "t1", "token_type": "Bearer", "expires_in": 3600, "scope": ""})
PENDING = reply({"error": "authorization_pending", "error_description": "Pending"}, 400)
SLOWER = reply({"error": "slow_down", "error_description": "Slow down"}, 400)
IN = reply(SESSION)
NOTHING: dict[str, str] = {}


def answered(desk: Desk, *answers: Answer) -> Scripted:
    """Let the desk's tool talk to a server that gives these answers."""
    server = Scripted(*answers)
    desk.options = {"transport": server.transport}
    return server


@requirement("ARCH-cli-tokens", "ARCH-cli-commands")
def test_a_user_who_approves_the_code_is_signed_in(desk: Desk) -> None:
    browser = desk.sign_up()
    desk.meanwhile = [lambda: None, lambda: desk.decide("approve", browser)]
    assert desk.run("login") == Outcome(
        0,
        "",
        f"Open {desk.url}/device and enter the code CODE0\n"
        f"or open {desk.url}/device?user_code=CODE0 and compare the code.\n"
        "Waiting for your approval; Ctrl+C gives up.\n"
        f"Signed in to {desk.url} as Ann <ann@example.com>\n",
    )
    assert desk.pauses == [5, 5]
    token = desk.run("token").out.strip()
    assert token != browser
    assert desk.session_of(token).user.email == "ann@example.com"
    assert desk.run("whoami") == Outcome(0, "Ann <ann@example.com>\n", "")


def test_a_user_who_denies_it_is_not(desk: Desk) -> None:
    browser = desk.sign_up()
    desk.meanwhile = [lambda: desk.decide("deny", browser)]
    ended = desk.run("login")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1] == "acme: the request was denied in the browser"
    assert desk.files == NOTHING
    assert desk.run("whoami").code == 4


@requirement("RFC 8628")
def test_a_server_that_wants_it_slower_is_asked_five_seconds_later_from_then_on(desk: Desk) -> None:
    browser = desk.sign_up()
    desk.meanwhile = [
        lambda: None,
        # For the server, one second has gone by.
        lambda: desk.clock.advance(-4),
        lambda: None,
        lambda: desk.decide("approve", browser),
    ]
    assert desk.run("login").code == 0
    assert desk.pauses == [5, 5, 10, 10]


@requirement("RFC 8628")
def test_nobody_is_asked_after_the_code_has_expired(desk: Desk) -> None:
    ended = desk.run("login")
    assert (ended.code, ended.err.splitlines()[-1]) == (
        1,
        "acme: the code has expired before it was approved: log in again",
    )
    # The code lives for half an hour; the last question would come at its end.
    assert desk.pauses == [5] * 359
    assert desk.files == NOTHING


@requirement("RFC 8628")
def test_a_server_that_is_away_is_asked_less_and_less_often_until_it_is_back(alone: Desk) -> None:
    gone = httpx.ConnectError("Connection refused")
    broken = reply({"code": "SERVICE_UNAVAILABLE"}, 503)
    late = httpx.ReadTimeout("late")
    server = answered(alone, reply(CODE), gone, late, broken, gone, gone, PENDING, SLOWER, TOKEN, IN)
    assert alone.run("login").code == 0
    assert alone.pauses == [5, 10, 20, 40, 60, 60, 5, 10]
    assert server.lines[:2] == ["POST /api/auth/device/code", "POST /api/auth/device/token"]
    assert server.lines[-1] == "GET /api/auth/get-session"


@requirement("RFC 8628")
def test_a_server_that_limits_requests_is_left_alone_for_as_long_as_it_says(alone: Desk) -> None:
    limited = reply({"message": "Too many requests."}, 429, ("x-retry-after", "33"))
    unspecified = reply({"message": "Too many requests."}, 429)
    answered(alone, reply(CODE), limited, unspecified, PENDING, TOKEN, IN)
    assert alone.run("login").code == 0
    assert alone.pauses == [5, 33, 5, 5]


@requirement("RFC 8628")
@pytest.mark.parametrize(("interval", "pause"), [(None, 5), (0, 1), (-3, 1), (7, 7)])
def test_the_interval_is_the_servers_and_never_none_at_all(alone: Desk, interval: int | None, pause: int) -> None:
    code = {name: value for name, value in {**CODE, "interval": interval}.items() if value is not None}
    answered(alone, reply(code), TOKEN, IN)
    assert alone.run("login").code == 0
    assert alone.pauses == [pause]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("access_denied", "the request was denied in the browser"),
        ("expired_token", "the code has expired before it was approved: log in again"),
        ("invalid_grant", "what the server says"),
    ],
)
def test_a_refusal_ends_the_login_with_one_sentence(alone: Desk, error: str, sentence: str) -> None:
    answered(alone, reply(CODE), reply({"error": error, "error_description": "what the server says"}, 400))
    ended = alone.run("login")
    assert (ended.code, ended.err.splitlines()[-1]) == (1, f"acme: {sentence}")
    assert alone.files == NOTHING


def test_a_server_without_the_flow_says_so(alone: Desk) -> None:
    answered(alone, httpx.Response(404))
    assert alone.run("login") == Outcome(1, "", "acme: the server offers no login by code\n")


def test_a_token_that_its_server_does_not_accept_is_not_kept(alone: Desk) -> None:
    answered(alone, reply(CODE), TOKEN, reply(None))
    ended = alone.run("login")
    assert (ended.code, ended.err.splitlines()[-1]) == (
        4,
        f"acme: {alone.url} does not accept the token; does it have the plugin bearer?",
    )
    assert alone.files == NOTHING


def test_client_and_scopes_are_those_of_the_tool(alone: Desk) -> None:
    alone.login = {"client_id": "other", "scopes": ["read", "write"]}
    server = answered(alone, reply(CODE), TOKEN, IN)
    assert alone.run("login").code == 0
    assert server.requests[0].read() == b'{"client_id":"other","scope":"read write"}'
    assert server.requests[1].read() == (
        b'{"grant_type":"urn:ietf:params:oauth:grant-type:device_code","device_code":"d1","client_id":"other"}'
    )


# The browser


@pytest.mark.parametrize(
    ("options", "is_interactive", "has_browser", "opened"),
    [
        ("", True, True, [CODE["verification_uri_complete"]]),
        ("", True, False, [CODE["verification_uri_complete"]]),
        ("--no-browser", True, True, []),
        ("", False, True, []),
    ],
    ids=["opened", "there is none", "not wanted", "nobody at the terminal"],
)
def test_the_browser_is_opened_for_who_sits_at_a_terminal_and_wants_it(
    alone: Desk, options: str, is_interactive: bool, has_browser: bool, opened: list[str]
) -> None:
    alone.is_interactive, alone.has_browser = is_interactive, has_browser
    answered(alone, reply(CODE), TOKEN, IN)
    ended = alone.run(f"login {options}")
    assert (ended.code, alone.opened) == (0, opened)
    told = "Your browser has been told to open it." in ended.err
    assert told is (bool(opened) and has_browser)


def test_without_a_complete_address_the_page_for_codes_is_opened(alone: Desk) -> None:
    alone.is_interactive = True
    code = {name: value for name, value in CODE.items() if name != "verification_uri_complete"}
    answered(alone, reply(code), TOKEN, IN)
    ended = alone.run("login")
    assert (ended.code, alone.opened) == (0, [CODE["verification_uri"]])
    assert "or open" not in ended.err


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "ssh://x", "-x", "x-app:y"])
def test_what_is_no_page_is_shown_and_not_opened(alone: Desk, address: str) -> None:
    alone.is_interactive = True
    answered(alone, reply({**CODE, "verification_uri_complete": address}), TOKEN, IN)
    assert alone.run("login").code == 0
    assert alone.opened == []


@requirement("ARCH-cli-commands")
def test_a_server_cannot_steer_the_terminal(alone: Desk) -> None:
    steering = "\x1b[2J\x07\u202eABC\r\n"
    hostile = {**CODE, "user_code": steering, "verification_uri": f"https://{steering}"}
    user = {**SESSION["user"], "name": steering}
    answered(alone, reply({**hostile, "verification_uri_complete": steering}), TOKEN, reply({**SESSION, "user": user}))
    ended = alone.run("login")
    assert ended.code == 0
    assert [character for character in ended.err if not character.isprintable() and character != "\n"] == []
    assert len(ended.err.splitlines()) == 4
    answered(alone, reply({"error": "invalid_client", "error_description": steering}, 400))
    refused = alone.run("login")
    assert (refused.code, refused.err) == (1, "acme: \ufffd[2J\ufffd\ufffdABC\ufffd\ufffd\n")
