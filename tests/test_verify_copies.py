"""Cookie copies that a key pair signs, proved by public keys alone, as a service without secret and rows does it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from app import ORIGIN, SECRET, plain, signed_up
from key_server import PATH, KeyServer, key_server
from plugins.relying import key_set
from portico import Auth, ConfigError, CookieCacheOptions, KeysUnavailableError, SessionOptions
from portico.crypto.jws import SigningKey, generate
from portico.plugins.jwt import Jwt
from portico.testing import Browser, Clock
from portico.verify import CopyIssuer, SessionVerifier, TokenIssuer, VerifiedSession
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("S-239", "S-122", "S-161")]

NOW = int(Clock()().timestamp())
HTTPS = "https://auth.example.com"
TOKEN, COPY = "better-auth.session_token", "better-auth.session_data"
TYPE = "better-auth.session-cache+jwt"
PAIR = generate("EdDSA")
PUBLIC: dict[str, Any] = {"alg": "EdDSA", **PAIR.public, "kid": "k1"}
CLAIMS: Mapping[str, Any] = {
    "session": {"token": "t1", "userId": "ann", "expiresAt": "2100-01-01T00:00:00.000Z"},
    "user": {"id": "ann", "email": "ann@example.com"},
    "updatedAt": NOW * 1000,
    "version": "1",
    "sid": "t1",
    "sub": "ann",
    "iss": ORIGIN,
    "aud": "better-auth:session-cache",
    "iat": NOW,
    "exp": NOW + 300,
}


def signing(clock: Clock, **options: Any) -> Auth[Any]:
    """Return an application whose cookie copies a key pair signs."""
    cache = CookieCacheOptions(enabled=True, strategy="jwt")
    plugin: Jwt[Any, Any] = Jwt(session_cookie_cache=True)
    return plain(plugin, session=SessionOptions(cookie_cache=cache), clock=clock, **options)


def verifier(
    jwks: str | list[dict[str, Any]],
    clock: Clock | None = None,
    *,
    issuer: str = ORIGIN,
    secret: str | None = None,
    **options: Any,
) -> SessionVerifier:
    keys = jwks if isinstance(jwks, str) else {"keys": jwks}
    copies = CopyIssuer(issuer=issuer, jwks=keys)
    return SessionVerifier(secret, copies=copies, clock=clock or Clock(), **options)


def written(header: Mapping[str, str] | None = None, **changes: Any) -> str:
    """Return a copy that somebody signed with the key."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return SigningKey("k1", "EdDSA", PAIR.private).sign(claims, {"typ": TYPE} if header is None else header)


def sent(copy: str, token: str | None = "t1.whatever") -> dict[str, str]:
    """Return the headers of a request that carries these cookies."""
    cookies = {COPY: copy} if token is None else {TOKEN: token, COPY: copy}
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


async def found(known: SessionVerifier, headers: Mapping[str, str]) -> VerifiedSession | None:
    """Return what async and other code find, which is the same."""
    proven = await known.verify_copy(headers)
    assert known.verify_copy_sync(headers) == proven
    return proven


