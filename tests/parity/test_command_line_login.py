"""A command-line tool signs in to upstream's server as it signs in to ours."""

import json
from pathlib import Path

import pytest

from client.cli.desk import PASSWORD, Desk, Outcome
from parity.field import Field
from parity.servers import Side
from portico_client import AuthClient
from requirements import requirement

pytestmark = requirement("ARCH-cli-login")


class Shown:
    """What the tool's browser is told to open, and what its user does there."""

    def __init__(self, desk: Desk, browser: AuthClient, verb: str) -> None:
        self._desk, self._browser, self._verb = desk, browser, verb

    def decide(self) -> None:
        user_code = self._desk.opened[-1].rpartition("user_code=")[2]
        assert self._browser.device(user_code=user_code).status == "pending"
        getattr(self._browser.device, self._verb)(user_code=user_code)


@pytest.mark.parametrize("side", ["upstream", "portico"])
def test_a_tool_signs_in_by_a_code_and_out_again(field: Field, tmp_path: Path, side: Side) -> None:
    server = field.server(side, "devices")
    server.reset()
    url = f"http://127.0.0.1:{server.port}"
    desk = Desk(tmp_path / "acme", url=url, options={"origin": server.origin}, is_interactive=True)
    with AuthClient(url, origin=server.origin) as browser:
        browser.sign_up.email(name="Ann", email="ann@example.com", password=PASSWORD)
        desk.meanwhile = [Shown(desk, browser, "deny").decide]
        denied = desk.run("login")
        assert (denied.code, denied.err.splitlines()[-1]) == (1, "acme: the request was denied in the browser")
        desk.meanwhile = [Shown(desk, browser, "approve").decide]
        signed_in = desk.run("login")
        assert (signed_in.code, signed_in.out) == (0, "")
        assert signed_in.err.splitlines()[-1] == f"Signed in to {url} as Ann <ann@example.com>"
        assert desk.run("whoami") == Outcome(0, "Ann <ann@example.com>\n", "")
        token = desk.run("token").out.strip()
        assert token in {session.token for session in browser.list_sessions()}
        told = json.loads(desk.run("whoami --json").out)["user"]
        assert (told["name"], told["email"], told["emailVerified"]) == ("Ann", "ann@example.com", False)
        assert desk.run("logout") == Outcome(0, "", f"Signed out of {url}\n")
        assert token not in {session.token for session in browser.list_sessions()}
    assert desk.log_in(token).code == 4


@pytest.mark.parametrize("side", ["upstream", "portico"])
def test_a_tool_that_asks_too_soon_is_told_to_slow_down_and_does(field: Field, tmp_path: Path, side: Side) -> None:
    server = field.server(side, "devices")
    server.reset()
    url = f"http://127.0.0.1:{server.port}"
    desk = Desk(tmp_path / "acme", url=url, options={"origin": server.origin}, is_interactive=True)
    with AuthClient(url, origin=server.origin) as browser:
        browser.sign_up.email(name="Ann", email="ann@example.com", password=PASSWORD)
        # The tool's clock runs ahead of the server's, for which no time has gone by.
        ended = desk.run("login")
    assert (ended.code, ended.err.splitlines()[-1]) == (
        1,
        "acme: the code has expired before it was approved: log in again",
    )
    assert desk.pauses == [5, *(5.0 * number for number in range(1, len(desk.pauses)))]
