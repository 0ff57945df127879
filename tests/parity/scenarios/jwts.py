"""Tokens of sessions, the keys that verify them, and what server code signs."""

from collections.abc import Sequence
from typing import Any

from parity.scenario import (
    Call,
    Header,
    Replace,
    Reply,
    Scenario,
    Statement,
    call,
    fill,
    get,
    post,
    reply,
    scenario,
    shift,
    sign_up,
    tampered,
    whoami,
)

DAY = 86_400
BEARING = {"authorization": reply("in", "token", template="Bearer {}"), "origin": None}


def token(query: str = "", **rest: Any) -> Call:
    return get(f"/token{query}", **rest)


def keys(path: str = "/jwks", **rest: Any) -> Call:
    return get(path, **rest)


def sign(payload: Any, jwt: Any = None, **rest: Any) -> Call:
    """Sign as server code does."""
    body = {"payload": payload} if jwt is None else {"payload": payload, "overrideOptions": {"jwt": jwt}}
    return post("=/__api/signJWT", body, label=rest.pop("label", f"sign {body}"), **rest)


def verify(of: str | Reply | Header, issuer: str | None = None) -> Call:
    """Verify a token, or the one that was signed under a label, as server code does."""
    known = reply(of, "token") if isinstance(of, str) else of
    body = {"token": known} if issuer is None else {"token": known, "issuer": issuer}
    return post("=/__api/verifyJWT", body, label=f"verify {of} for {issuer}")


SIGNED_AND_VERIFIED = (sign({"sub": "x"}, label="signed"), verify("signed"))
SIGNED: Sequence[tuple[Any, Any]] = (
    ({"a": 1}, None),
    ({"sub": "x"}, None),
    ({"sub": "x", "name": "Zoë", "n": 1.5, "big": 10**15, "no": None, "list": [1, {"b": True}]}, None),
    ({"sub": "x", "iss": "me", "aud": ["a", "b"], "exp": 4_000_000_000, "iat": 5, "nbf": 7, "jti": "j"}, None),
    ({"exp": 5, "sub": "x"}, None),
    ({"sub": ""}, None),
    ({"sub": "x", "nbf": 4_000_000_000}, None),
    ({"sub": "x", "iat": 1000}, None),
    ({"sub": "x"}, {"issuer": "https://other", "audience": "aud", "expirationTime": "1h"}),
    ({"sub": "x"}, {"expirationTime": "1 day ago"}),
    ({"sub": "x"}, {"audience": "q"}),
    ({"sub": "x", "aud": "q"}, {}),
)
REFUSED: Sequence[tuple[Any, Any]] = (
    ({"sub": 5}, None),
    ({"jti": []}, None),
    ({"sub": "x", "exp": "soon"}, None),
    ({"sub": "x", "nbf": {}}, None),
    ({"sub": "x"}, {"expirationTime": "bogus"}),
)


def server_code(on: str) -> Scenario:
    steps: list[Call] = []
    for number, (payload, rules) in enumerate(SIGNED):
        label = f"token {number}"
        steps += [sign(payload, rules, label=label), verify(label), verify(label, "https://other")]
    steps += [sign(payload, rules, label=f"refused {number}") for number, (payload, rules) in enumerate(REFUSED)]
    steps += [verify(reply("token 1", "token", template=template)) for template in ("{}x", "x{}", "{}.x", "a.b.c", "")]
    return scenario("server code signs and verifies", *steps, on=on)


