"""Keys and tokens of the jwt plugin, between a TypeScript server, a Portico server, and a service that has neither."""

import json
import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest

from parity.field import Field
from parity.scenario import Call, get, post, shift, sign_up, tampered, whoami
from parity.servers import HERE, Side
from parity.shared import DIRECTIONS, Pair, SharedServers
from parity.transcript import Run
from portico.verify import CopyIssuer, SessionVerifier, TokenIssuer
from requirements import requirement

pytestmark = requirement("ARCH-formats", "ARCH-schema", "ARCH-sqlite")

each_direction = pytest.mark.parametrize(("here", "there"), DIRECTIONS, ids=lambda side: side)


@pytest.fixture
def pair(request: pytest.FixtureRequest, shared_servers: SharedServers, here: Side) -> Pair:
    shared = shared_servers.named(request.param)
    shared.make(here)
    return Pair(shared)


def kid_of(token: str) -> str:
    header = token.partition(".")[0]
    return str(json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


@each_direction
@pytest.mark.parametrize("pair", ["tokens", "tokens on postgresql"], indirect=True)
def test_a_key_that_either_made_signs_and_verifies_at_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    mine = pair.content(here, get("/token"))["token"]
    theirs = pair.content(there, get("/token"))["token"]
    assert kid_of(mine) == kid_of(theirs) == pair.row("jwks")["id"]
    assert pair.content(here, get("/jwks")) == pair.content(there, get("/jwks"))
    for token in (mine, theirs):
        for side in (here, there):
            verified = pair.content(side, post("=/__api/verifyJWT", {"token": token}))
            assert verified["payload"]["email"] == "ann@example.com"


@each_direction
@pytest.mark.parametrize("pair", ["signed copies"], indirect=True)
def test_a_copy_that_a_key_pair_signed_at_either_is_read_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    pair.content(here, sign_up())
    assert pair.database.run("delete from session") == 1
    assert pair.content(there, whoami())["user"]["email"] == "ann@example.com"


@each_direction
@pytest.mark.parametrize("pair", ["RS256 tokens"], indirect=True)
def test_an_rsa_key_of_either_is_used_by_the_other(pair: Pair, here: Side, there: Side) -> None:
    signed = [
        pair.content(side, post("=/__api/signJWT", {"payload": {"sub": "ann"}}))["token"] for side in (here, there)
    ]
    assert len(pair.rows("jwks")) == 1
    for side in (here, there):
        for token in signed:
            assert pair.content(side, post("=/__api/verifyJWT", {"token": token}))["payload"]["sub"] == "ann"


@each_direction
@pytest.mark.parametrize("pair", ["configured tokens"], indirect=True)
def test_keys_of_both_take_turns(pair: Pair, here: Side, there: Side) -> None:
    keys = "/.well-known/jwks.json"
    old = pair.content(here, post("=/__api/signJWT", {"payload": {"sub": "ann"}}))["token"]
    pair.take(shift("jwks", "expiresAt", -86_400 - 60))
    new = pair.content(there, post("=/__api/signJWT", {"payload": {"sub": "ann"}}))["token"]
    again = pair.content(here, post("=/__api/signJWT", {"payload": {"sub": "ann"}}))["token"]
    assert kid_of(old) != kid_of(new) == kid_of(again)
    for side in (here, there):
        assert {key["kid"] for key in pair.content(side, get(keys))["keys"]} == {kid_of(old), kid_of(new)}
        for token in (old, new):
            assert pair.content(side, post("=/__api/verifyJWT", {"token": token}))["payload"]["sub"] == "ann"


@pytest.mark.parametrize("side", ["portico", "upstream"])
def test_upstream_and_we_prove_signed_copies_by_the_published_keys_alone(field: Field, side: Side) -> None:
    server = field.server(side, "signed copies")
    server.reset()
    run = Run(server)
    run.take(sign_up())
    held = "; ".join(f"{name}={value}" for name, value in run.jars["a"].items())
    url = f"http://127.0.0.1:{server.port}/api/auth/jwks"

    def read(cookie: str, issuer: str = server.origin) -> Any:
        command = ["node", "copy.mjs", url, issuer, cookie]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    theirs = read(held)
    assert theirs["user"]["email"] == "ann@example.com"
    found = SessionVerifier(copies=CopyIssuer(issuer=server.origin, jwks=url)).verify_copy_sync({"cookie": held})
    assert found is not None
    assert (found.session, found.user) == (theirs["session"], theirs["user"])
    other = CopyIssuer(issuer="https://other.example.com", jwks=url)
    assert read(held, other.issuer) is SessionVerifier(copies=other).verify_copy_sync({"cookie": held}) is None


def asking(field: Field, side: Side, configuration: str) -> Callable[[Call], Any]:
    """Return what asks one server, as one browser."""
    run = Run(field.server(side, configuration))

    def ask(call: Call) -> Any:
        exchange = run.take(call)
        assert exchange is not None
        assert exchange.status == 200, exchange
        return json.loads(exchange.body)

    return ask


@pytest.mark.parametrize(
    "configuration", ["tokens", "configured tokens", "ES512 tokens", "PS256 tokens", "RS256 tokens"]
)
@pytest.mark.parametrize("side", ["portico", "upstream"])
def test_jose_and_we_verify_tokens_by_the_published_keys_alone(field: Field, configuration: str, side: Side) -> None:
    server = field.server(side, configuration)
    server.reset()
    ask = asking(field, side, configuration)
    path = server.settings.get("JWT_PATH", "/jwks")
    issuer = server.settings.get("JWT_ISSUER", server.origin)
    audience = server.settings.get("JWT_AUDIENCE", server.origin).partition(",")[0]
    ask(sign_up())
    token = ask(get("/token"))["token"]
    header, payload, signature = token.split(".")
    url = f"http://127.0.0.1:{server.port}/api/auth{path}"

    def verified(token: str, issuer: str = issuer, audience: str = audience) -> Any:
        command = ["node", "verify.mjs", url, issuer, audience, token]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    claims = verified(token)["payload"]
    assert claims["email"] == "ann@example.com"
    found = SessionVerifier(tokens=TokenIssuer(issuer=issuer, audience=audience, jwks=url)).verify_token_sync(token)
    assert found is not None
    assert found.claims == claims
    assert verified(token, issuer="https://other.example.com") == {"error": "ERR_JWT_CLAIM_VALIDATION_FAILED"}
    assert verified(token, audience="other") == {"error": "ERR_JWT_CLAIM_VALIDATION_FAILED"}
    assert verified(f"{header}.{tampered(payload)}.{signature}") == {"error": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