@pytest.mark.parametrize("base_url", [ORIGIN, HTTPS])
async def test_a_session_is_proved_by_the_published_keys_alone(base_url: str) -> None:
    clock = Clock()
    auth = signing(clock, base_url=base_url)
    browser = Browser(auth, base_url)
    await browser.post("/sign-up/email", {"name": "Ann", "email": "ann@example.com", "password": "password123"})
    known = verifier(await key_set(auth), clock, issuer=base_url)
    proven = await found(known, {"cookie": browser.headers["cookie"]})
    assert proven is not None
    assert (proven.user["email"], proven.session["userId"], proven.version) == (
        "ann@example.com",
        proven.user["id"],
        "1",
    )
    assert proven.updated_at == clock().replace(microsecond=678_000)
    clock.advance(299 + 30)
    assert await found(known, {"cookie": browser.headers["cookie"]}) is not None
    clock.advance(1)
    assert await found(known, {"cookie": browser.headers["cookie"]}) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cookie": ""},
        {"cookie": f"{TOKEN}=t1.whatever"},
        sent(written(), token=None),
        sent(written(), token="t2.whatever"),
        sent(written(), token="t1"),
        sent(written(), token="."),
        sent("x"),
        sent(written()[:-4]),
        sent(written({})),
        sent(written({"typ": "JWT"})),
        sent(written(iss=HTTPS)),
        sent(written(aud=ORIGIN)),
        sent(written(sid="t2")),
        sent(written(sub="bob")),
        sent(written(sub=None)),
        sent(written(exp=NOW - 30)),
        sent(written(session=None)),
        sent(written(user="ann")),
        sent(written(updatedAt=None)),
        sent(written(session={"token": "t1", "expiresAt": "2020-01-01T00:00:00.000Z"})),
        sent(written(session={"token": "t1"})),
    ],
)
async def test_what_proves_no_session_is_none(headers: dict[str, str]) -> None:
    known = verifier([PUBLIC])
    assert await found(known, sent(written())) is not None
    assert await found(known, headers) is None


async def test_a_copy_has_the_version_that_is_asked_for() -> None:
    assert await found(verifier([PUBLIC], version="1"), sent(written())) is not None
    assert await found(verifier([PUBLIC], version="2"), sent(written())) is None


async def test_with_the_secret_the_session_cookie_must_be_genuine_too() -> None:
    clock = Clock()
    auth = signing(clock)
    browser = await signed_up(auth)
    keys = await key_set(auth)
    known = verifier(keys, clock, secret=SECRET)
    assert await found(known, {"cookie": browser.headers["cookie"]}) is not None
    token = browser.cookies[TOKEN].partition(".")[0]
    forged = sent(browser.cookies[COPY], f"{token}.whatever")
    assert await found(known, forged) is None
    assert await found(verifier(keys, clock), forged) is not None
    # What the secret signs is another kind of copy.
    assert known.verify({"cookie": browser.headers["cookie"]}) is None


async def test_a_copy_is_no_token_and_a_token_is_no_copy() -> None:
    keys = {"keys": [PUBLIC]}
    tokens = TokenIssuer(issuer=ORIGIN, audience="better-auth:session-cache", jwks=keys)
    known = SessionVerifier(tokens=tokens, copies=CopyIssuer(issuer=ORIGIN, jwks=keys), clock=Clock())
    copy, token = written(), written({"typ": "JWT"})
    assert await known.verify_token(copy) is None
    assert await known.verify_token(token) is not None
    assert await found(known, sent(token)) is None


# Where the keys come from


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server() as served:
        yield served


async def test_keys_are_fetched_once(server: KeyServer) -> None:
    server.publish([PUBLIC])
    known = verifier(server.url)
    assert await known.verify_copy(sent(written())) is not None
    assert known.verify_copy_sync(sent(written())) is not None
    assert server.asked == [PATH]


async def test_keys_that_cannot_be_fetched_are_no_refusal(server: KeyServer) -> None:
    server.status = 503
    known = verifier(server.url)
    with pytest.raises(KeysUnavailableError):
        await known.verify_copy(sent(written()))
    with pytest.raises(KeysUnavailableError):
        known.verify_copy_sync(sent(written()))
    # Who brings nothing makes no work.
    assert await known.verify_copy({}) is None
    assert server.asked == [PATH]


# Mistakes


async def test_whose_copies_are_believed_has_to_be_said() -> None:
    known = SessionVerifier(SECRET)
    with pytest.raises(ConfigError, match=r"pass copies=CopyIssuer"):
        await known.verify_copy({})
    with pytest.raises(ConfigError, match=r"pass copies=CopyIssuer"):
        known.verify_copy_sync({})
    with pytest.raises(ConfigError, match=r"pass secret=, or call verify_copy\(\) or verify_token\(\)"):
        verifier([PUBLIC]).verify({})
    with pytest.raises(ConfigError, match=r"pass tokens=TokenIssuer"):
        await verifier([PUBLIC]).verify_token("x")
    with pytest.raises(ConfigError, match="name both"):
        verifier([PUBLIC], issuer="")