JWTS = [
    scenario("a session", sign_up(), token(), keys(), whoami(), token(label="again"), on="tokens"),
    scenario("nobody", token(), whoami(), keys(), keys(label="again"), on="tokens"),
    scenario("the keys first", keys(), sign_up(), token(), on="tokens"),
    scenario(
        "other verbs",
        sign_up(),
        *[call(method, path) for method in ("HEAD", "OPTIONS", "DELETE") for path in ("/token", "/jwks")],
        *[call(method, path, body={}) for method in ("POST", "PUT") for path in ("/token", "/jwks")],
        post("/sign-jwt", {"payload": {"sub": "x"}}),
        post("/verify-jwt", {"token": "x"}),
        on="tokens",
    ),
    scenario("signed out", sign_up(), post("/sign-out"), token(), whoami(), on="tokens"),
    scenario("over", sign_up(), shift("session", "expiresAt", -8 * DAY), token(), whoami(), on="tokens"),
    scenario("gone", sign_up(), Statement("delete from session"), token(), whoami(), on="tokens"),
    scenario("tampered", sign_up(), Replace("session_token", tampered), token(), whoami(), on="tokens"),
    scenario("prolonged", sign_up(), shift("session", "expiresAt", -2 * DAY), whoami(), on="tokens"),
    scenario("prolonged by a token", sign_up(), shift("session", "expiresAt", -2 * DAY), token(), on="tokens"),
    scenario("not remembered", sign_up(rememberMe=False), token(), whoami(), on="tokens"),
    scenario(
        "a bearer",
        sign_up(label="in"),
        token(headers=BEARING, jar="b"),
        whoami(headers=BEARING, jar="b"),
        token(headers={"authorization": "Bearer x", "origin": None}, jar="b", label="a wrong one"),
        on="tokens",
    ),
    scenario(
        "the user has changed",
        sign_up(),
        token(),
        post("/update-user", {"name": "Änn \U0001f600", "image": "https://example.com/a.png"}),
        token(label="afterwards"),
        whoami(),
        on="tokens",
    ),
    scenario(
        "a token is no session",
        sign_up(label="in"),
        token(label="token"),
        token(
            headers={"authorization": reply("token", "token", template="Bearer {}"), "origin": None},
            jar="b",
            label="as a bearer",
        ),
        on="tokens",
    ),
    server_code("tokens"),
    scenario("from another origin", sign_up(), token(headers={"origin": "https://evil.test"}), on="tokens"),
    scenario(
        "from a copy",
        sign_up(),
        fill("user", "name", "Changed"),
        token(),
        whoami(),
        token("?disableCookieCache=true"),
        token(label="afterwards"),
        Statement("delete from session"),
        token(label="revoked"),
        whoami(label="revoked too"),
        token("?disableCookieCache=true", label="uncached"),
        on="cached tokens",
    ),
    scenario(
        "a copy that a key pair signs",
        sign_up(),
        whoami(),
        Statement("delete from session"),
        whoami(label="from the copy"),
        keys(),
        Replace("session_data", tampered),
        whoami(label="tampered"),
        on="signed copies",
    ),
    scenario(
        "a copy that the secret signs",
        sign_up(label="in"),
        Statement("delete from session"),
        Replace("session_data", lambda _: "eyJhbGciOiJIUzI1NiJ9.e30.x"),
        whoami(),
        on="signed copies",
    ),
    scenario("signed out with its copy", sign_up(), post("/sign-out"), whoami(), on="signed copies"),
    scenario(
        "where and how the options say",
        sign_up(),
        keys(),
        keys("/.well-known/jwks.json"),
        token(),
        whoami(),
        on="configured tokens",
    ),
    server_code("configured tokens"),
    scenario(
        "a key is over, and a new one signs",
        sign_up(),
        token(),
        shift("jwks", "expiresAt", -DAY - 1800),
        token(label="afterwards"),
        keys("/.well-known/jwks.json"),
        shift("jwks", "expiresAt", -1800),
        keys("/.well-known/jwks.json", label="both for a while"),
        on="configured tokens",
    ),
    scenario(
        "the grace period is over",
        sign_up(),
        token(),
        shift("jwks", "expiresAt", -DAY - 4000),
        token(label="afterwards"),
        keys("/.well-known/jwks.json"),
        on="configured tokens",
    ),
    *[
        scenario(
            "a key of this kind",
            sign_up(),
            token(),
            keys(),
            *SIGNED_AND_VERIFIED,
            on=on,
        )
        for on in ("ES512 tokens", "PS256 tokens", "RS256 tokens")
    ],
    scenario(
        "signed elsewhere",
        sign_up(),
        token(),
        keys(),
        whoami(),
        *SIGNED_AND_VERIFIED,
        on="remote tokens",
    ),
]
