"""What is sent: paths, queries, bodies, header fields, and where to."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from pydantic import Field

from client.runtime.acme import GET_SESSION, ORIGIN, READ, WRITE, Face, Model
from client.runtime.scripted import Scripted, reply, sent
from portico_client_runtime import OMIT, BearerAuth, RequestOptions
from portico_client_runtime.errors import ConfigError, ConnectionFailed, TimedOut
from requirements import requirement

pytestmark = pytest.mark.anyio


class Item(Model):
    call_at: datetime = Field(alias="callAt")
    note: str | None = None


@requirement("ARCH-client-requests")
async def test_placeholders_are_percent_encoded(face: Face) -> None:
    server = Scripted(reply(1))
    async_reply = await face.do(face.open(transport=server.transport).send, READ, path={"id": "a/b c?ü"})
    assert async_reply == 1
    assert server.lines == ["GET /api/auth/read/a%2Fb%20c%3F%C3%BC"]


@requirement("ARCH-client-requests")
@pytest.mark.parametrize("value", ["", ".", ".."])
async def test_a_value_that_leads_to_another_path_is_refused_before_anything_is_sent(face: Face, value: str) -> None:
    server = Scripted()
    with pytest.raises(ConfigError):
        await face.do(face.open(transport=server.transport).send, READ, path={"id": value})
    assert server.requests == []


@requirement("ARCH-client-requests")
async def test_a_query_has_text_for_booleans_dates_and_lists_and_leaves_out_what_is_not_given(face: Face) -> None:
    server = Scripted(reply(None))
    query = {
        "on": True,
        "off": False,
        "at": datetime(2030, 1, 2, 3, 4, 5, 678999, tzinfo=UTC),
        "many": ["a b", 2],
        "not": OMIT,
        "nothing": None,
    }
    await face.do(face.open(transport=server.transport).send, GET_SESSION, query=query)
    assert server.lines == [
        "GET /api/auth/get-session?on=true&off=false&at=2030-01-02T03%3A04%3A05.678Z&many=a+b&many=2"
    ]


@requirement("ARCH-client-requests")
async def test_a_body_has_null_for_none_and_models_by_alias_without_what_was_not_set(face: Face) -> None:
    server = Scripted(reply(None))
    moment = datetime(2030, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    body: dict[str, Any] = {
        "items": [Item(callAt=moment), Item(callAt=moment, note=None)],
        "image": None,
        "name": OMIT,
        "deep": {"at": moment, "no": OMIT},
    }
    await face.do(face.open(transport=server.transport).send, WRITE, body=body)
    text = "2030-01-02T03:04:05.000Z"
    assert sent(server.last) == {
        "items": [{"callAt": text}, {"callAt": text, "note": None}],
        "image": None,
        "deep": {"at": text},
    }
    assert server.last.headers["content-type"] == "application/json"


@requirement("ARCH-client-requests")
async def test_an_operation_without_a_body_has_no_content_type(face: Face) -> None:
    server = Scripted(reply(None))
    await face.do(face.open(transport=server.transport).send, WRITE)
    assert server.last.read() == b""
    assert "content-type" not in server.last.headers


@requirement("S-220")
@pytest.mark.parametrize(
    ("base_url", "path", "origin", "added"),
    [
        ("https://example.com", "/api/auth", "https://example.com", "/api/auth"),
        ("https://example.com/", "/api/auth/", "https://example.com", "/api/auth"),
        ("https://example.com:8443", "auth", "https://example.com:8443", "/auth"),
        ("https://example.com", "/", "https://example.com", ""),
        ("https://example.com/own/", "/api/auth", "https://example.com", "/own"),
    ],
)
async def test_a_base_path_is_added_to_a_base_url_without_a_path(
    face: Face, base_url: str, path: str, origin: str, added: str
) -> None:
    server = Scripted(reply(None))
    client = face.open(base_url, base_path=path, transport=server.transport)
    await face.do(client.get_session)
    assert client.base_url == f"{origin}{added}"
    assert str(server.last.url) == f"{origin}{added}/get-session"
    assert server.last.headers["origin"] == origin


@requirement("S-220")
async def test_the_base_url_comes_from_the_environment_if_it_is_not_given(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BETTER_AUTH_URL", "https://auth.example.com")
    assert face.open(None).base_url == "https://auth.example.com/api/auth"
    monkeypatch.delenv("BETTER_AUTH_URL")
    with pytest.raises(ConfigError, match="BETTER_AUTH_URL"):
        face.open(None)


@requirement("S-220")
@pytest.mark.parametrize(
    "base_url", ["example.com", "ftp://example.com", "https://", "https://a:b@example.com", "https://e.com/?q=1"]
)
async def test_a_base_url_that_is_none_is_refused(face: Face, base_url: str) -> None:
    with pytest.raises(ConfigError):
        face.open(base_url)


@requirement("S-220")
async def test_two_ways_to_carry_requests_are_refused(face: Face) -> None:
    transport = Scripted().transport
    with pytest.raises(ConfigError):
        face.open(transport=transport, http_client=face.http(transport))


@requirement("ARCH-client-requests")
async def test_origin_and_any_field_can_be_given(face: Face) -> None:
    server = Scripted(reply(None), reply(None))
    client = face.open(transport=server.transport, origin="https://app.example.com")
    await face.do(client.get_session)
    await face.do(client.get_session, options=RequestOptions(headers={"Origin": "https://b.example", "X-Own": "1"}))
    first, second = server.requests
    assert (first.headers["origin"], first.headers["accept"]) == ("https://app.example.com", "application/json")
    assert (second.headers["origin"], second.headers["x-own"]) == ("https://b.example", "1")


@requirement("ARCH-client-requests")
async def test_views_have_other_defaults_and_share_the_rest(face: Face) -> None:
    limits: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        return reply(None, 200, ("set-cookie", "better-auth.session_token=t; Path=/"))

    server = Scripted(answer, answer, answer, answer)
    client = face.open(transport=server.transport, timeout=20.0)
    assert client.two_factor is client.two_factor
    view = client.with_options(timeout=5.0, headers={"x-tenant": "acme"})
    again = view.with_options(headers={"x-more": "2"})
    await face.do(client.get_session)
    await face.do(view.get_session)
    await face.do(again.get_session)
    await face.do(again.get_session, options=RequestOptions(timeout=1.0, headers={"x-tenant": "other"}))
    tenants = [request.headers.get("x-tenant") for request in server.requests]
    assert (limits, tenants) == ([20.0, 5.0, 5.0, 1.0], [None, "acme", "acme", "other"])
    assert server.last.headers["x-more"] == "2"
    assert type(view) is type(client)
    assert view.session is client.session
    assert view.store is client.store
    assert view.cookie_header() == client.cookie_header() == "better-auth.session_token=t"
    assert view.two_factor is not client.two_factor


@requirement("ARCH-client-requests")
async def test_a_request_that_takes_too_long_is_given_up_and_not_sent_again(face: Face) -> None:
    server = Scripted(httpx.ReadTimeout("slow"))
    with pytest.raises(TimedOut):
        await face.do(face.open(transport=server.transport).get_session)
    assert server.lines == ["GET /api/auth/get-session"]


@requirement("ARCH-client-call")
async def test_call_reaches_endpoints_that_the_client_was_not_generated_with(face: Face) -> None:
    server = Scripted(reply({"a": 1}), reply([1]), reply(None), reply(None))
    client = face.open(transport=server.transport)
    assert await face.do(client.call, "/my/thing", query={"deep": True}) == {"a": 1}
    assert client.store.version("session") == 0
    assert await face.do(client.call, "/my/thing", body={"x": None}) == [1]
    assert client.store.version("session") == 1
    assert await face.do(client.call, "/my/thing", method="delete", signals=("things",)) is None
    assert await face.do(client.call, "/my/thing", method="POST", signals=()) is None
    assert (client.store.version("session"), client.store.version("things")) == (1, 1)
    assert server.lines == [
        "GET /api/auth/my/thing?deep=true",
        "POST /api/auth/my/thing",
        "DELETE /api/auth/my/thing",
        "POST /api/auth/my/thing",
    ]
    with pytest.raises(ConfigError):
        await face.do(client.call, "my/thing")


@requirement("ARCH-client-requests")
async def test_a_client_of_httpx_brings_its_fields_and_hooks_and_is_not_closed(face: Face) -> None:
    server = Scripted(reply(None), reply(None))
    http = face.http(server.transport)
    http.headers["user-agent"] = "acme/1"
    client = face.open(ORIGIN, http_client=http)
    await face.do(client.get_session)
    await face.do(client.aclose if face.name == "async" else client.close)
    assert not http.is_closed
    await face.do(client.get_session)
    assert [request.headers["user-agent"] for request in server.requests] == ["acme/1", "acme/1"]


# Requests of the caller's own


@requirement("ARCH-client-call")
async def test_fetch_reaches_every_url_of_the_server_with_the_clients_credentials(face: Face) -> None:
    server = Scripted(httpx.Response(404), httpx.Response(302, headers={"location": "/x"}), httpx.Response(503))
    client = face.open(transport=server.transport, auth=BearerAuth(token="t1"), timeout=5.0)
    assert (await face.do(client.fetch, "GET", f"{ORIGIN}/.well-known/x?a=b%2Fc")).status_code == 404
    assert (await face.do(client.fetch, "POST", f"{ORIGIN}/token", form={"a b": "ü&", "c": ""})).status_code == 302
    # Nobody knows whether it may be sent again.
    assert (await face.do(client.fetch, "DELETE", f"{ORIGIN}/x")).status_code == 503
    assert server.lines == ["GET /.well-known/x?a=b%2Fc", "POST /token", "DELETE /x"]
    got, posted, _ = server.requests
    assert (got.headers["authorization"], got.headers["accept"]) == ("Bearer t1", "application/json")
    assert (got.headers["origin"], "content-type" in got.headers) == (ORIGIN, False)
    assert posted.headers["content-type"] == "application/x-www-form-urlencoded"
    assert posted.read() == b"a+b=%C3%BC%26&c="


@requirement("ARCH-client-call")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/token",
        "https://localhost:3000/token",
        "http://localhost:3001/token",
        "http://localhost/token",
        "http://ann:password@localhost:3000/token",
        "http://localhost:3000@evil.example.com/token",
        "http://localhost:x/token",
        "/token",
        "file:///etc/passwd",
    ],
)
async def test_fetch_sends_credentials_to_no_other_server(face: Face, url: str) -> None:
    server = Scripted()
    client = face.open(transport=server.transport, auth=BearerAuth(token="t1"))
    with pytest.raises(ConfigError):
        await face.do(client.fetch, "POST", url, form={"token": "t1"})
    assert server.lines == []


@requirement("ARCH-client-call")
async def test_fetch_without_a_reply_is_a_failed_connection(face: Face) -> None:
    server = Scripted(httpx.ConnectError("refused"), httpx.ReadTimeout("slow"))
    client = face.open(transport=server.transport)
    with pytest.raises(ConnectionFailed, match="refused"):
        await face.do(client.fetch, "GET", f"{ORIGIN}/x")
    with pytest.raises(TimedOut):
        await face.do(client.fetch, "GET", f"{ORIGIN}/x")
