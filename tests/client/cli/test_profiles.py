"""Several logins side by side: of several users, at several servers."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from client.cli.desk import Desk, Outcome, desk_at_server
from client.runtime.scripted import SESSION, Scripted, reply
from requirements import requirement

pytestmark = requirement("ARCH-cli-profiles")

OTHER = "https://other.example.com"


@pytest.fixture
def two(tmp_path: Path) -> Generator[tuple[Desk, Desk]]:
    """Return two desks with one folder, each at a server of its own."""
    with desk_at_server(tmp_path / "acme") as one, desk_at_server(tmp_path / "acme") as other:
        yield one, other


def test_two_users_of_one_server_are_signed_in_side_by_side(desk: Desk) -> None:
    ann, bob = desk.sign_up(), desk.sign_up("Bob")
    desk.log_in(ann)
    desk.log_in(bob, "--profile work")
    assert desk.run("profiles") == Outcome(0, f"  default  {desk.url}\n* work  {desk.url}\n", "")
    assert desk.run("whoami").out == "Bob <bob@example.com>\n"
    assert desk.run("whoami --profile default").out == "Ann <ann@example.com>\n"
    assert desk.run("token", ACME_PROFILE="default").out == f"{ann}\n"
    assert desk.run("whoami --profile work", ACME_PROFILE="default").out == "Bob <bob@example.com>\n"
    assert desk.run("switch default") == Outcome(0, "", "")
    assert desk.run("whoami").out == "Ann <ann@example.com>\n"
    assert desk.run("projects").out == f"1 sessions with {ann}\n"
    assert json.loads(desk.run("profiles --json").out) == [
        {"profile": "default", "server": desk.url, "place": "file", "current": True},
        {"profile": "work", "server": desk.url, "place": "file", "current": False},
    ]


def test_logging_out_of_one_leaves_the_other(desk: Desk) -> None:
    ann, bob = desk.sign_up(), desk.sign_up("Bob")
    desk.log_in(ann)
    desk.log_in(bob, "--profile work")
    assert desk.run("logout").code == 0
    assert (desk.session_of(ann) is not None, desk.session_of(bob)) == (True, None)
    assert desk.run("profiles").out == f"  default  {desk.url}\n"
    # Nothing is chosen in its place, unless it is the one that nobody has to name.
    assert desk.run("whoami").out == "Ann <ann@example.com>\n"
    assert desk.run("whoami --profile work") == Outcome(
        4,
        "",
        f"acme: you are not signed in to {desk.url}: run `acme login`, or choose another profile with `acme switch`\n",
    )


@requirement("ARCH-cli-tokens")
def test_two_servers_are_told_apart_by_their_urls_alone(two: tuple[Desk, Desk]) -> None:
    one, other = two
    ann, bob = one.sign_up(), other.sign_up("Bob")
    assert one.log_in(ann).code == 0
    # The same tool, sent elsewhere by an option or a variable.
    assert one.log_in(bob, f"--url {other.url}/").code == 0
    name = other.url.removeprefix("http://")
    assert one.run("profiles").out == f"  default  {one.url}\n* {name}  {other.url}\n"
    assert one.run(f"whoami --url {one.url}").out == "Ann <ann@example.com>\n"
    assert one.run("whoami", ACME_URL=other.url).out == "Bob <bob@example.com>\n"
    assert one.run(f"token --profile {name}").out == f"{bob}\n"
    assert one.run("whoami", ACME_URL=one.url).out == "Ann <ann@example.com>\n"


@requirement("ARCH-cli-tokens")
def test_a_token_is_never_sent_to_another_server_than_its_own(alone: Desk) -> None:
    server = Scripted(reply(SESSION))
    alone.options = {"transport": server.transport}
    assert alone.log_in("t1", "--profile work").code == 0
    before = alone.files
    for command in ("whoami", "token", "logout", "projects"):
        ended = alone.run(command, ACME_URL=OTHER)
        assert (ended.code, ended.out) == (4, "")
        assert ended.err.startswith(f"acme: you are not signed in to {OTHER}: ")
    refused = Outcome(
        2, "", f"acme: profile work is for {alone.url}, not for {OTHER}: name another one with --profile\n"
    )
    for command in ("whoami", "token", "logout", "login --with-token"):
        assert alone.run(f"{command} --profile work --url {OTHER}", "t2\n") == refused
    assert alone.files == before
    # What the login asked; nobody else was asked anything.
    assert server.lines == ["GET /api/auth/get-session"]


def test_the_next_login_of_a_profile_takes_its_place(desk: Desk) -> None:
    ann, bob = desk.sign_up(), desk.sign_up("Bob")
    desk.log_in(ann)
    desk.log_in(bob)
    assert desk.run("whoami").out == "Bob <bob@example.com>\n"
    assert list(json.loads(desk.files["credentials.json"]).values()) == [bob]


def test_without_a_default_server_one_must_be_named(alone: Desk) -> None:
    alone.login = {"base_url": None}
    alone.options = {"transport": Scripted(reply(SESSION), reply(SESSION)).transport}
    nowhere = Outcome(2, "", "acme: where is the server? Give --url or set ACME_URL\n")
    assert [alone.run(command) for command in ("login", "whoami", "token", "logout")] == [nowhere] * 4
    assert alone.log_in("t1", f"--url {OTHER}").code == 0
    # The profile knows it from then on.
    assert alone.run("whoami").out == "Ann <ann@example.com>\n"


@pytest.mark.parametrize("url", ["localhost:3000", "ftp://x", "https://a:b@c", "https://x?y=1"])
def test_what_is_no_address_of_a_server_is_refused(alone: Desk, url: str) -> None:
    ended = alone.run(f"login --url {url}")
    assert (ended.code, ended.out, ended.err.startswith("acme: base_url must look like")) == (2, "", True)
    assert alone.files == {}


@pytest.mark.parametrize("name", ["-x", "a\x07", "\u202ea", "x" * 101])
def test_a_name_that_could_not_be_typed_again_is_refused(alone: Desk, name: str) -> None:
    ended = alone.run("token", ACME_PROFILE=name)
    assert (ended.code, ended.err.startswith("acme: a profile is called by a word")) == (2, True)


def test_nobody_switches_to_a_profile_that_is_not_there(alone: Desk) -> None:
    assert alone.run("switch work") == Outcome(2, "", "acme: there is no profile 'work': see `acme profiles`\n")
    assert alone.run("profiles") == Outcome(0, "", "")
    assert alone.files == {}


@pytest.mark.parametrize("content", ["[]", '{"profiles": 1}', '{"profiles": {"default": {"server": 1}}}', "no json"])
def test_a_file_of_something_else_is_left_as_it_is(alone: Desk, content: str) -> None:
    alone.folder.mkdir()
    path = alone.folder / "profiles.json"
    path.write_text(content)
    path.chmod(0o600)
    for command in ("whoami", "profiles", "switch default", "login"):
        ended = alone.run(command)
        assert (ended.code, ended.out, "remove it" in ended.err) == (1, "", True)
    assert path.read_text() == content
