"""Ways to authenticate, against the server itself; JWTs against a scripted one, which decides when they end."""

import base64
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest

from app import plain
from client.runtime.acme import (
    LIST_SESSIONS,
    REVOKE_SESSIONS,
    SIGN_OUT,
    WRITE,
    AsyncAcme,
    Face,
    SignedIn,
    TwoFactorRequired,
)
from client.runtime.scripted import SESSION, USER, Scripted, reply
from plugins.second_step import totp_of
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import TwoFactor
from portico.testing import Clock
from portico_client_runtime import (
    ApiKeyAuth,
    Authentication,
    BearerAuth,
    CookieAuth,
    FileStorage,
    ForwardedAuth,
    JWTAuth,
    MemoryStorage,
    RequestOptions,
)
from portico_client_runtime.errors import ConfigError, StorageError, Unauthorized
from portico_client_runtime.steps import Conversation
from requirements import requirement

pytestmark = pytest.mark.anyio
KEY = "http://localhost:3000/api/auth"
SESSION_COOKIE = ("set-cookie", "better-auth.session_token=t; Path=/; HttpOnly; SameSite=Lax")


def jwt(ends_in: float | None, name: str = "a") -> str:
    claims = {"sub": name} if ends_in is None else {"sub": name, "exp": time.time() + ends_in}
    parts = (json.dumps(part).encode() for part in ({"alg": "EdDSA"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2ln"])


@requirement("ARCH-client-authentication", "ARCH-client-cookies", "S-234")
async def test_cookies_carry_a_session_from_sign_up_to_sign_out(face: Face) -> None:
    client = face.to(plain())
    assert client.cookie_header() == ""
    signed_in = await face.sign_up(client)
    found = await face.do(client.get_session)
    assert (found.user.email, found.session.token) == ("ann@example.com", signed_in.token)
    assert client.cookie_header().startswith(f"better-auth.session_token={signed_in.token}.")
    assert len(await face.do(client.send, LIST_SESSIONS)) == 1
    await face.do(client.send, SIGN_OUT)
    assert client.cookie_header() == ""
    assert await face.do(client.get_session) is None


@requirement("ARCH-client-cookies")
async def test_two_users_of_one_http_client_never_get_each_others_cookies(face: Face) -> None:
    auth = plain()
    http = face.http(face.transport(auth))
    http.cookies.set("better-auth.session_token", "of-somebody-else")
    ann, bob = (face.open(http_client=http) for _ in range(2))
    await face.sign_up(ann, "ann@example.com")
    assert await face.do(bob.get_session) is None
    await face.sign_up(bob, "bob@example.com")
    assert (await face.do(ann.get_session)).user.email == "ann@example.com"
    assert (await face.do(bob.get_session)).user.email == "bob@example.com"
    assert dict(http.cookies) == {"better-auth.session_token": "of-somebody-else"}


@requirement("S-233")
async def test_a_bearer_token_is_taken_from_a_reply_kept_and_forgotten_with_the_session(
    face: Face, tmp_path: Path
) -> None:
    auth, file = plain(Bearer()), tmp_path / "acme" / "credentials.json"
    client = face.to(auth, auth=BearerAuth(FileStorage(file)))
    signed_in = await face.sign_up(client)
    token = FileStorage(file).load(KEY)
    assert token is not None
    assert token.startswith(f"{signed_in.token}.")
    assert client.cookie_header() == ""
    # Another process finds it.
    other = face.to(auth, auth=BearerAuth(FileStorage(file)))
    assert (await face.do(other.get_session)).user.email == "ann@example.com"
    await face.do(other.send, SIGN_OUT)
    assert FileStorage(file).load(KEY) is None
    assert await face.do(client.get_session) is None


@requirement("S-233")
async def test_a_bearer_token_that_is_given_is_used_until_its_session_ends(face: Face) -> None:
    auth = plain(Bearer())
    signed_in = await face.sign_up(face.to(auth))
    storage = MemoryStorage()
    client = face.to(auth, auth=BearerAuth(storage, token=signed_in.token))
    assert (await face.do(client.get_session)).session.token == signed_in.token
    await face.do(client.send, REVOKE_SESSIONS)
    assert await face.do(client.get_session) is None
    with pytest.raises(Unauthorized):
        await face.do(client.send, LIST_SESSIONS)
    assert storage.load(KEY) is None


@requirement("S-233")
async def test_the_end_of_another_session_does_not_cost_a_bearer_token(face: Face) -> None:
    ended = reply(None, 200, ("set-cookie", "better-auth.session_token=; Path=/; Max-Age=0"))
    server = Scripted(ended, ended)
    storage = MemoryStorage()
    storage.save(KEY, "mine")
    client = face.open(transport=server.transport, auth=BearerAuth(storage))
    await face.do(client.get_session, options=RequestOptions(headers={"authorization": "Bearer other"}))
    assert storage.load(KEY) == "mine"
    await face.do(client.get_session)
    assert storage.load(KEY) is None
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer other", "Bearer mine"]


@requirement("S-233")
async def test_a_refusal_does_not_bring_a_token(face: Face) -> None:
    server = Scripted(reply({}, 403, ("set-auth-token", "evil")))
    storage = MemoryStorage()
    with pytest.raises(Exception, match="403"):
        await face.do(face.open(transport=server.transport, auth=BearerAuth(storage)).get_session)
    assert storage.load(KEY) is None


@requirement("S-229", "S-233")
async def test_a_second_step_works_with_a_bearer_token_and_is_told(face: Face) -> None:
    clock, storage = Clock(), MemoryStorage()
    auth = plain(Bearer(), TwoFactor(issuer="Acme"), clock=clock)
    client = face.to(auth, auth=BearerAuth(storage))
    await face.sign_up(client)
    totp = totp_of((await face.do(client.two_factor.enable, password="password123")).model_dump(by_alias=True))
    await face.do(client.two_factor.verify_totp, code=totp.at(clock()))
    await face.do(client.send, SIGN_OUT)
    assert storage.load(KEY) is None
    assert isinstance(await face.sign_in(client), TwoFactorRequired)
    assert storage.load(KEY) is None
    # The challenge is a cookie: it is no session, so it is kept.
    assert "two_factor" in client.cookie_header()
    clock.advance(30)
    assert isinstance(await face.do(client.two_factor.verify_totp, code=totp.at(clock()), trust_device=True), SignedIn)
    assert (await face.do(client.get_session)).user.email == "ann@example.com"
    assert "session" not in client.cookie_header()
    # The device is trusted now.
    await face.do(client.send, SIGN_OUT)
    assert isinstance(await face.sign_in(client), SignedIn)


@requirement("ARCH-client-authentication")
async def test_a_key_is_sent_alone(face: Face) -> None:
    server = Scripted(reply(None, 200, SESSION_COOKIE), reply(None))
    client = face.open(transport=server.transport, auth=ApiKeyAuth("k1", header="X-Own-Key"))
    await face.do(client.get_session)
    await face.do(client.get_session)
    assert client.cookie_header() == ""
    assert [request.headers["x-own-key"] for request in server.requests] == ["k1", "k1"]
    assert "cookie" not in server.last.headers


@requirement("ARCH-client-authentication")
@pytest.mark.parametrize("form", ["mapping", "request", "starlette"])
async def test_the_credentials_of_an_incoming_request_are_forwarded_and_nothing_is_kept(face: Face, form: str) -> None:
    auth = plain()
    browser = face.to(auth)
    signed_in = await face.sign_up(browser)
    headers = {"Host": "backend.example", "Cookie": browser.cookie_header(), "X-Other": "1"}
    incoming: Any = headers
    if form == "request":
        incoming = SimpleNamespace(headers=httpx.Headers(headers))
    elif form == "starlette":
        from starlette.requests import Request  # noqa: PLC0415  # FastAPI brings it

        fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        incoming = Request({"type": "http", "headers": fields})
    client = face.to(auth, auth=ForwardedAuth(incoming))
    assert (await face.do(client.get_session)).session.token == signed_in.token
    raw = await face.do(client.with_raw_response(client.send), SIGN_OUT)
    assert any("Max-Age=0" in line for line in raw.headers.get_list("set-cookie"))
    assert client.cookie_header() == ""
    assert await face.do(client.get_session) is None


@requirement("ARCH-client-authentication")
async def test_only_cookies_and_authorization_are_forwarded(face: Face) -> None:
    server = Scripted(reply(None))
    fields = [("cookie", "a=1"), ("Cookie", "b=2"), ("authorization", "Bearer t"), ("x-forwarded-for", "1.2.3.4")]
    incoming: Any = SimpleNamespace(headers=SimpleNamespace(items=lambda: fields))
    await face.do(face.open(transport=server.transport, auth=ForwardedAuth(incoming)).get_session)
    last = server.last.headers
    assert (last["cookie"], last["authorization"], last.get("x-forwarded-for")) == ("a=1; b=2", "Bearer t", None)


@requirement("ARCH-client-authentication")
def test_forwarding_what_has_no_text_headers_is_refused() -> None:
    scope: Any = {"type": "http", "headers": [(b"cookie", b"a=1")]}
    with pytest.raises(ConfigError):
        ForwardedAuth(scope)


@requirement("ARCH-client-authentication")
async def test_a_jwt_is_minted_once_and_again_when_it_is_about_to_end(face: Face) -> None:
    short, long = jwt(9), jwt(3600)
    server = Scripted(
        reply({"token": "t", "user": USER}, 200, SESSION_COOKIE),
        reply({"token": short}),
        reply(1),
        reply({"token": long}),
        reply(2),
        reply(3),
    )
    client = face.open(transport=server.transport, auth=JWTAuth())
    await face.sign_in(client)
    assert [await face.do(client.send, WRITE) for _ in range(3)] == [1, 2, 3]
    assert server.lines == [
        "POST /api/auth/sign-in/email",
        "GET /api/auth/token",
        "POST /api/auth/write",
        "GET /api/auth/token",
        "POST /api/auth/write",
        "POST /api/auth/write",
    ]
    authorizations = [request.headers.get("authorization") for request in server.requests]
    assert authorizations == [None, None, f"Bearer {short}", None, f"Bearer {long}", f"Bearer {long}"]


@requirement("ARCH-client-authentication")
async def test_a_jwt_that_is_refused_is_minted_again_once(face: Face) -> None:
    old, new = jwt(None, "old"), jwt(None, "new")
    server = Scripted(
        reply({"token": old}),
        reply({}, 401),
        reply({"token": new}),
        reply("done"),
        reply({}, 401),
        reply({"token": new}),
        reply({}, 401),
    )
    client = face.open(transport=server.transport, auth=JWTAuth(BearerAuth(token="session")))
    assert await face.do(client.send, WRITE, body={"a": 1}) == "done"
    assert [request.headers["authorization"] for request in server.requests] == [
        "Bearer session",
        f"Bearer {old}",
        "Bearer session",
        f"Bearer {new}",
    ]
    assert server.requests[1].read() == server.requests[3].read() == b'{"a":1}'
    with pytest.raises(Unauthorized):
        await face.do(client.send, WRITE)
    assert len(server.requests) == 7


@requirement("ARCH-client-authentication")
async def test_a_jwt_goes_with_its_session(face: Face) -> None:
    first, second = jwt(None, "first"), jwt(None, "second")
    ended = ("set-cookie", "better-auth.session_token=; Path=/; Max-Age=0")
    server = Scripted(
        reply(SESSION, 200, SESSION_COOKIE, ("set-auth-jwt", first)),
        reply(1),
        reply({"success": True}, 200, ended),
        reply(None),
        reply({"token": "t", "user": USER}, 200, SESSION_COOKIE),
        reply({"token": second}),
        reply(2),
    )
    client = face.open(transport=server.transport, auth=JWTAuth(CookieAuth()))
    await face.do(client.get_session)
    await face.do(client.send, WRITE)
    await face.do(client.send, SIGN_OUT)
    await face.do(client.get_session)
    await face.sign_in(client)
    await face.do(client.send, WRITE)
    authorizations = [request.headers.get("authorization") for request in server.requests]
    one, two = f"Bearer {first}", f"Bearer {second}"
    assert authorizations == [None, one, one, None, None, None, two]


@requirement("ARCH-client-authentication")
@pytest.mark.parametrize(
    "answer", [reply({}, 404), reply({"token": 1}), reply([]), httpx.Response(200, content=b"<html>")]
)
async def test_without_a_token_a_request_goes_as_it_is(face: Face, answer: httpx.Response) -> None:
    server = Scripted(answer, reply("done"))
    client = face.open(transport=server.transport, auth=JWTAuth(ApiKeyAuth("k")))
    assert await face.do(client.send, WRITE) == "done"
    assert (server.last.headers["x-api-key"], server.last.headers.get("authorization")) == ("k", None)


@requirement("ARCH-client-authentication")
@pytest.mark.parametrize("authentication", [CookieAuth(), BearerAuth(token="t"), JWTAuth(BearerAuth(token="t"))])
async def test_fields_that_the_caller_gave_stay(face: Face, authentication: Authentication) -> None:
    server = Scripted(reply(None, 401), reply(None, 200))
    client = face.open(transport=server.transport, auth=authentication)
    given = RequestOptions(headers={"authorization": "Basic abc", "Cookie": "own=1"})
    with pytest.raises(Unauthorized):
        await face.do(client.get_session, options=given)
    assert (server.last.headers["authorization"], server.last.headers["cookie"]) == ("Basic abc", "own=1")
    assert len(server.requests) == 1


class Signed(Authentication):
    def apply(self, request: httpx.Request, site: Any) -> Conversation[None]:
        request.headers["x-signature"] = f"{request.method} {site.origin}"
        yield from ()


@requirement("ARCH-client-authentication")
async def test_a_way_of_ones_own_is_a_subclass(face: Face) -> None:
    server = Scripted(reply(None))
    await face.do(face.open(transport=server.transport, auth=Signed()).get_session)
    assert server.last.headers["x-signature"] == "GET http://localhost:3000"


class Blocking:
    """A storage that an event loop has to help along: it would stand still if it were called inside."""

    def __init__(self) -> None:
        self.has_moved = anyio.Event()

    def load(self, key: str) -> str | None:
        anyio.from_thread.run_sync(self.has_moved.set)
        return "token"

    def save(self, key: str, value: str) -> None:
        raise AssertionError

    def delete(self, key: str) -> None:
        raise AssertionError


@requirement("ARCH-client-authentication")
async def test_a_storage_that_blocks_does_not_block_the_event_loop() -> None:
    server, storage = Scripted(reply(None)), Blocking()
    async with AsyncAcme("http://localhost:3000", transport=server.transport, auth=BearerAuth(storage)) as client:
        with anyio.fail_after(5):
            await client.get_session()
    assert storage.has_moved.is_set()
    assert server.last.headers["authorization"] == "Bearer token"


@requirement("ARCH-client-storage")
async def test_a_storage_that_is_not_safe_is_an_error_of_the_call(face: Face, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text("{}")
    file.chmod(0o644)
    told: list[object] = []
    server = Scripted()
    client = face.open(transport=server.transport, auth=BearerAuth(FileStorage(file)), on_error=told.append)
    with pytest.raises(StorageError):
        await face.do(client.get_session)
    assert [type(error) for error in told] == [StorageError]
    assert server.requests == []
