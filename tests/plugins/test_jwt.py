"""Tokens of sessions: what they say, who gets them, and who can verify them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from pydantic import ValidationError

from app import ORIGIN, content, plain, signed_up
from plugins.relying import brought, header_of, key_set, proven, token_in
from portico import ApiError, Auth, Column, ConfigError, DynamicBaseURL, SessionData, SessionOptions
from portico.options import CookieCacheOptions
from portico.plugins.bearer import Bearer
from portico.plugins.jwt import (
    Jwk,
    Jwt,
    OverrideOptions,
    SignJwt,
    TokenRules,
    Unsigned,
    VerifyJwt,
)
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

NOW = int(Clock()().timestamp())
STANDARD = {"exp": NOW + 900, "iss": ORIGIN, "aud": ORIGIN}
REMOTE: dict[str, Any] = {"remote_url": "https://keys.example.com/jwks", "algorithm": "ES256"}


def made(plugin: Jwt[Any, Any] | None = None, *others: Any, **options: Any) -> Auth[Any]:
    return plain(plugin or Jwt(), *others, **{"clock": Clock(), **options})


async def keys_in(auth: Auth[Any]) -> list[Jwk]:
    return await auth.rows(Jwk).find_many(auth.context(None))


async def claims_of(auth: Auth[Any], browser: Browser) -> dict[str, Any]:
    """Return what a session's token says, to who knows the published keys only."""
    claims = proven(token_in(await browser.get("/token")), await key_set(auth))
    assert claims is not None
    return claims


async def signed(auth: Auth[Any], payload: dict[str, Any], rules: TokenRules | None = None) -> dict[str, Any]:
    overrides = None if rules is None else OverrideOptions(jwt=rules)
    body = SignJwt(payload=payload) if overrides is None else SignJwt(payload=payload, override_options=overrides)
    claims = proven((await auth.api.jwt.sign_jwt(None, body)).token, await key_set(auth))
    assert claims is not None
    return claims


async def verified(auth: Auth[Any], token: str, **rules: Any) -> Mapping[str, Any] | None:
    claims: Mapping[str, Any] | None = (await auth.api.jwt.verify_jwt(None, VerifyJwt(token=token, **rules))).payload
    return claims


# Tokens of sessions


@requirement("S-121", "B-100")
async def test_a_session_gets_a_token_that_says_who_it_is() -> None:
    auth = made()
    browser = await signed_up(auth)
    token = token_in(await browser.get("/token"))
    user = content(await browser.get("/get-session"))["user"]
    assert proven(token, await key_set(auth)) == {"iat": NOW, **user, "sub": user["id"], **STANDARD}
    (key,) = await keys_in(auth)
    assert header_of(token) == {"alg": "EdDSA", "kid": key.id}


@requirement("S-121")
async def test_who_is_not_signed_in_gets_none() -> None:
    auth = made()
    response = await Browser(auth, ORIGIN).get("/token")
    assert (response.status, content(response)) == (401, {"message": "Unauthorized", "code": "UNAUTHORIZED"})
    with pytest.raises(ApiError, match="Unauthorized"):
        await auth.api.jwt.get_token(None)
    assert await keys_in(auth) == []


@requirement("S-121", "S-198")
async def test_a_bearer_gets_one_and_both_headers_are_readable_elsewhere() -> None:
    auth = made(Jwt(), Bearer(), session=SessionOptions(update_age=0))
    browser = await signed_up(auth)
    browser.auth.clock.advance(1)  # type: ignore[attr-defined]  # a Clock
    headers = dict((await browser.get("/get-session")).headers)
    assert headers["access-control-expose-headers"] == "set-auth-jwt, set-auth-token"
    assert {"set-auth-jwt", "set-auth-token"} <= headers.keys()


