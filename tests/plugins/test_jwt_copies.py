"""Cookie copies of sessions that a key pair signs."""

from collections.abc import Mapping
from typing import Any

import pytest

from app import ORIGIN, SECRET, content, plain, signed_up
from plugins.relying import header_of, key_set, proven
from portico import Auth, ConfigError, Context, CookieCacheOptions, DynamicBaseURL, SessionOptions
from portico.crypto.jwt import sign_jwt
from portico.plugins.jwt import Jwk, JwksAdapter, Jwt, NewJwk, VerifyJwt
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

NOW = int(Clock()().timestamp())
COPY = "better-auth.session_data"
SIGNING: Mapping[str, Any] = {"session_cookie_cache": True, "disable_setting_jwt_header": True}


def signing(
    clock: Clock, strategy: Any = "jwt", *, enabled: bool = True, max_age: int = 300, **options: Any
) -> Auth[Any]:
    cache = CookieCacheOptions(enabled=enabled, strategy=strategy, max_age=max_age)
    plugin: Jwt[Any, Any] = Jwt(**{**SIGNING, **options.pop("jwt", {})})
    return plain(plugin, session=SessionOptions(cookie_cache=cache), clock=clock, **options)


async def forget_rows(auth: Auth[Any]) -> None:
    await auth.sessions.delete(auth.context(None))


async def user_of(browser: Browser) -> Any:
    found = content(await browser.get("/get-session"))
    return found and found["user"]["email"]


@requirement("S-161", "S-121", "ARCH-formats")
async def test_a_copy_has_upstreams_header_and_claims_and_the_published_key_proves_it() -> None:
    auth = signing(Clock())
    browser = await signed_up(auth)
    copy = browser.cookies[COPY]
    (key,) = await auth.rows(Jwk).find_many(auth.context(None))
    assert header_of(copy) == {"alg": "EdDSA", "kid": key.id, "typ": "better-auth.session-cache+jwt"}
    claims = proven(copy, await key_set(auth))
    assert claims is not None
    assert list(claims) == ["session", "user", "updatedAt", "version", "sid", "iat", "exp", "iss", "aud", "sub"]
    assert {name: claims[name] for name in ("sid", "iat", "exp", "iss", "aud", "sub")} == {
        "sid": claims["session"]["token"],
        "iat": NOW,
        "exp": NOW + 300,
        "iss": ORIGIN,
        "aud": "better-auth:session-cache",
        "sub": claims["user"]["id"],
    }


@requirement("S-161")
async def test_keys_are_looked_up_once_for_a_call() -> None:
    kept: list[Jwk] = []
    looks: list[str] = []

    async def get_jwks(ctx: Context) -> list[Jwk]:
        assert ctx.endpoint is not None
        looks.append(ctx.endpoint.path)
        return kept

    async def create_jwk(new: NewJwk, ctx: Context) -> Jwk:
        kept.append(Jwk(id=f"key {len(kept)}", **vars(new)))
        return kept[-1]

    clock = Clock()
    auth = signing(clock, jwt={"adapter": JwksAdapter(get_jwks=get_jwks, create_jwk=create_jwk)})
    browser = await signed_up(auth)
    assert await user_of(browser) == "ann@example.com"
    clock.advance(60)
    assert await user_of(browser) == "ann@example.com"
    assert (looks, len(kept)) == (["/sign-up/email", "/get-session"], 1)


@requirement("S-161", "S-165")
@pytest.mark.parametrize("seconds", [300, 60])
async def test_a_copy_is_believed_until_it_is_stale(seconds: int) -> None:
    clock = Clock()
    auth = signing(clock, max_age=seconds)
    browser = await signed_up(auth)
    await forget_rows(auth)
    clock.advance(seconds - 1)
    assert await user_of(browser) == "ann@example.com"
    clock.advance(1)
    assert await user_of(browser) is None


