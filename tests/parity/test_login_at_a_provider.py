"""A command-line tool signs in on a page of upstream's OAuth provider, renews what it got there, and ends it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from client.cli.desk import PASSWORD, Desk, Outcome
from client.cli.provider import HOUR
from parity.field import Field
from parity.servers import Server
from portico_client_runtime.cli import Loopback
from requirements import requirement

pytestmark = requirement("ARCH-cli-grants", "RFC 8252")

ANN = {"name": "Ann", "email": "ann@example.com", "password": PASSWORD}


@dataclass
class Visitor:
    """Somebody who is signed in to the server, in a browser that was told to open its page."""

    http: httpx.Client
    says: bool = True
    """What they answer where they are asked for their consent."""
    questions: int = 0
    """How often that was."""
    shown: str = ""
    """Where it ended."""

    def open(self, url: str) -> None:
        answer = self.http.get(url)
        while answer.has_redirect_location:
            place = answer.headers["location"]
            if urlsplit(place).path == "/consent":
                self.questions += 1
                decision = {"accept": self.says, "oauth_query": urlsplit(place).query}
                place = self.http.post("/api/auth/oauth2/consent", json=decision).raise_for_status().json()["url"]
            answer = self.http.get(place)
        self.shown = f"{answer.status_code} {answer.text}"


@dataclass
class At:
    """A desk whose tool upstream's provider knows, and its user."""

    desk: Desk
    visitor: Visitor
    client_id: str

    def post(self, path: str, **form: str) -> httpx.Response:
        """Post a form to the provider as the tool would."""
        return self.visitor.http.post(f"/api/auth/oauth2/{path}", data={"client_id": self.client_id, **form})

    def kept(self) -> dict[str, str]:
        (text,) = json.loads(self.desk.files["credentials.json"]).values()
        found: dict[str, str] = json.loads(text)
        return found


@pytest.fixture
def server(field: Field) -> Server:
    server = field.server("upstream", "provider")
    server.reset()
    return server


@pytest.fixture
def at(server: Server, tmp_path: Path) -> Iterator[At]:
    with httpx.Client(base_url=server.url, headers={"origin": server.origin}, timeout=30) as http:
        http.post("/api/auth/sign-up/email", json=ANN).raise_for_status()
        registered = http.post(
            "/api/auth/oauth2/create-client",
            json={
                "client_name": "Acme on the command line",
                # Without a port, and it has one when it is used. See RFC 8252 §7.3.
                "redirect_uris": ["http://127.0.0.1/callback"],
                "token_endpoint_auth_method": "none",
                "application_type": "native",
                "grant_types": ["authorization_code", "refresh_token"],
            },
        )
        client_id = registered.raise_for_status().json()["client_id"]
        visitor = Visitor(http)
        loopback = {"loopback": Loopback(client_id=client_id)}
        desk = Desk(tmp_path / "acme", url=server.url, login=loopback, is_interactive=True, visit=visitor.open)
        yield At(desk, visitor, client_id)


def test_a_tool_signs_in_on_upstreams_page_renews_its_token_and_signs_out(at: At) -> None:
    desk, visitor = at.desk, at.visitor
    signed_in = desk.run("login")
    assert (signed_in.code, signed_in.out) == (0, "")
    assert signed_in.err.splitlines()[-1] == f"Signed in to {desk.url} as Ann <ann@example.com>"
    assert (visitor.questions, visitor.shown[:3], "The tool goes on." in visitor.shown) == (1, "200", True)
    assert desk.run("whoami") == Outcome(0, "Ann <ann@example.com>\n", "")
    claims = json.loads(desk.run("whoami --json").out)["user"]
    assert (claims["name"], claims["email"], claims["email_verified"]) == ("Ann", "ann@example.com", False)
    before = at.kept()
    assert desk.run("token").out == f"{before['access_token']}\n"
    desk.clock.advance(HOUR)
    token = desk.run("token").out.strip()
    after = at.kept()
    assert token == after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert desk.run("whoami").code == 0
    assert desk.run("logout") == Outcome(0, "", f"Signed out of {desk.url}\n")
    assert json.loads(desk.files["credentials.json"]) == {}
    # Nothing of it works any more.
    user = visitor.http.get("/api/auth/oauth2/userinfo", headers={"authorization": f"Bearer {token}"})
    renewed = at.post("token", grant_type="refresh_token", refresh_token=after["refresh_token"])
    assert (user.status_code, renewed.status_code, renewed.json()["error"]) == (401, 400, "invalid_grant")


def test_whoever_says_no_there_is_not_signed_in(at: At) -> None:
    at.visitor.says = False
    ended = at.desk.run("login")
    assert (ended.code, ended.err.splitlines()[-1]) == (1, "acme: the request was denied in the browser")
    assert ("That did not work." in at.visitor.shown, at.desk.files) == (True, {})


def test_a_token_that_was_revoked_there_is_renewed(at: At) -> None:
    at.desk.run("login")
    spent = at.kept()["access_token"]
    at.post("revoke", token=spent, token_type_hint="access_token").raise_for_status()
    assert at.desk.run("whoami") == Outcome(0, "Ann <ann@example.com>\n", "")
    assert at.kept()["access_token"] != spent


def test_a_refresh_token_that_comes_again_ends_the_login(at: At) -> None:
    at.desk.run("login")
    stolen = at.kept()["refresh_token"]
    assert at.post("token", grant_type="refresh_token", refresh_token=stolen).status_code == 200
    at.desk.clock.advance(HOUR)
    over = Outcome(4, "", f"acme: your login to {at.desk.url} has ended: run `acme login`\n")
    assert at.desk.run("token") == over
    assert json.loads(at.desk.files["credentials.json"]) == {}
    # A login that outlives its access token is agreed to each time.
    assert at.desk.run("login").code == 0
    assert at.visitor.questions == 2


def test_a_signed_token_for_an_api_ends_by_itself(at: At) -> None:
    issuer = f"{at.desk.url}/api/auth"
    at.desk.login = {"loopback": Loopback(client_id=at.client_id, resource=f"{issuer}/oauth2/userinfo")}
    assert at.desk.run("login").code == 0
    assert at.kept()["access_token"].count(".") == 2
    at.desk.clock.advance(HOUR)
    assert at.desk.run("whoami").out == "Ann <ann@example.com>\n"
    assert at.desk.run("logout") == Outcome(0, "", f"Signed out of {at.desk.url}\n")


def test_the_same_tool_signs_in_by_a_code_where_there_is_no_browser(at: At) -> None:
    at.desk.has_browser = False

    def approve() -> None:
        user_code = at.desk.opened[-1].rpartition("user_code=")[2]
        at.visitor.http.get("/api/auth/device", params={"user_code": user_code}).raise_for_status()
        at.visitor.http.post("/api/auth/device/approve", json={"userCode": user_code}).raise_for_status()

    at.desk.meanwhile = [approve]
    ended = at.desk.run("login")
    assert (ended.code, "No browser could be opened here: use a code instead." in ended.err) == (0, True)
    assert at.desk.run("whoami").out == "Ann <ann@example.com>\n"
