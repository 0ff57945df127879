"""Tokens proved by public keys alone, as a service without secret and database does it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from joserfc import jws
from joserfc.jwk import OctKey

from app import ORIGIN, SECRET, plain
from key_server import PATH, KeyServer, key_server
from plugins.relying import key_set
from portico import Auth, ConfigError, KeysUnavailableError
from portico.crypto import base64url
from portico.crypto.jws import SigningKey, generate
from portico.crypto.key_families import ALGORITHMS, Algorithm
from portico.plugins.jwt import Jwt
from portico.testing import Clock
from portico.verify import SessionVerifier, TokenIssuer, VerifiedToken
from requirements import requirement
from upstream import CRYPTO

pytestmark = pytest.mark.anyio

NOW = int(Clock()().timestamp())
SAMPLE: dict[str, Any] = CRYPTO["jwks_row"]
CLAIMS = {"sub": "ann", "exp": NOW + 900, "iss": ORIGIN, "aud": ORIGIN, "email": "ann@example.com"}


@dataclass
class Incoming:
    """A request of some framework."""

    headers: dict[str, str]


@dataclass(frozen=True)
class Pair:
    """A key pair of somebody who signs."""

    id: str
    algorithm: Algorithm = "EdDSA"

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pair", generate(self.algorithm))

    @property
    def public(self) -> dict[str, Any]:
        pair: Any = vars(self)["_pair"]
        return {"alg": self.algorithm, **pair.public, "kid": self.id}

    def token(self, header: Mapping[str, str] | None = None, **changes: Any) -> str:
        pair: Any = vars(self)["_pair"]
        claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
        return SigningKey(self.id, self.algorithm, pair.private).sign(claims, header or {})


def under(header: dict[str, str]) -> str:
    """Return a token with another header than its own."""
    return ".".join([base64url.encode(json.dumps(header).encode()), *ANN.token().split(".")[1:]])


ANN, NEW = Pair("k1"), Pair("k2")


def verifier(
    jwks: str | Sequence[dict[str, Any]] = (ANN.public,), clock: Clock | None = None, **options: Any
) -> SessionVerifier:
    keys = jwks if isinstance(jwks, str) else {"keys": list(jwks)}
    given: dict[str, Any] = {"issuer": ORIGIN, "audience": ORIGIN, "jwks": keys, **options}
    return SessionVerifier(tokens=TokenIssuer(**given), clock=clock or Clock())


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server() as served:
        yield served


# What is believed


@requirement("S-239", "S-121")
async def test_a_token_of_ours_is_proved_by_the_published_keys() -> None:
    auth: Auth[Any] = plain(Jwt(), clock=Clock())
    token = await Jwt.of(auth).sign(auth.context(None), {"sub": "ann", "email": "ann@example.com"})
    known = verifier(await key_set(auth))
    found = await known.verify_token(token)
    assert isinstance(found, VerifiedToken)
    assert (found.subject, found.claims) == ("ann", CLAIMS)
    assert (found.expires_at - Clock()()).total_seconds() == pytest.approx(900, abs=1)
    headers = {"authorization": f"Bearer {token}"}
    for source in (headers, Incoming(headers), {"Authorization": f"bearer  {token} "}):
        assert await known.verify_token(source) == found
        assert known.verify_token_sync(source) == found


@requirement("S-239", "ARCH-formats")
async def test_upstreams_token_is_proved_by_upstreams_keys() -> None:
    claims: dict[str, Any] = SAMPLE["claims"]
    issued = Clock()
    issued.advance(claims["iat"] - NOW)
    known = verifier(SAMPLE["jwks"]["keys"], issued, issuer=claims["iss"], audience=claims["aud"])
    found = await known.verify_token(SAMPLE["token"])
    assert found is not None
    assert (found.subject, found.claims) == (claims["sub"], claims)


@requirement("S-239", "J01")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_an_algorithm_is_believed_if_it_is_allowed(algorithm: Algorithm) -> None:
    pair = Pair("k1", algorithm)
    others = [each for each in ALGORITHMS if each != algorithm]
    assert await verifier([pair.public]).verify_token(pair.token()) is not None
    assert await verifier([pair.public], algorithms=[algorithm]).verify_token(pair.token()) is not None
    assert await verifier([pair.public], algorithms=others).verify_token(pair.token()) is None
    without = {name: value for name, value in pair.public.items() if name != "alg"}
    assert await verifier([without]).verify_token(pair.token()) is not None


@requirement("S-239", "O03")
async def test_a_key_is_good_for_its_own_algorithm_only() -> None:
    rs, ps = Pair("k1", "RS256"), Pair("k1", "PS256")
    swapped = {**rs.public, "alg": "PS256"}
    assert await verifier([swapped]).verify_token(rs.token()) is None
    assert await verifier([rs.public]).verify_token(ps.token()) is None
    secret = json.dumps(ANN.public).encode()
    forged = jws.serialize_compact({"alg": "HS256", "kid": "k1"}, b"{}", OctKey.import_key(secret), ["HS256"])
    assert await verifier().verify_token(forged) is None
    oct_key = {"kty": "oct", "k": base64url.encode(secret), "kid": "k1", "alg": "HS256"}
    assert await verifier([oct_key]).verify_token(forged) is None


@requirement("S-239", "O03")
@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é.b.c",
        ANN.token()[:-4],
        ANN.token(header={"typ": "logout+jwt"}),
        ANN.token(header={"typ": "at+jwt"}),
        ANN.token(header={"typ": "better-auth.session-cache+jwt"}),
        NEW.token(),
        Pair("k1").token(),
        under({"alg": "none", "kid": "k1"}),
        under({"alg": "EdDSA"}),
    ],
)
async def test_what_proves_nobody_is_none(token: str) -> None:
    assert await verifier().verify_token(ANN.token()) is not None
    assert await verifier().verify_token(token) is None
    assert verifier().verify_token_sync({"authorization": f"Bearer {token}"}) is None


@requirement("S-239")
@pytest.mark.parametrize("source", [{}, {"authorization": ""}, {"authorization": "Bearer"}, {"cookie": "token=x"}])
async def test_a_request_without_a_token_proves_nobody(source: dict[str, str]) -> None:
    assert await verifier().verify_token(source) is None
    assert await verifier().verify_token({"authorization": f"Basic {ANN.token()}"}) is None


@requirement("S-239", "S-199")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"iss": [ORIGIN]},
        {"aud": "https://other.example.com"},
        {"aud": None},
        {"aud": []},
        {"aud": ["a", 5]},
        {"aud": {ORIGIN: True}},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"nbf": "soon"},
    ],
)
async def test_a_token_that_is_not_for_us_proves_nobody(changes: dict[str, Any]) -> None:
    assert await verifier().verify_token(ANN.token(**changes)) is None


@requirement("S-239", "S-199")
async def test_one_of_several_audiences_is_enough() -> None:
    known = verifier(audience=["https://a.example.com", "b"])
    for audience in ("b", ["x", "https://a.example.com"]):
        assert await known.verify_token(ANN.token(aud=audience)) is not None
    assert await known.verify_token(ANN.token()) is None


@requirement("S-239", "J03")
async def test_clocks_may_differ_by_so_much_and_no_more() -> None:
    for leeway in (0, 30):
        known = verifier(leeway=leeway)
        for good in (ANN.token(exp=NOW - leeway + 1), ANN.token(nbf=NOW + leeway)):
            assert await known.verify_token(good) is not None
        for bad in (ANN.token(exp=NOW - leeway), ANN.token(nbf=NOW + leeway + 1)):
            assert await known.verify_token(bad) is None


# Where the keys come from


@requirement("S-239", "S-122")
async def test_keys_are_fetched_once_and_again_after_a_while(server: KeyServer) -> None:
    server.publish([ANN.public])
    clock = Clock()
    known = verifier(server.url, clock)
    for _ in range(3):
        assert await known.verify_token(ANN.token()) is not None
        assert known.verify_token_sync(ANN.token()) is not None
    assert server.asked == [PATH]
    clock.advance(599)
    assert await known.verify_token(ANN.token()) is not None
    assert len(server.asked) == 1
    clock.advance(1)
    assert await known.verify_token(ANN.token(exp=NOW + 9000)) is not None
    assert len(server.asked) == 2


@requirement("S-239", "J01", "S-200")
async def test_a_new_key_is_found_and_one_that_is_gone_is_forgotten(server: KeyServer) -> None:
    server.publish([ANN.public])
    clock = Clock()
    known = verifier(server.url, clock)
    assert await known.verify_token(ANN.token()) is not None
    server.publish([NEW.public])
    clock.advance(30)
    assert await known.verify_token(NEW.token()) is not None
    assert await known.verify_token(ANN.token()) is None
    assert len(server.asked) == 2


@requirement("S-239", "J01")
async def test_ids_that_are_made_up_cost_a_fetch_in_thirty_seconds(server: KeyServer) -> None:
    server.publish([ANN.public])
    clock = Clock()
    known = verifier(server.url, clock)
    for number in range(20):
        assert await known.verify_token(Pair(f"made up {number}").token()) is None
    assert len(server.asked) == 1
    clock.advance(29)
    assert await known.verify_token(NEW.token()) is None
    assert len(server.asked) == 1
    clock.advance(1)
    assert await known.verify_token(NEW.token()) is None
    assert await known.verify_token(ANN.token()) is not None
    assert len(server.asked) == 2


@requirement("S-239", "J01")
async def test_tokens_that_nothing_could_prove_fetch_nothing(server: KeyServer) -> None:
    known = verifier(server.url, algorithms=["ES256"])
    for token in ("", "a.b.c", ANN.token()):
        assert await known.verify_token(token) is None
    assert server.asked == []


@requirement("S-239", "J01")
async def test_many_callers_at_once_fetch_once(server: KeyServer) -> None:
    server.publish([ANN.public])
    known = verifier(server.url)
    found: list[VerifiedToken | None] = []

    async def verify() -> None:
        found.append(await known.verify_token(ANN.token()))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(verify)
    assert [each.subject for each in found if each] == ["ann"] * 10
    assert len(server.asked) == 1


@requirement("S-239")
def test_who_knows_the_key_does_not_wait_for_who_fetches(server: KeyServer) -> None:
    server.publish([ANN.public])
    clock = Clock()
    known = verifier(server.url, clock)
    assert known.verify_token_sync(ANN.token()) is not None
    clock.advance(600)
    asked, answered = Event(), Event()

    def wait() -> None:
        asked.set()
        assert answered.wait(10)

    server.before = wait
    token = ANN.token(exp=NOW + 9000)
    with ThreadPoolExecutor(1) as threads:
        fetching = threads.submit(known.verify_token_sync, token)
        assert asked.wait(10)
        assert known.verify_token_sync(token) is not None
        answered.set()
        assert fetching.result(10) is not None
    assert len(server.asked) == 2


@requirement("S-239", "J01")
async def test_keys_serve_for_an_hour_when_the_server_is_gone(server: KeyServer) -> None:
    server.publish([ANN.public])
    clock, token = Clock(), ANN.token(exp=NOW + 9000)
    known = verifier(server.url, clock)
    assert await known.verify_token(token) is not None
    server.status = 500
    clock.advance(3599)
    assert await known.verify_token(token) is not None
    assert await known.verify_token(NEW.token(exp=NOW + 9000)) is None
    assert len(server.asked) == 2
    clock.advance(1)
    with pytest.raises(KeysUnavailableError):
        await known.verify_token(token)
    server.publish([ANN.public])
    clock.advance(30)
    assert await known.verify_token(token) is not None


@requirement("S-239", "J01")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (302, b'{"keys":[]}'),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"keys":{}}'),
        (200, b'{"keys":[' + b" " * 300_000 + b"]}"),
    ],
)
async def test_what_is_no_key_set_is_told_apart_from_a_bad_token(server: KeyServer, status: int, body: bytes) -> None:
    server.status, server.body, server.headers = status, body, {"location": server.url}
    clock = Clock()
    known = verifier(server.url, clock)
    for _ in range(2):
        with pytest.raises(KeysUnavailableError, match=r"jwks.* cannot be fetched: ."):
            await known.verify_token(ANN.token())
        with pytest.raises(KeysUnavailableError):
            known.verify_token_sync(ANN.token())
    assert len(server.asked) == 1
    server.publish([ANN.public])
    clock.advance(30)
    assert await known.verify_token(ANN.token()) is not None


@requirement("S-239")
async def test_keys_of_other_kinds_in_a_set_do_no_harm(server: KeyServer) -> None:
    others: Any = [None, 5, {}, {"kid": 5}, {"kid": "x"}, {"kid": "k1", "kty": "oct", "k": "x"}]
    server.publish([ANN.public, *others])
    known = verifier(server.url)
    assert await known.verify_token(ANN.token()) is not None
    assert await known.verify_token(Pair("x").token()) is None


@requirement("S-239")
async def test_a_server_that_nobody_runs_is_unavailable() -> None:
    with key_server() as gone:
        url = gone.url
    with pytest.raises(KeysUnavailableError, match=r"cannot be fetched: ."):
        await verifier(url).verify_token(ANN.token())


@requirement("S-239")
async def test_keys_are_fetched_by_a_client_of_ones_own() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps({"keys": [ANN.public]}).encode()

    url = "https://auth.example.com/api/auth/jwks"
    assert await verifier(url, fetch=fetch).verify_token(ANN.token()) is not None
    assert asked == [url]


@requirement("S-239", "ARCH-construction")
@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"issuer": ""}, "issuer"),
        ({"audience": ""}, "audience"),
        ({"audience": []}, "audience"),
        ({"audience": ["a", ""]}, "audience"),
        ({"algorithms": []}, "EdDSA"),
        ({"algorithms": ["HS256"]}, "HS256"),
        ({"algorithms": ["RS256", "HS256"]}, "HS256"),
        ({"algorithms": ["none"]}, "none"),
        ({"algorithms": "EdDSA"}, "EdDSA"),
        ({"leeway": -1}, "leeway"),
        ({"jwks": {}}, "key set"),
        ({"jwks": "http://auth.example.com/jwks"}, "https"),
        ({"jwks": "https://user@auth.example.com/jwks"}, "https"),
        ({"jwks": "ftp://localhost/jwks"}, "https"),
        ({"jwks": "https:///jwks"}, "https"),
        ({"jwks": "/jwks"}, "https"),
    ],
)
async def test_what_would_believe_anybody_or_nobody_is_refused(options: dict[str, Any], hint: str) -> None:
    given: dict[str, Any] = {"issuer": ORIGIN, "audience": ORIGIN, "jwks": {"keys": []}, **options}
    with pytest.raises(ConfigError, match=hint):
        SessionVerifier(tokens=TokenIssuer(**given))


@requirement("S-239")
async def test_http_is_for_this_machine_unless_one_says_so() -> None:
    def fetch(url: str) -> bytes:
        return json.dumps({"keys": [ANN.public]}).encode()

    known = verifier("http://auth.internal/jwks", allow_http=True, fetch=fetch)
    assert await known.verify_token(ANN.token()) is not None
    assert await verifier("http://[::1]:3000/jwks", fetch=fetch).verify_token(ANN.token()) is not None


@requirement("S-239")
async def test_each_kind_of_proof_needs_what_proves_it() -> None:
    with pytest.raises(ConfigError, match="secret="):
        verifier().verify({})
    only_cookies = SessionVerifier(SECRET)
    with pytest.raises(ConfigError, match="tokens="):
        await only_cookies.verify_token("x")
    with pytest.raises(ConfigError, match="tokens="):
        only_cookies.verify_token_sync("x")
    with pytest.raises(ConfigError, match="secret"):
        SessionVerifier()
    both = SessionVerifier(SECRET, tokens=TokenIssuer(issuer=ORIGIN, audience=ORIGIN, jwks={"keys": []}))
    assert both.verify({}) is None
    assert await both.verify_token("x") is None


@requirement("S-239")
def test_who_is_given_the_keys_loads_nothing_that_fetches() -> None:
    code = (
        "import sys; from portico.verify import SessionVerifier, TokenIssuer\n"
        "issuer = TokenIssuer(issuer='i', audience='a', jwks={'keys': []})\n"
        "SessionVerifier(tokens=issuer).verify_token_sync('x')\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} | set(sys.modules)))"
    )
    folder = Path(__file__).parent
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert not set(run.stdout.split()) & {"anyio", "argon2", "httpx", "http.client", "pydantic", "sqlalchemy"}