@requirement("S-121", "B-30")
async def test_a_session_comes_with_a_token_over_http() -> None:
    auth = made()
    browser = await signed_up(auth)
    response = await browser.get("/get-session")
    token = brought(response)
    assert token is not None
    assert proven(token, await key_set(auth)) == await claims_of(auth, browser)
    assert dict(response.headers)["access-control-expose-headers"] == "set-auth-jwt"
    assert brought(await Browser(auth, ORIGIN).get("/get-session")) is None
    ctx = auth.context(browser.headers)
    assert (await auth.api.get_session(ctx)) is not None
    assert "set-auth-jwt" not in dict(ctx.reply.headers)


@requirement("S-121", "B-34")
async def test_a_session_that_is_prolonged_by_a_post_comes_with_one_too() -> None:
    auth = made(session=SessionOptions(defer_session_refresh=True))
    browser = await signed_up(auth)
    assert brought(await browser.post("/get-session")) is not None


@requirement("S-121", "S-199")
async def test_the_header_can_be_turned_off() -> None:
    auth = made(Jwt(disable_setting_jwt_header=True))
    browser = await signed_up(auth)
    assert brought(await browser.get("/get-session")) is None
    assert (await browser.get("/token")).status == 200
    assert not auth.handler.compiled["/get-session"].after


@requirement("S-121", "B-38")
async def test_a_copy_of_a_session_is_as_good_as_the_session() -> None:
    auth = made(session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
    browser = await signed_up(auth)
    await auth.sessions.delete(auth.context(None))
    assert (await claims_of(auth, browser))["email"] == "ann@example.com"
    assert brought(await browser.get("/get-session")) is not None
    assert (await browser.get("/token", "disableCookieCache=true")).status == 401


@requirement("S-121", "S03")
async def test_a_revoked_session_gets_no_token() -> None:
    auth = made()
    browser = await signed_up(auth)
    await auth.sessions.delete(auth.context(None))
    cookies = dict(browser.cookies)
    assert (await browser.get("/token")).status == 401
    browser.cookies = cookies
    assert brought(await browser.get("/get-session")) is None


# What they say


@requirement("S-199")
async def test_issuer_and_audience_are_as_the_options_say() -> None:
    auth = made(Jwt(issuer="https://issuer.example.com", audience=["https://a.example.com", "b"]))
    claims = await claims_of(auth, await signed_up(auth))
    assert (claims["iss"], claims["aud"]) == ("https://issuer.example.com", ["https://a.example.com", "b"])
    assert await signed(auth, {"sub": "x"}) == {
        "sub": "x",
        "exp": NOW + 900,
        "iss": "https://issuer.example.com",
        "aud": ["https://a.example.com", "b"],
    }


@requirement("S-199")
async def test_claims_and_subject_are_for_the_application_to_say() -> None:
    async def define_payload(session: SessionData[Any, Any]) -> dict[str, Any]:
        return {"email": session.user.email, "when": session.user.created_at, "aud": "mine", "iat": 3, "sub": "not me"}

    def get_subject(session: SessionData[Any, Any]) -> str:
        return f"user|{session.session.user_id}"

    auth = made(Jwt(define_payload=define_payload, get_subject=get_subject))
    browser = await signed_up(auth)
    user = content(await browser.get("/get-session"))["user"]
    claims = await claims_of(auth, browser)
    assert claims == {
        "iat": 3,
        "email": "ann@example.com",
        "when": user["createdAt"],
        "aud": "mine",
        "sub": f"user|{user['id']}",
        "exp": 3 + 900,
        "iss": ORIGIN,
    }
    assert list(claims) == ["iat", "email", "when", "aud", "sub", "exp", "iss"]


@requirement("S-199")
async def test_the_subject_is_the_user_whatever_the_claims_say() -> None:
    def nobody(session: SessionData[Any, Any]) -> Any:
        return None

    auth = made(Jwt(define_payload=lambda session: {"sub": "somebody else", "exp": None}, get_subject=nobody))
    browser = await signed_up(auth)
    user = content(await browser.get("/get-session"))["user"]
    assert await claims_of(auth, browser) == {"iat": NOW, "sub": user["id"], **STANDARD}


@requirement("S-199", "S-263")
async def test_what_is_never_returned_is_in_no_token() -> None:
    fields = {"user": {"note": (Annotated[str, Column(returned=False)], "secret"), "plan": (str, "free")}}
    auth = made(additional_fields=fields)
    claims = await claims_of(auth, await signed_up(auth))
    assert claims["plan"] == "free"
    assert "note" not in claims


@requirement("S-199")
@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        ("1h", 3600),
        ("5 minutes", 300),
        ("90secs", 90),
        ("1HOUR", 3600),
        ("1.5h", 5400),
        ("2.5s", 3),
        ("-2.5s", -2),
        ("2 days from now", 172_800),
        ("+3s", 3),
        ("1 week", 604_800),
        ("1 month", 2_592_000),
        ("1y", 31_557_600),
        ("1 day ago", -86_400),
        ("-1h", -3600),
        (timedelta(minutes=2), 120),
        (datetime.fromtimestamp(NOW + 77.5, UTC), 77),
    ],
)
async def test_lifetimes_are_texts_durations_and_moments(lifetime: Any, seconds: int) -> None:
    auth = made(Jwt(expiration_time=lifetime))
    assert (await signed(auth, {"sub": "x"}))["exp"] == NOW + seconds
    if isinstance(lifetime, str | timedelta):
        assert (await signed(auth, {"sub": "x", "iat": 1000}))["exp"] == 1000 + seconds