@requirement("S-161", "S02", "E12")
async def test_nothing_else_is_taken_for_a_copy() -> None:
    clock = Clock()
    auth = signing(clock)
    browser, other = await signed_up(auth), await signed_up(auth, "bob@example.com")
    claims = proven(browser.cookies[COPY], await key_set(auth))
    assert claims is not None
    await forget_rows(auth)
    plugin, ctx = Jwt.of(auth), auth.context(None)
    elsewhere = signing(clock)
    typ = {"typ": "better-auth.session-cache+jwt"}
    forged = [
        sign_jwt(claims, SECRET),
        await plugin.sign(ctx, claims),
        await plugin.sign(ctx, {**claims, "aud": ORIGIN}, header=typ),
        await plugin.sign(ctx, {**claims, "iss": "https://other"}, header=typ),
        await plugin.sign(ctx, {**claims, "sub": "somebody"}, header=typ),
        await plugin.sign(ctx, {**claims, "sid": "another"}, header=typ),
        await plugin.sign(ctx, {**claims, "user": None}, header=typ),
        await plugin.sign(ctx, {**claims, "exp": NOW}, header=typ),
        await Jwt.of(elsewhere).sign(elsewhere.context(None), claims, header=typ),
        other.cookies[COPY],
        browser.cookies[COPY][:-4],
        "x.y.z",
    ]
    cookies = dict(browser.cookies)
    for value in forged:
        browser.cookies = {**cookies, COPY: value}
        assert await user_of(browser) is None, value
    browser.cookies = {**cookies, COPY: await plugin.sign(ctx, claims, header=typ)}
    assert await user_of(browser) == "ann@example.com"
    assert (await auth.api.jwt.verify_jwt(None, VerifyJwt(token=cookies[COPY]))).payload is None


@requirement("S-161", "S-200", "J01")
async def test_a_new_key_signs_new_copies_and_the_old_one_proves_old_ones() -> None:
    clock = Clock()
    auth = signing(clock, jwt={"rotation_interval": 3600, "grace_period": 3600})
    old = await signed_up(auth)
    clock.advance(3600 - 100)
    assert await user_of(old) == "ann@example.com"
    before = header_of(old.cookies[COPY])["kid"]
    clock.advance(200)
    new = await signed_up(auth, "bob@example.com")
    await forget_rows(auth)
    assert header_of(new.cookies[COPY])["kid"] != before == header_of(old.cookies[COPY])["kid"]
    assert (await user_of(old), await user_of(new)) == ("ann@example.com", "bob@example.com")


@requirement("S-161", "J01")
async def test_a_key_that_is_gone_proves_no_copy_also_where_it_was_seen_before() -> None:
    clock = Clock()
    auth = signing(clock)
    browser = await signed_up(auth)
    cookies = dict(browser.cookies)
    assert await user_of(browser) == "ann@example.com"
    await forget_rows(auth)
    await auth.rows(Jwk).delete(auth.context(None))
    clock.advance(59)
    assert await user_of(Browser(auth, ORIGIN, dict(cookies))) == "ann@example.com"
    clock.advance(1)
    assert await user_of(Browser(auth, ORIGIN, dict(cookies))) is None


@requirement("S-161", "J01")
async def test_a_published_key_of_an_algorithm_that_we_do_not_know_is_in_nobodys_way() -> None:
    clock = Clock()
    auth = signing(clock)
    odd = {"public_key": '{"kty":"EC","crv":"P-384"}', "private_key": "x", "created_at": clock()}
    await auth.rows(Jwk).create(auth.context(None), alg="ES384", **odd)
    browser = await signed_up(auth, "bob@example.com")
    assert len(await key_set(auth)) == 2
    assert await user_of(browser) == "bob@example.com"
    await forget_rows(auth)
    assert await user_of(browser) == "bob@example.com"


@requirement("S-161", "S-126")
async def test_server_code_reads_copies_as_well() -> None:
    clock = Clock()
    auth = signing(clock)
    browser = await signed_up(auth)
    await forget_rows(auth)
    again = plain(Jwt(**SIGNING), session=auth.session_options, clock=clock, database=auth.store)
    found = await again.api.get_session(browser.headers)
    assert found is not None
    assert found.user.email == "ann@example.com"


@requirement("S-161", "ARCH-construction")
@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"strategy": "jwe"}, "strategy"),
        ({"strategy": "compact"}, "strategy"),
        ({"jwt": {"signer": str, "remote_url": "https://k/jwks", "algorithm": "ES256"}}, "signer"),
        ({"base_url": DynamicBaseURL(allowed_hosts=["a.example.com"])}, "base URL"),
    ],
)
async def test_options_that_cannot_sign_copies_are_refused(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        signing(Clock(), **options)


@requirement("S-161")
async def test_without_a_cookie_cache_there_is_nothing_to_sign() -> None:
    auth = signing(Clock(), enabled=False)
    browser = await signed_up(auth)
    assert COPY not in browser.cookies
    assert await auth.rows(Jwk).find_many(auth.context(None)) == []
    assert not plain(Jwt()).handler.compiled["/sign-up/email"].before
