from typing import Any

import pytest

from app import ORIGIN, content, plain
from portico import Auth, Headers, Request
from portico.plugins.bearer import Bearer
from portico.testing import Browser
from requirements import requirement

pytestmark = pytest.mark.anyio

ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}


async def tokens(auth: Auth[Any]) -> tuple[str, str]:
    """Sign up and return the bare and the signed token."""
    response = await Browser(auth, ORIGIN).post("/sign-up/email", ANN)
    headers = dict(response.headers)
    assert headers["access-control-expose-headers"] == "set-auth-token"
    return content(response)["token"], headers["set-auth-token"]


async def session_of(auth: Auth[Any], *headers: tuple[str, str]) -> bytes:
    request = Request(method="GET", path="/api/auth/get-session", headers=Headers(headers))
    return (await auth.handler(request)).body


@requirement("B-31", "S-198")
async def test_a_token_works_bare_signed_and_encoded_whatever_the_case_of_the_scheme() -> None:
    auth = plain(Bearer())
    bare, signed = await tokens(auth)
    encoded = signed.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    for scheme in ("Bearer", "bearer", "BEARER"):
        for token in (bare, signed, encoded):
            assert b"ann@example.com" in await session_of(auth, ("authorization", f"{scheme} {token}")), token


@requirement("B-31", "S01")
@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", "Basic x", "Bearer unknown", "Bearer \x00", "Bearer é.é", "x", "Bearer a b c", "Bearer %ff"],
)
async def test_a_hostile_authorization_is_no_session(value: str) -> None:
    auth = plain(Bearer())
    await tokens(auth)
    assert await session_of(auth, ("authorization", value)) == b"null"


@requirement("B-31")
async def test_a_wrong_signature_is_no_session() -> None:
    auth = plain(Bearer())
    bare, signed = await tokens(auth)
    assert await session_of(auth, ("authorization", f"Bearer {bare}.{'A' * 43}=")) == b"null"
    assert await session_of(auth, ("authorization", f"Bearer {signed[:-2]}")) == b"null"


@requirement("S-198")
async def test_the_bare_token_can_be_refused() -> None:
    auth = plain(Bearer(require_signature=True))
    bare, signed = await tokens(auth)
    assert await session_of(auth, ("authorization", f"Bearer {bare}")) == b"null"
    assert await session_of(auth, ("authorization", f"Bearer {signed}")) != b"null"


@requirement("B-31", "B-48")
async def test_a_request_without_cookies_needs_no_origin() -> None:
    auth = plain(Bearer())
    bare, _ = await tokens(auth)
    headers = Headers([("authorization", f"Bearer {bare}"), ("content-type", "application/json")])
    request = Request(method="POST", path="/api/auth/update-user", headers=headers, body=b'{"name":"B"}')
    response = await auth.handler(request)
    assert (response.status, response.body) == (200, b'{"status":true}')
    signed_out = await auth.handler(Request(method="POST", path="/api/auth/sign-out", headers=headers, body=b"{}"))
    assert signed_out.status == 200
    assert await session_of(auth, ("authorization", f"Bearer {bare}")) == b"null"


@requirement("B-31", "S09")
async def test_a_token_goes_before_a_cookie() -> None:
    auth = plain(Bearer())
    _, ann = await tokens(auth)
    bob = Browser(auth, ORIGIN)
    await bob.post("/sign-up/email", {**ANN, "email": "bob@example.com"})
    headers = (("authorization", f"Bearer {ann}"), ("cookie", bob.headers["cookie"]))
    assert b"ann@example.com" in await session_of(auth, *headers)


@requirement("B-30")
async def test_no_token_is_told_when_no_session_cookie_is_set() -> None:
    auth = plain(Bearer())
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-up/email", ANN)
    for response in (await browser.get("/get-session"), await browser.post("/sign-out"), await browser.get("/ok")):
        assert "set-auth-token" not in dict(response.headers)


@requirement("S-198", "S-126")
async def test_a_server_call_reads_the_header_too() -> None:
    auth = plain(Bearer())
    bare, _ = await tokens(auth)
    session = await auth.api.get_session({"Authorization": f"Bearer {bare}"})
    assert session is not None
    assert session.user.email == "ann@example.com"