@requirement("S-199")
async def test_every_unit_has_a_short_and_a_long_name() -> None:
    auth, day = made(), 86_400
    units = {"s second": 1, "m minute": 60, "h hour": 3600, "d day": day, "w week": 7 * day, "mo month": 30 * day}
    for names, seconds in {**units, "y year": 31_557_600}.items():
        short, long = names.split()
        for name in (short, long, f"{long}s"):
            claims = await signed(auth, {"sub": "x"}, TokenRules(expiration_time=f"2 {name}"))
            assert claims["exp"] == NOW + 2 * seconds, name


@requirement("S-199")
@pytest.mark.parametrize(
    "lifetime", ["", "bogus", "10", "1ms", "1h ", "5  m", ".5h", "-1h ago", "9" * 400 + "h", 900, None]
)
async def test_a_lifetime_that_is_none_is_refused_at_construction(lifetime: Any) -> None:
    with pytest.raises(ConfigError, match="15m"):
        made(Jwt(expiration_time=lifetime))


@requirement("S-199")
@pytest.mark.parametrize("lifetime", [60, 4_000_000_000, 1.5, True])
def test_the_rules_of_one_token_take_no_number_either(lifetime: Any) -> None:
    with pytest.raises(ValidationError):
        TokenRules(expiration_time=lifetime)
    with pytest.raises(ValidationError):
        TokenRules.model_validate({"expirationTime": lifetime})


@requirement("S-199")
async def test_the_rules_of_one_token_say_a_lifetime_or_none() -> None:
    auth = made()
    with pytest.raises(ConfigError, match="15m"):
        await signed(auth, {"sub": "x"}, TokenRules(expiration_time=""))


# Server code


@requirement("S-121")
async def test_server_code_signs_any_claims_and_adds_what_is_missing() -> None:
    auth = made()
    assert await signed(auth, {"a": 1}) == {"a": 1, **STANDARD}
    given = {"sub": "x", "iss": "me", "aud": ["a", "b"], "exp": 4_000_000_000, "iat": 5, "nbf": 7, "jti": "j"}
    assert await signed(auth, given) == given
    assert await signed(auth, {"sub": "x", "exp": None, "iss": None, "aud": None}) == {"sub": "x", **STANDARD}
    rules = TokenRules(issuer="https://other", expiration_time="1h")
    assert await signed(auth, {"sub": "x"}, rules) == {
        "sub": "x",
        "exp": NOW + 3600,
        "iss": "https://other",
        "aud": ORIGIN,
    }


