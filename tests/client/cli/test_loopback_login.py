"""Signing in on a page of the server: the answer comes to a port of this machine, and only the right one counts."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from client.cli.provider import Browser, Provider, Query, answer, raw
from client.runtime.scripted import Scripted
from portico_client_runtime import BaseClient
from portico_client_runtime.cli import LoginError, Loopback, Machine
from portico_client_runtime.cli.authorization_server import AuthorizationServer, Tokens, discovered
from portico_client_runtime.cli.loopback_login import log_in_by_loopback
from portico_client_runtime.errors import ConfigError, ConnectionFailed, OAuthError, RateLimited, ServerError
from requirements import requirement

pytestmark = requirement("RFC 8252")

TOKENS = {"access_token": "access-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh-1"}
SHORT = 0.1
"""In seconds."""
ACME = Loopback(client_id="acme-native", scopes=["openid", "email"])


def logged_in(
    provider: Provider, open_browser: Callable[[str], bool], timeout: float = 20, tool: Loopback = ACME
) -> Tokens:
    with BaseClient[Any](provider.url) as client:
        server = discovered(client)
        assert server is not None
        found = log_in_by_loopback(client, server, tool, Machine(open_browser=open_browser), timeout=timeout)
    assert found is not None
    return found


def found_at(provider: Provider) -> AuthorizationServer | None:
    with BaseClient[Any](provider.url, max_retries=0) as client:
        return discovered(client)


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
        "client_id": "acme-native",
        "scope": "openid email",
        "code_challenge_method": "S256",
    }
    assert (len(form["code_verifier"]), len(asked["state"])) == (43, 43)
    shown = browser.seen[0]
    assert (shown.status_code, "You may close this page" in shown.text) == (200, True)
    assert shown.headers["cache-control"] == "no-store"
    # The code is in its address alone.
    assert "the-code" not in shown.text
    written = capsys.readouterr()
    assert (written.out, "the-code" in written.err, form["code_verifier"] in written.err) == ("", False, False)
    # Nobody listens any more.
    with pytest.raises(httpx.ConnectError):
        httpx.get(asked["redirect_uri"])


@pytest.mark.parametrize(
    ("tool", "prompt"), [(Loopback(client_id="acme-native"), "consent"), (ACME, None)], ids=["offline", "online"]
)
def test_a_login_that_is_to_last_asks_for_consent(provider: Provider, tool: Loopback, prompt: str | None) -> None:
    logged_in(provider, Browser().open, tool=tool)
    assert provider.asked[0].get("prompt") == prompt


def test_every_login_has_secrets_of_its_own(provider: Provider) -> None:
    logged_in(provider, Browser().open)
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
        "code=evil&code=the-code&state={state}",
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

    assert logged_in(provider, open_browser).access_token == "access-1"
    assert [answer.status_code for answer in refused] == [400, 400, 501]
    assert [form["code"] for form in provider.forms] == ["the-code"]


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
    provider.decide = lambda query: {"code": "the-code", "state": query["state"], **added}
    provider.said = {"authorization_response_iss_parameter_supported": is_promised}
    if is_believed:
        assert logged_in(provider, Browser().open).access_token == "access-1"
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
    provider.decide = lambda query: {"state": query["state"], **answer}
    browser = Browser()
    with pytest.raises(LoginError) as ended:
        logged_in(provider, browser.open)
    assert (str(ended.value), provider.forms) == (sentence, [])
    assert "That did not work." in browser.seen[0].text


def test_nobody_waits_for_ever(provider: Provider) -> None:
    with pytest.raises(LoginError, match="nothing came back from the browser in time"):
        logged_in(provider, lambda _url: True, timeout=SHORT)
    assert provider.forms == []


def test_a_code_that_the_server_does_not_know_is_its_refusal(provider: Provider) -> None:
    provider.decide = lambda query: {"code": "c2", "state": query["state"]}
    with pytest.raises(OAuthError, match="No: invalid_grant"):
        logged_in(provider, Browser().open)


@requirement("RFC 8707")
def test_the_api_that_tokens_are_for_is_named_on_the_page_and_with_the_code(provider: Provider) -> None:
    api = "https://api.acme.example.com/"
    logged_in(provider, Browser().open, tool=Loopback(client_id="acme-native", resource=api))
    assert (provider.asked[0]["resource"], provider.forms[0]["resource"]) == (api, api)
    assert provider.asked[0]["scope"] == "openid profile email offline_access"


def test_a_tool_that_could_not_say_who_signed_in_is_refused() -> None:
    with pytest.raises(ConfigError, match="openid"):
        Loopback(client_id="acme-native", scopes=["email"])


@pytest.mark.parametrize(
    "given",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 1},
        {"access_token": "a\r\nb"},
        {"access_token": "a b"},
        {"access_token": "\u00e9"},
        {"token_type": None},
        {"token_type": "DPoP"},
        {"expires_in": "soon"},
        {"expires_in": -1},
        {"expires_in": 10**400},
        {"refresh_token": ["r1"]},
        {"refresh_token": ""},
    ],
)
def test_tokens_that_cannot_be_used_are_none(provider: Provider, given: dict[str, Any]) -> None:
    provider.gives = given
    with pytest.raises(LoginError) as ended:
        logged_in(provider, Browser().open)
    assert str(ended.value) == "the server's answer holds no token that this tool can use"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b"{" * 2000])
def test_an_answer_that_is_none_is_one_sentence(provider: Provider, body: bytes) -> None:
    provider.instead["/token"] = raw(200, body)
    with pytest.raises(LoginError, match="holds no token"):
        logged_in(provider, Browser().open)


def test_tokens_are_in_no_representation() -> None:
    shown = repr(Tokens(access_token="secret-1", token_type="Bearer", refresh_token="secret-2", expires_in=5))
    assert shown == "Tokens(token_type='Bearer', expires_in=5)"


# What servers say of themselves


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server/api/auth",
        "/api/auth/.well-known/oauth-authorization-server",
        "/api/auth/.well-known/openid-configuration",
    ],
)
@requirement("RFC 8414")
def test_a_server_is_found_where_the_standard_says_or_below_its_path(provider: Provider, path: str) -> None:
    provider.path = path
    assert found_at(provider) == AuthorizationServer(
        issuer=provider.issuer,
        authorization_endpoint=f"{provider.url}/authorize",
        token_endpoint=f"{provider.url}/token",
        userinfo_endpoint=f"{provider.url}/userinfo",
        revocation_endpoint=f"{provider.url}/revoke",
        code_challenge_methods_supported=["S256"],
    )


@requirement("RFC 8414")
def test_what_one_document_leaves_out_is_in_the_other(provider: Provider) -> None:
    provider.said = {"userinfo_endpoint": None}
    assert found_at(provider) is None
    more = {"issuer": provider.issuer, "userinfo_endpoint": f"{provider.url}/me", "token_endpoint": "x"}
    provider.instead["/api/auth/.well-known/openid-configuration"] = answer(more)
    found = found_at(provider)
    assert found is not None
    # The first one counts.
    assert (found.userinfo_endpoint, found.token_endpoint) == (f"{provider.url}/me", f"{provider.url}/token")


@pytest.mark.parametrize(
    "said",
    [
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": []},
        {"code_challenge_methods_supported": None},
        {"code_challenge_methods_supported": "S256"},
        {"grant_types_supported": ["client_credentials", "refresh_token"]},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"userinfo_endpoint": None},
        {"token_endpoint": "x"},
        {"token_endpoint": 1},
        {"token_endpoint": "http://127.0.0.1/#token"},
        {"revocation_endpoint": ["x"]},
        {"issuer": None},
    ],
)
@requirement("RFC 8414")
def test_a_server_without_what_is_needed_offers_nothing(provider: Provider, said: dict[str, Any]) -> None:
    provider.said = said
    assert found_at(provider) is None
    assert provider.forms == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 200_000])
@requirement("RFC 8414")
def test_what_is_no_metadata_offers_nothing(provider: Provider, body: bytes) -> None:
    provider.instead[provider.path] = raw(200, body)
    assert found_at(provider) is None
    provider.path = "/nowhere"
    assert found_at(provider) is None


@requirement("RFC 8414")
def test_metadata_elsewhere_are_not_followed(provider: Provider) -> None:
    provider.instead = {provider.path: raw(302, location="/real")}
    provider.path = "/real"
    assert found_at(provider) is None


@pytest.mark.parametrize("issuer", ["https://bank.example.com", 1, "{issuer}/other", ""])
@requirement("RFC 8414")
def test_a_server_that_speaks_for_another_is_refused(provider: Provider, issuer: object) -> None:
    provider.said = {"issuer": issuer.format(issuer=provider.issuer) if isinstance(issuer, str) else issuer}
    with pytest.raises(LoginError, match="says that it is"):
        found_at(provider)


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint"]
)
@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example.com/x",
        "http://localhost:{port}/x",
        "http://127.0.0.1:1/x",
        "{url}@evil.example.com/x",
        "http://ann@127.0.0.1:{port}/x",
        "https://127.0.0.1:{port}/x",
        "http://[/x",
    ],
)
@requirement("RFC 8414", "ARCH-cli-tokens")
def test_a_server_that_would_have_its_secrets_sent_elsewhere_is_refused(
    provider: Provider, name: str, endpoint: str
) -> None:
    there = endpoint.format(url=provider.url, port=provider.url.rpartition(":")[2])
    provider.said = {name: there}
    with pytest.raises(LoginError) as refused:
        found_at(provider)
    assert str(refused.value) == f"{provider.issuer} would have its secrets sent to another server: {there}"


@requirement("RFC 8414")
def test_a_server_whose_line_is_not_private_is_asked_nothing() -> None:
    with BaseClient[Any]("http://acme.example.com", transport=Scripted().transport) as client:
        assert discovered(client) is None


@pytest.mark.parametrize("status", [429, 500, 503])
@requirement("RFC 8414")
def test_a_server_in_trouble_offers_nothing_less_than_before(provider: Provider, status: int) -> None:
    provider.instead[provider.path] = raw(status)
    with pytest.raises((ServerError, RateLimited)):
        found_at(provider)


@requirement("RFC 8414")
def test_a_server_that_is_away_is_told_as_such() -> None:
    with BaseClient[Any]("http://127.0.0.1:9", max_retries=0) as client, pytest.raises(ConnectionFailed):
        discovered(client)
