"""Tokens of sessions, the keys that verify them, and what server code signs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from parity.scenario import (
    Call,
    Header,
    HeldValue,
    Put,
    Replace,
    Reply,
    Scenario,
    Shift,
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
from parity.servers import ORIGIN

DAY = 86_400
BEARING = {"authorization": reply("in", "token", template="Bearer {}"), "origin": None}


BROKEN: Mapping[str, Callable[[str], str]] = {
    "unsigned": lambda value: f"eyJhbGciOiJub25lIn0.{value.split('.')[1]}.",
    "cut off": lambda value: ".".join(value.split(".")[:2]),
    "longer": lambda value: f"{value}.x",
    "badly encoded": lambda value: f"%{value}",
    "three times itself": lambda value: value * 3,
    "all dots": lambda _: "...",
    "nothing": lambda _: "",
}


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
SPANS = (
    *("0s", "10", "1.5h", "+1s", "- 1s", "+ 1 s", "-  1s", "1  s", "1 s ", "  1s", "1s  ago", "1 week", "1mo", "1M"),
    *(
        "1 MIN",
        "1ms",
        "1h30m",
        "1,5h",
        "1e3s",
        ".5h",
        "5.h",
        "1 fortnight",
        "\u0661s",
        "10y",
        "1 hr",
        "3 secs",
        "-1 day ago",
    ),
    *("1 day from now", "2 years", "", "2026-01-01", "1700000000"),
)
ODD: Mapping[str, Sequence[Any]] = {
    "exp": (None, 0, 1.5, 4_000_000_000_000, True, [], {}, "", "x", "4000000000"),
    "nbf": (0, 1.5, 4_000_000_000, True, [], {}, "x", "4000000000"),
    "iat": (0, -1, 1.5, 4_000_000_000, True, [], {}, "x", "4000000000"),
    "iss": ("", "x", 1, True, [], ["x"], {}),
    "aud": ("", "x", 1, True, False, [], ["x"], ["", None], [1], {}, ORIGIN + "/", [ORIGIN, 5], [ORIGIN.upper()]),
    "sub": ("", 1, True, [], ["x"], {}),
    "jti": ("", "x", 1, True, [], {}),
}
PAYLOADS: Sequence[Any] = (
    {},
    {"": 1},
    {"alg": "none", "kid": "x", "typ": "y", "sub": "x"},
    {"sub": "ünï🔐", "text": "\u2028"},
    {"sub": "x", "f": 1e100, "i": 1.0, "k" * 300: "v" * 5000},
    {"createdAt": "2026-01-01T00:00:00.000Z", "sub": "x"},
    None,
    [],
    "x",
)
WORTHLESS: Sequence[tuple[str, Any]] = (
    *[("exp", "1h"), ("nbf", "1h"), ("nbf", ""), ("nbf", False), ("iat", False), ("sub", 0), ("sub", False)],
    *[("jti", False), ("nbf", None), ("iat", None), ("sub", None), ("jti", None)],
)
"""Claims that upstream signs, or takes for spans; most of these tokens it does not verify itself."""
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


def claimed(claim: str, values: Sequence[Any], name: str) -> Scenario:
    steps: list[Call] = []
    for value in values:
        signed = f"{value!r}"
        steps += [sign({"sub": "x", claim: value}, label=signed), verify(signed), verify(signed, "x")]
    # A refusal makes no key here.
    return scenario(name, sign({"sub": "x"}, label="first"), *steps, on="tokens")


def ruled(name: str, rules: Mapping[str, Sequence[Any]]) -> Scenario:
    steps: list[Call] = [sign({"sub": "x"}, label="first")]
    for rule, values in rules.items():
        for value in values:
            signed = f"{rule} {value!r}"
            steps += [sign({"sub": "x"}, {rule: value}, label=signed), verify(signed)]
    return scenario(name, *steps, on="tokens")


def changed(name: str, *changes: Statement | Shift, on: str = "tokens", path: str = "/jwks") -> Scenario:
    """Change the row of a key that has signed."""
    after = (token(label="afterwards"), keys(path), verify("GET /token"), verify("afterwards"))
    return scenario(name, sign_up(), token(), *changes, *after, on=on)


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
    *[claimed(claim, values, f"an odd {claim}") for claim, values in ODD.items()],
    *[claimed(claim, [value], f"worthless, {claim} {value!r}") for claim, value in WORTHLESS],
    claimed("iss", [None], "an issuer that is null"),
    claimed("aud", [None], "an audience that is null"),
    ruled("spans", {"expirationTime": SPANS}),
    ruled("a span in capitals", {"expirationTime": ("1s AGO", "1 day Ago")}),
    ruled("a number for a span", {"expirationTime": (60, 0, -5, 1.5, 4_000_000_000)}),
    ruled("rules of another kind", {"expirationTime": (True, [], {}), "audience": (1, {}), "issuer": (1, ["x"])}),
    ruled("rules that are empty", {"audience": ("", []), "issuer": ("",)}),
    scenario(
        "payloads",
        *[sign(payload, label=f"payload {number}") for number, payload in enumerate(PAYLOADS)],
        *[
            post("=/__api/signJWT", body, label=f"body {number}")
            for number, body in enumerate(
                ({"payload": {"sub": "x"}, "overrideOptions": {}}, {"payload": {"sub": "x"}, "more": 1})
            )
        ],
        on="tokens",
    ),
    scenario(
        "tokens of another kind",
        sign({"sub": "x"}, label="signed"),
        *[
            post("=/__api/verifyJWT", body, label=f"body {number}")
            for number, body in enumerate(
                (
                    {},
                    {"token": None},
                    {"token": 1},
                    {"token": "a.b.c", "issuer": ""},
                    {"token": "x" * 100_000},
                    {"token": "....."},
                    {"token": "eyJhbGciOiJub25lIiwia2lkIjoieCJ9.e30."},
                    {"token": "e30.e30.e30"},
                )
            )
        ],
        *[
            verify(reply("signed", "token", template=template))
            for template in ("{}=", "{}A", " {}", "\n{}", "{}.", "Bearer {}", "{}%", "{}\u00e9")
        ],
        on="tokens",
    ),
    scenario(
        "a token with a space behind it",
        sign({"sub": "x"}, label="signed"),
        verify(reply("signed", "token", template="{} ")),
        on="tokens",
    ),
    scenario(
        "the token of a header",
        sign_up(),
        whoami(),
        verify(Header("GET /get-session", "set-auth-jwt")),
        whoami("?disableRefresh=true"),
        token("?x=1"),
        keys("/jwks?x=1"),
        keys("/jwks/"),
        token("/"),
        token(headers={"origin": "http://localhost:3000"}, label="from a page that is trusted"),
        on="tokens",
    ),
    scenario(
        "the user is deleted",
        sign_up(),
        token(),
        Statement('delete from "user"'),
        token(label="2"),
        whoami(),
        on="tokens",
    ),
    changed("a key whose algorithm nobody noted", fill("jwks", "alg", None)),
    changed("a key whose curve nobody noted", fill("jwks", "crv", None)),
    changed("a key that ends", fill("jwks", "expiresAt", datetime(2099, 1, 1, tzinfo=UTC))),
    changed("a key of another name", Statement("update jwks set id = 'other'")),
    changed("a key that is no longer published", fill("jwks", "expiresAt", datetime(2020, 1, 1, tzinfo=UTC))),
    changed(
        "the next key is due",
        shift("jwks", "expiresAt", -DAY + 600),
        on="configured tokens",
        path="/.well-known/jwks.json",
    ),
    scenario(
        "signed elsewhere by other rules",
        sign({"sub": "x"}, {"issuer": "https://other"}, label="with rules"),
        sign({"sub": 5}, label="a number"),
        sign({"sub": "x", "exp": "soon"}, label="no number"),
        on="remote tokens",
    ),
    *[
        scenario(
            f"a copy that is {name}",
            sign_up(),
            Replace("session_data", change),
            whoami(),
            Replace("session_data", change),
            Statement("delete from session"),
            whoami(label="afterwards"),
            on="signed copies",
        )
        for name, change in BROKEN.items()
    ],
    scenario(
        "a copy whose key is gone",
        sign_up(),
        Statement("delete from jwks"),
        Statement("delete from session"),
        whoami(),
        on="signed copies",
    ),
    scenario(
        "a copy of another session",
        sign_up(),
        sign_up("bob@example.com", jar="b"),
        Put("better-auth.session_data", HeldValue("session_data", jar="b")),
        Statement("delete from session"),
        whoami(),
        on="signed copies",
    ),
    scenario("a copy that is not remembered", sign_up(rememberMe=False), whoami(), on="signed copies"),
]