@requirement("S-121", "S-199")
async def test_rules_of_one_token_take_the_place_of_all_the_options() -> None:
    auth = made(Jwt(issuer="https://issuer.example.com", expiration_time="1d"))
    assert await signed(auth, {"sub": "x"}, TokenRules(audience="q")) == {"sub": "x", **STANDARD, "aud": "q"}


@requirement("S-121")
@pytest.mark.parametrize(
    "claims",
    [
        {"sub": 5},
        {"iss": 5},
        {"jti": 1},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"nbf": True},
        {"iat": "1"},
        {"aud": 1},
        {"aud": False},
        {"aud": {}},
        {"aud": ["https://a.test", None]},
    ],
)
async def test_claims_that_no_verifier_would_understand_are_not_signed(claims: dict[str, Any]) -> None:
    auth = made()
    with pytest.raises(TypeError, match=next(iter(claims))):
        await auth.api.jwt.sign_jwt(None, SignJwt(payload=claims))
    assert await keys_in(auth) == []


@requirement("S-121")
async def test_nobody_signs_or_verifies_over_http() -> None:
    auth = made()
    browser = await signed_up(auth)
    for path, body in (("/sign-jwt", {"payload": {"sub": "x"}}), ("/verify-jwt", {"token": "x"})):
        response = await browser.post(path, body)
        assert (response.status, response.body) == (404, b"")
    assert (await browser.post("/token")).status == (await browser.post("/jwks")).status == 404


@requirement("S-121")
async def test_server_code_verifies_tokens_for_its_own_audience() -> None:
    auth = made(Jwt(issuer="https://i", audience=["a", "b"]))

    async def token(**claims: Any) -> str:
        return str((await auth.api.jwt.sign_jwt(None, SignJwt(payload={"sub": "x", **claims}))).token)

    assert await verified(auth, await token()) == {"sub": "x", "exp": NOW + 900, "iss": "https://i", "aud": ["a", "b"]}
    assert await verified(auth, await token(aud="b")) is not None
    assert await verified(auth, await token(aud=["c", "a"])) is not None
    assert await verified(auth, await token(iss="https://j"), issuer="https://j") is not None
    for wrong in (
        await token(aud="c"),
        await token(aud=["c"]),
        await token(sub=""),
        await token(iss="https://j"),
        await token(nbf=NOW + 1),
        await token(exp=NOW),
        await token(exp=NOW - 10),
        "",
        "x",
        "a.b.c",
        (await token())[:-4],
    ):
        assert await verified(auth, wrong) is None
    assert await verified(auth, await token(), issuer="https://j") is None


@requirement("S-121")
async def test_a_token_without_a_subject_proves_nobody() -> None:
    auth = made()
    token = (await auth.api.jwt.sign_jwt(None, SignJwt(payload={"a": 1}))).token
    assert await verified(auth, token) is None


@requirement("S-121", "J01")
async def test_tokens_for_another_use_prove_nothing_here() -> None:
    auth = made()
    plugin = Jwt.of(auth)
    token = await plugin.sign(auth.context(None), {"sub": "x"}, header={"typ": "logout+jwt"})
    assert header_of(token)["typ"] == "logout+jwt"
    assert proven(token, await key_set(auth)) is not None
    assert await verified(auth, token) is None


@requirement("S-121")
async def test_to_verify_makes_no_key() -> None:
    auth, other = made(), made()
    token = (await other.api.jwt.sign_jwt(None, SignJwt(payload={"sub": "x"}))).token
    assert await verified(auth, token) is None
    assert await keys_in(auth) == []


