"""What the commands write, and how they end."""

import json
from functools import partial

import httpx
import pytest
import typer
from typer.testing import CliRunner

from client.cli.desk import Desk, Outcome
from client.runtime.scripted import Scripted, reply
from portico_client import AuthClient
from portico_client_runtime import BaseClient
from portico_client_runtime.cli import CommandLineLogin
from requirements import requirement

pytestmark = requirement("ARCH-cli-commands")

NOBODY = "acme: you are not signed in to {}: run `acme login`\n"
GONE = httpx.ConnectError("Connection refused")


def test_whoami_tells_people_a_name_and_programs_the_user(desk: Desk) -> None:
    desk.log_in(desk.sign_up())
    assert desk.run("whoami") == Outcome(0, "Ann <ann@example.com>\n", "")
    ended = desk.run("whoami --json")
    told = json.loads(ended.out)
    user = told["user"]
    assert (ended.code, ended.err) == (0, "")
    assert told == {"profile": "default", "server": desk.url, "user": user}
    assert (user["name"], user["email"], user["emailVerified"], user["image"]) == (
        "Ann",
        "ann@example.com",
        False,
        None,
    )
    # The session is there, too, and with it the token.
    assert desk.run("token").out.strip() not in ended.out


@pytest.mark.parametrize("command", ["whoami", "whoami --json", "token", "logout", "projects"])
def test_whoever_is_not_signed_in_is_told_how_and_gets_no_data(desk: Desk, command: str) -> None:
    assert desk.run(command) == Outcome(4, "", NOBODY.format(desk.url))


def test_token_writes_the_token_and_nothing_else_and_asks_no_server(alone: Desk) -> None:
    server = Scripted()
    alone.options = {"transport": server.transport}
    assert alone.run("token", ACME_TOKEN="t1") == Outcome(0, "t1\n", "")
    assert server.lines == []


def test_a_session_that_has_ended_is_nobodys_and_its_token_is_forgotten(desk: Desk) -> None:
    token = desk.sign_up()
    desk.log_in(token)
    with AuthClient(desk.url) as other:
        other.sign_in.email(email="ann@example.com", password="password123")
        other.revoke_session(token=token)
    assert desk.run("whoami") == Outcome(4, "", NOBODY.format(desk.url))
    assert desk.run("token") == Outcome(4, "", NOBODY.format(desk.url))
    assert json.loads(desk.files["credentials.json"]) == {}


def test_logout_ends_the_session_on_the_server_and_forgets_the_token(desk: Desk) -> None:
    token = desk.sign_up()
    desk.log_in(token)
    assert desk.run("logout") == Outcome(0, "", f"Signed out of {desk.url}\n")
    assert desk.session_of(token) is None
    assert {name: json.loads(text) for name, text in desk.files.items()} == {
        "credentials.json": {},
        "profiles.json": {"current": None, "profiles": {}},
    }
    assert desk.run("whoami").code == 4


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (GONE, "Connection refused"),
        (httpx.ReadTimeout("timed out"), "timed out"),
        (reply({"message": "Busy", "code": "SERVICE_UNAVAILABLE"}, 503), "Busy"),
    ],
    ids=["away", "silent", "broken"],
)
def test_logout_forgets_the_token_also_when_the_server_does_not_answer(
    desk: Desk, answer: httpx.Response | Exception, reason: str
) -> None:
    desk.log_in(desk.sign_up())
    desk.options = {"transport": Scripted(answer).transport}
    assert desk.run("logout") == Outcome(
        1, "", f"acme: the token is forgotten, but its session on the server was not ended: {reason}\n"
    )
    assert json.loads(desk.files["credentials.json"]) == {}
    assert json.loads(desk.files["profiles.json"]) == {"current": None, "profiles": {}}


def test_a_server_that_is_away_is_no_reason_to_forget_who_is_signed_in(desk: Desk) -> None:
    desk.log_in(desk.sign_up())
    before = desk.files
    desk.options = {"transport": Scripted(GONE).transport}
    assert desk.run("whoami") == Outcome(1, "", "acme: the server cannot be reached: Connection refused\n")
    assert desk.files == before


# A token from standard input


def test_a_token_that_works_is_kept(desk: Desk) -> None:
    token = desk.sign_up()
    assert desk.log_in(token) == Outcome(0, "", f"Signed in to {desk.url} as Ann <ann@example.com>\n")
    assert desk.run("token").out == f"{token}\n"


def test_a_token_that_does_not_work_is_not_and_what_was_there_stays(desk: Desk) -> None:
    desk.log_in(desk.sign_up())
    before = desk.files
    assert desk.log_in("no-such-token") == Outcome(
        4, "", f"acme: {desk.url} does not accept the token; does it have the plugin bearer?\n"
    )
    assert desk.files == before
    assert desk.run("whoami").code == 0


