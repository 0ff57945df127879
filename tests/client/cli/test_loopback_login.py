"""Signing in on a page of the server: the answer comes to a port of this machine, and only the right one counts."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from portico_client_runtime.cli import LoginError, Machine
from portico_client_runtime.cli.authorization_server import AuthorizationServer, Tokens, discovered
from portico_client_runtime.cli.loopback_login import log_in_by_loopback
from portico_client_runtime.errors import ConnectionFailed, OAuthError
from requirements import requirement

pytestmark = requirement("RFC 8252")

TOKENS = {"access_token": "a1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r1", "scope": "openid"}
SHORT = 0.1
"""In seconds."""
Query = dict[str, str]


@dataclass
class Provider:
    """An authorization server whose users say yes: it sends them back with a code, and takes that code once."""

    url: str = ""
    path: str = "/.well-known/oauth-authorization-server/api/auth"
    """Where its metadata is."""
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """What differs in its metadata."""
    answer: Callable[[Query], Query] = lambda query: {"code": "c1", "state": query["state"]}
    """What is sent back for a question."""
    asked: list[Query] = field(default_factory=list[Query])
    forms: list[Query] = field(default_factory=list[Query])

    @property
    def issuer(self) -> str:
        return f"{self.url}/api/auth"

    def get(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        if parts.path == self.path:
            metadata = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "code_challenge_methods_supported": ["S256"],
                **self.said,
            }
            return 200, {"content-type": "application/json"}, json.dumps(metadata).encode()
        if parts.path != "/authorize":
            return 404, {}, b""
        query = dict(parse_qsl(parts.query))
        self.asked.append(query)
        return 302, {"location": f"{query['redirect_uri']}?{urlencode(self.answer(query))}"}, b""

    def post(self, form: Query) -> tuple[int, dict[str, str], bytes]:
        self.forms.append(form)
        asked = self.asked[-1]
        digest = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        is_right = (
            form["code"] == "c1"
            and form["redirect_uri"] == asked["redirect_uri"]
            and (form["client_id"], form["grant_type"]) == (asked["client_id"], "authorization_code")
            and digest == asked["code_challenge"]
            and len(self.forms) == 1
        )
        answer = (200, TOKENS) if is_right else (400, {"error": "invalid_grant", "error_description": "Wrong code"})
        return answer[0], {"content-type": "application/json"}, json.dumps(answer[1]).encode()


@contextmanager
def serving(provider: Provider) -> Generator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*provider.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._send(*provider.post(dict(parse_qsl(body.decode()))))

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body)), "connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def provider() -> Generator[Provider]:
    provider = Provider()
    with serving(provider):
        yield provider


@dataclass
class Browser:
    """Opens a page, follows where it leads and keeps what is shown in the end."""

    seen: list[httpx.Response] = field(default_factory=list[httpx.Response])

    def open(self, url: str) -> bool:
        self.seen.append(httpx.get(url, follow_redirects=True))
        return True


def logged_in(provider: Provider, open_browser: Callable[[str], bool], timeout: float = 20) -> Tokens:
    with httpx.Client() as http:
        server = discovered(http, provider.issuer)
        assert server is not None
        machine = Machine(open_browser=open_browser)
        return log_in_by_loopback(
            http, server, client_id="acme-cli", scopes=["openid", "email"], machine=machine, timeout=timeout
        )


@requirement("RFC 7636")
def test_a_user_who_agrees_on_the_servers_page_is_signed_in(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = Browser()
    assert logged_in(provider, browser.open).model_dump() == TOKENS
    (asked,), (form,) = provider.asked, provider.forms
    redirect = urlsplit(asked["redirect_uri"])
    assert (redirect.scheme, redirect.hostname, redirect.path) == ("http", "127.0.0.1", "/callback")
    assert {name: asked[name] for name in ("response_type", "client_id", "scope", "code_challenge_method")} == {
        "response_type": "code",
        "client_id": "acme-cli",
        "scope": "openid email",
        "code_challenge_method": "S256",
    }
    assert (len(form["code_verifier"]), len(asked["state"])) == (43, 43)
    shown = browser.seen[0]
    assert (shown.status_code, "You may close this page" in shown.text) == (200, True)
    assert shown.headers["cache-control"] == "no-store"
    # The code is in its address alone.
    assert "c1" not in shown.text
    written = capsys.readouterr()
    assert (written.out, "c1" in written.err, form["code_verifier"] in written.err) == ("", False, False)
    # Nobody listens any more.
    with pytest.raises(httpx.ConnectError):
        httpx.get(asked["redirect_uri"])


def test_every_login_has_secrets_of_its_own(provider: Provider) -> None:
    logged_in(provider, Browser().open)
    with pytest.raises(OAuthError, match="Wrong code"):
        logged_in(provider, Browser().open)
    first, second = provider.asked
    assert all(first[name] != second[name] for name in ("state", "code_challenge"))
    assert provider.forms[0]["code_verifier"] != provider.forms[1]["code_verifier"]


@pytest.mark.parametrize(
    "wrong",
    [
        "code=evil&state=guessed",
        "code=evil",
        "code=evil&state={state}x",
        "code=evil&state=%C3%A9%FF",
        "code=evil&code=c1&state={state}",
        "",
    ],
)
def test_what_is_not_the_answer_is_refused_and_the_login_goes_on(provider: Provider, wrong: str) -> None:
    refused: list[httpx.Response] = []

    def open_browser(url: str) -> bool:
        query = dict(parse_qsl(urlsplit(url).query))
        target = query["redirect_uri"]
        refused.append(httpx.get(f"{target}?{wrong.format(state=query['state'])}"))
        refused.append(httpx.get(f"{target}/elsewhere?{urlencode({'code': 'evil', 'state': query['state']})}"))
        refused.append(httpx.post(target, data={"code": "evil", "state": query["state"]}))
        return Browser().open(url)

    assert logged_in(provider, open_browser).access_token == "a1"
    assert [answer.status_code for answer in refused] == [400, 400, 501]
    assert [form["code"] for form in provider.forms] == ["c1"]


@requirement("RFC 9207")
@pytest.mark.parametrize(
    ("issuer", "is_promised", "is_believed"),
    [
        (None, False, True),
        (None, True, False),
        ("{issuer}", True, True),
        ("{issuer}", False, True),
        ("https://evil.example.com", False, False),
        ("", False, False),
    ],
)
def test_an_answer_of_another_server_is_not_believed(
    provider: Provider, issuer: str | None, is_promised: bool, is_believed: bool
) -> None:
    added = {} if issuer is None else {"iss": issuer.format(issuer=provider.issuer)}
    provider.answer = lambda query: {"code": "c1", "state": query["state"], **added}
    provider.said = {"authorization_response_iss_parameter_supported": is_promised}
    if is_believed:
        assert logged_in(provider, Browser().open).access_token == "a1"
        return
    with pytest.raises(LoginError, match="not from the server that was asked"):
        logged_in(provider, Browser().open)
    assert provider.forms == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"error": "access_denied"}, "the request was denied in the browser"),
        ({"error": "invalid_scope", "error_description": "No such scope"}, "the server refused: No such scope"),
        ({"error": "server_error"}, "the server refused: server_error"),
        ({}, "the answer of the server has no code"),
    ],
)
def test_an_answer_without_a_code_ends_the_login(provider: Provider, answer: Query, sentence: str) -> None:
    provider.answer = lambda query: {"state": query["state"], **answer}
    browser = Browser()
    with pytest.raises(LoginError) as ended:
        logged_in(provider, browser.open)
    assert (str(ended.value), provider.forms) == (sentence, [])
    assert "That did not work." in browser.seen[0].text


def test_nobody_waits_for_ever(provider: Provider) -> None:
    with pytest.raises(LoginError, match="nothing came back from the browser in time"):
        logged_in(provider, lambda _url: False, timeout=SHORT)
    assert provider.forms == []


# What servers say of themselves


@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-authorization-server/api/auth", "/api/auth/.well-known/oauth-authorization-server"]
)
@requirement("RFC 8414")
def test_a_server_is_found_where_the_standard_says_or_below_its_path(provider: Provider, path: str) -> None:
    provider.path = path
    with httpx.Client() as http:
        found = discovered(http, provider.issuer)
    assert found == AuthorizationServer(
        issuer=provider.issuer,
        authorization_endpoint=f"{provider.url}/authorize",
        token_endpoint=f"{provider.url}/token",
        code_challenge_methods_supported=["S256"],
    )


@pytest.mark.parametrize(
    "said",
    [
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": []},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "x"},
    ],
)
@requirement("RFC 8414")
def test_a_server_without_what_is_needed_offers_nothing(provider: Provider, said: dict[str, Any]) -> None:
    provider.said = said
    with httpx.Client() as http:
        assert discovered(http, provider.issuer) is None
        provider.path = "/nowhere"
        assert discovered(http, provider.issuer) is None


@requirement("RFC 8414")
def test_a_server_that_speaks_for_another_is_refused(provider: Provider) -> None:
    provider.said = {"issuer": "https://bank.example.com"}
    with httpx.Client() as http, pytest.raises(LoginError, match="says that it is"):
        discovered(http, provider.issuer)


@requirement("RFC 8414")
def test_a_server_that_is_away_is_told_as_such() -> None:
    with httpx.Client() as http, pytest.raises(ConnectionFailed):
        discovered(http, "http://127.0.0.1:9/api/auth")