@requirement("S-121", "B-63")
async def test_a_token_names_the_host_that_was_asked() -> None:
    hosts = DynamicBaseURL(allowed_hosts=["a.example.com", "b.example.com"], protocol="https")
    auth = made(base_url=hosts)
    context = auth.context({"host": "b.example.com"})
    token = (await auth.api.jwt.sign_jwt(context, SignJwt(payload={"sub": "x"}))).token
    claims = proven(token, [Jwt.of(auth).keys.shown(key) for key in await keys_in(auth)])
    assert claims is not None
    assert (claims["iss"], claims["aud"]) == ("https://b.example.com", "https://b.example.com")
    # Where no host is known, both must be said.
    for rules in (None, TokenRules(issuer="https://i"), TokenRules(audience="mine")):
        options = OverrideOptions(jwt=rules)
        with pytest.raises(ConfigError, match="issuer"):
            await auth.api.jwt.sign_jwt(None, SignJwt(payload={"sub": "x"}, override_options=options))
    both = OverrideOptions(jwt=TokenRules(issuer="https://i", audience="mine"))
    assert (await auth.api.jwt.sign_jwt(None, SignJwt(payload={"sub": "x"}, override_options=both))).token


# Keys elsewhere


@requirement("S-122", "S-200")
@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/keys"])
async def test_the_keys_are_where_the_options_say(path: str) -> None:
    auth = made(Jwt(jwks_path=path))
    assert len(await key_set(auth, path)) == 1
    assert (await Browser(auth, ORIGIN).get("/jwks")).status == 404


@requirement("S-122", "S-200")
@pytest.mark.parametrize("plugin", [Jwt(expose_jwks=False), Jwt(**REMOTE)], ids=["hidden", "elsewhere"])
async def test_keys_that_are_not_published_here_are_not_found(plugin: Jwt[Any, Any]) -> None:
    auth = made(plugin)
    response = await Browser(auth, ORIGIN).get("/jwks")
    assert (response.status, response.body) == (404, b"")
    token = token_in(await (await signed_up(auth)).get("/token"))
    assert await verified(auth, token) is not None


@requirement("S-199")
async def test_tokens_are_signed_elsewhere() -> None:
    asked: list[Unsigned] = []

    async def signer(unsigned: Unsigned) -> str:
        asked.append(unsigned)
        return "signed.elsewhere"

    auth = made(Jwt(signer=signer, issuer="https://i", **REMOTE))
    browser = await signed_up(auth)
    assert token_in(await browser.get("/token")) == "signed.elsewhere"
    assert brought(await browser.get("/get-session")) == "signed.elsewhere"
    user = content(await browser.get("/get-session"))["user"]
    expected = {"iat": NOW, **user, "sub": user["id"], **STANDARD, "iss": "https://i"}
    assert asked[0] == Unsigned(claims=expected, header={}, key_id=None, algorithm=None)
    await Jwt.of(auth).sign(auth.context(None), {"sub": "x"}, header={"typ": "a"}, key_id="k", algorithm="ES256")
    assert asked[-1] == Unsigned(
        claims={"sub": "x", **STANDARD, "iss": "https://i"}, header={"typ": "a"}, key_id="k", algorithm="ES256"
    )
    assert await verified(auth, "signed.elsewhere") is None
    assert await keys_in(auth) == []


@requirement("S-199", "S-200", "ARCH-construction")
@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"remote_url": "https://keys.example.com/jwks"}, "algorithm="),
        ({"signer": str}, "remote_url="),
        ({"jwks_path": ""}, "jwks_path"),
        ({"jwks_path": "jwks.json"}, "jwks_path"),
        ({"jwks_path": "/a/../b"}, "jwks_path"),
        ({"jwks_path": "/"}, "jwks_path"),
        ({"algorithm": "HS256"}, "HS256"),
        ({"algorithm": "none"}, "none"),
        ({"algorithm": "ECDH-ES"}, "ECDH-ES"),
        ({"further_algorithms": ["ES384"]}, "ES384"),
        ({"algorithm": "RS256", "modulus_length": 1024}, "2048"),
        ({"rotation_interval": -1}, "rotation_interval"),
        ({"grace_period": -1}, "grace_period"),
        ({"keep_previous_keys": -1}, "keep_previous_keys"),
    ],
)
async def test_options_that_cannot_work_are_refused(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        made(Jwt(**options))