@pytest.mark.parametrize("text", ["", "\n", "  \n", "a b\n", "é\n", "a\x00b\n"])
def test_what_is_no_token_is_sent_to_nobody(alone: Desk, text: str) -> None:
    server = Scripted()
    alone.options = {"transport": server.transport}
    ended = alone.run("login --with-token", text)
    assert ended == Outcome(2, "", "acme: standard input has no token: write it there on a line of its own\n")
    assert (server.lines, alone.files) == ([], {})


def test_who_types_a_token_is_asked_for_it_and_does_not_see_it(desk: Desk) -> None:
    desk.is_interactive = True
    token = desk.sign_up()
    ended = desk.log_in(token)
    # The end of the hidden line is the terminal's; the runner plays it on stdout.
    assert (ended.code, ended.out.strip()) == (0, "")
    assert ended.err.startswith("Token:")
    assert token not in ended.err


# Commands of the tool's own


def test_a_command_of_the_tool_speaks_for_who_is_signed_in(desk: Desk) -> None:
    token = desk.sign_up()
    desk.log_in(token)
    assert desk.run("projects") == Outcome(0, f"1 sessions with {token}\n", "")


@pytest.mark.parametrize(
    ("answer", "code", "sentence"),
    [
        (reply({"message": "Unauthorized", "code": "UNAUTHORIZED"}, 401), 4, "Unauthorized"),
        (reply({"message": "Taken", "code": "TAKEN"}, 409), 1, "Taken"),
        (GONE, 1, "the server cannot be reached: Connection refused"),
        (httpx.Response(200, text="<html>"), 1, "the reply does not match its schema: the reply: Invalid JSON"),
    ],
    ids=["not signed in", "refused", "away", "something else"],
)
def test_what_goes_wrong_in_it_is_one_sentence_and_an_exit_code(
    alone: Desk, answer: httpx.Response | Exception, code: int, sentence: str
) -> None:
    alone.client = AuthClient
    alone.options = {"transport": Scripted(answer).transport}
    ended = alone.run("projects", ACME_TOKEN="t1")
    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1)
    assert ended.err.startswith(f"acme: {sentence}")


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, 4), (500, 1)],
)
def test_what_httpx_says_within_is_one_sentence_too(alone: Desk, status: int, code: int) -> None:
    acme = CommandLineLogin(AuthClient, app="acme", client_id="acme-cli", base_url=alone.url, folder=alone.folder)
    cli = typer.Typer()

    @cli.command()
    def fetch() -> None:
        with acme.signed_in():
            transport = Scripted(httpx.Response(status)).transport
            httpx.Client(transport=transport).get("https://api.example.com/").raise_for_status()

    ended = CliRunner().invoke(cli, [], env={"ACME_TOKEN": "t1"})
    assert (ended.exit_code, ended.stdout, ended.stderr.startswith("acme: ")) == (code, "", True)


def test_a_mistake_of_the_tool_itself_is_not_hidden(alone: Desk) -> None:
    acme = CommandLineLogin(AuthClient, app="acme", client_id="acme-cli", base_url=alone.url, folder=alone.folder)
    cli = typer.Typer()

    @cli.command()
    def broken() -> None:
        with acme.signed_in():
            raise LookupError("a bug")

    assert isinstance(CliRunner().invoke(cli, [], env={"ACME_TOKEN": "t1"}).exception, LookupError)


# Where the commands stand


@requirement("ARCH-cli-login")
def test_in_a_group_the_commands_are_called_by_its_name(alone: Desk) -> None:
    alone.login = {"group": "auth"}
    assert alone.run("auth whoami") == Outcome(
        4, "", "acme: you are not signed in to https://acme.example.com: run `acme auth login`\n"
    )
    assert alone.run("whoami").code == 2


@requirement("ARCH-cli-login")
def test_any_class_of_clients_will_do(desk: Desk) -> None:
    token = desk.sign_up()
    desk.client = partial(BaseClient, timeout=10)
    assert desk.log_in(token).code == 0
    assert json.loads(desk.run("whoami --json").out)["user"]["email"] == "ann@example.com"


@pytest.mark.parametrize("command", ["login", "whoami", "token", "logout", "profiles", "switch"])
def test_every_command_explains_itself_by_an_example(alone: Desk, command: str) -> None:
    alone.login = {"group": "auth"}
    ended = alone.run(f"auth {command} --help")
    assert (ended.code, ended.err) == (0, "")
    assert f"acme auth {command}" in " ".join(ended.out.split())


@pytest.mark.parametrize("command", ["login --nothing", "switch", "whoami too-much"])
def test_a_mistake_in_the_command_exits_with_2(alone: Desk, command: str) -> None:
    ended = alone.run(command)
    assert (ended.code, ended.out) == (2, "")
