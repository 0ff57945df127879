from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest

from app import ORIGIN, content, plain, set_cookies, signed_up
from plugins.second_step import ASKED, CREDENTIALS, totp_of
from portico import (
    AdvancedOptions,
    AnyApi,
    ApiError,
    Auth,
    ConfigError,
    Context,
    CookieCacheOptions,
    Headers,
    Response,
    SessionOptions,
    before,
)
from portico.errors import UNAUTHORIZED
from portico.plugins.bearer import Bearer
from portico.plugins.multi_session import MultiSession, RevokeDeviceSession, SetActive
from portico.plugins.two_factor import TwoFactor
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("S-205f")]

TOKEN = "better-auth.session_token"
MULTI = f"{TOKEN}_multi-"
WEEK = "; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
GONE = "; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
INVALID = (401, {"message": "Invalid session token", "code": "INVALID_SESSION_TOKEN"})
LIST, ACTIVATE, REVOKE = (f"/multi-session/{each}" for each in ("list-device-sessions", "set-active", "revoke"))


def make(*plugins: Any, maximum: int = 5, **options: Any) -> Auth[AnyApi]:
    return plain(MultiSession(maximum_sessions=maximum), *plugins, **{"clock": Clock(), **options})


async def enter(browser: Browser, name: str, **fields: Any) -> str:
    """Sign somebody new up in a browser and return their token."""
    body = {"name": name, "email": f"{name}@example.com", "password": "password123", **fields}
    response = await browser.post("/sign-up/email", body)
    assert response.status == 200, response.body
    return str(content(response)["token"])


async def visited(auth: Auth[Any], *names: str) -> tuple[Browser, list[str]]:
    """Return a browser in which these people signed up, one after the other, and their tokens."""
    browser = Browser(auth, ORIGIN)
    return browser, [await enter(browser, name) for name in names]


async def listed(browser: Browser) -> list[str]:
    """Return the names of who can be switched to."""
    return [each["user"]["name"] for each in content(await browser.get(LIST))]


async def active(browser: Browser) -> str | None:
    found = content(await browser.get("/get-session"))
    return str(found["user"]["name"]) if found else None


async def activate(browser: Browser, token: object) -> Response:
    return await browser.post(ACTIVATE, {"sessionToken": token})


async def live(auth: Auth[Any]) -> set[str]:
    return {session.token for session in await auth.sessions.find_many(auth.context(None))}


@requirement("B-93")
async def test_every_session_has_a_cookie_of_its_own() -> None:
    auth = make()
    browser = Browser(auth, ORIGIN)
    response = await browser.post(
        "/sign-up/email", {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    )
    token = content(response)["token"]
    signed = quote(auth.signer.sign(token), safe="")
    assert set_cookies(response) == [f"{TOKEN}={signed}{WEEK}", f"{MULTI}{token.lower()}={signed}{WEEK}"]
    assert set_cookies(await browser.get(LIST)) == []


@requirement("B-93")
@pytest.mark.parametrize(
    ("options", "start", "attributes"),
    [
        (
            {"base_url": "https://x.test"},
            "__Secure-better-auth.session_token",
            "; Path=/; HttpOnly; Secure; SameSite=Lax",
        ),
        (
            {"advanced": AdvancedOptions(cookie_prefix="MyApp")},
            "MyApp.session_token",
            "; Path=/; HttpOnly; SameSite=Lax",
        ),
        (
            {
                "advanced": AdvancedOptions(
                    cookies={"session_token": {"name": "Sid", "path": "/app", "same_site": "strict"}}
                )
            },
            "Sid",
            "; Path=/app; HttpOnly; SameSite=Strict",
        ),
    ],
)
async def test_its_name_and_attributes_are_those_of_the_session_cookie(
    options: dict[str, Any], start: str, attributes: str
) -> None:
    auth = make(**options)
    browser = Browser(auth, options.get("base_url", ORIGIN))
    token = await enter(browser, "ann")
    assert set(browser.cookies) == {start, f"{start}_multi-{token.lower()}"}
    again = await browser.post("/sign-in/email", {"email": "ann@example.com", "password": "password123"})
    renewed = content(again)["token"]
    assert set_cookies(again)[1:] == [
        f"{start}_multi-{token.lower()}=; Max-Age=0{attributes}",
        f"{start}_multi-{renewed.lower()}={quote(auth.signer.sign(renewed), safe='')}; Max-Age=604800{attributes}",
    ]
    assert set(browser.cookies) == {start, f"{start}_multi-{renewed.lower()}"}
    left = await browser.post("/sign-out")
    assert f"{start}_multi-{renewed.lower()}=; Max-Age=0{attributes}" in set_cookies(left)
    assert browser.cookies == {}


async def test_users_of_a_browser_are_listed_in_the_order_in_which_they_came() -> None:
    auth = make()
    browser, tokens = await visited(auth, "ann", "bob", "eve")
    sessions = content(await browser.get(LIST))
    assert [set(each) for each in sessions] == [{"session", "user"}] * 3
    assert [each["session"]["token"] for each in sessions] == tokens
    assert await listed(browser) == ["ann", "bob", "eve"]
    assert await listed(Browser(auth, ORIGIN)) == []


async def test_a_browser_goes_on_with_another_session() -> None:
    auth = make()
    browser, (ann, bob) = await visited(auth, "ann", "bob")
    for token, name in ((ann, "ann"), (bob, "bob"), (bob, "bob")):
        response = await activate(browser, token)
        reply = content(response)
        assert (response.status, reply["session"]["token"], reply["user"]["name"]) == (200, token, name)
        assert set_cookies(response) == [f"{TOKEN}={quote(auth.signer.sign(token), safe='')}{WEEK}"]
        assert await active(browser) == name
    assert await live(auth) == {ann, bob}


@requirement("S09")
async def test_nobody_goes_on_with_a_session_of_another_browser() -> None:
    auth = make()
    browser, (ann,) = await visited(auth, "ann")
    other, (eve,) = await visited(auth, "eve")
    before = dict(browser.cookies)
    for token in (eve, eve.lower(), "", "wrong", f"{ann}; Path=/x", f"{ann}=", "ä"):
        response = await activate(browser, token)
        assert ((response.status, content(response)), set_cookies(response)) == (INVALID, []), token
        ended = await browser.post(REVOKE, {"sessionToken": token})
        assert ((ended.status, content(ended)), set_cookies(ended)) == (INVALID, []), token
    assert (browser.cookies, await active(browser), await active(other)) == (before, "ann", "eve")
    assert await live(auth) == {ann, eve}


FORGERIES: list[Callable[[Auth[Any], str], str]] = [
    lambda auth, token: token,
    lambda auth, token: f"{token}.",
    lambda auth, token: f"{token}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    lambda auth, token: plain(secret="another secret of the right length, too").signer.sign(token),
    lambda auth, token: auth.signer.sign(token)[:-2],
    lambda auth, token: auth.signer.sign("another value that was signed"),
    lambda auth, token: "",
]


@requirement("S09", "S03")
@pytest.mark.parametrize("forge", FORGERIES)
@pytest.mark.parametrize("cookie_cache", [False, True])
async def test_a_forged_cookie_ends_and_opens_no_session(forge: Any, cookie_cache: bool) -> None:
    auth = make(session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=cookie_cache)))
    victim, (eve,) = await visited(auth, "eve")
    browser, (ann,) = await visited(auth, "ann")
    browser.cookies[f"{MULTI}{eve.lower()}"] = quote(forge(auth, eve), safe="")
    assert await listed(browser) == ["ann"]
    assert (await activate(browser, eve)).status == 401
    assert (await browser.post(REVOKE, {"sessionToken": eve})).status == 401
    # Neither does it count among the sessions of this browser, nor is it replaced when the same user comes.
    assert (await browser.post("/sign-in/email", {"email": "eve@example.com", "password": "password123"})).status == 200
    assert {ann, eve} <= await live(auth)
    response = await browser.post("/sign-out")
    assert response.status == 200
    assert await live(auth) == {eve}
    assert content(await victim.get("/get-session", "disableCookieCache=true"))["user"]["name"] == "eve"


@requirement("S09", "E12")
async def test_a_value_that_was_signed_for_another_cookie_is_no_session_here() -> None:
    auth = make(TwoFactor())
    _, (eve,) = await visited(auth, "eve")
    browser, (ann,) = await visited(auth, "ann")
    browser.cookies[f"{MULTI}other"] = quote(auth.signer.sign(eve), safe="")
    browser.cookies[f"{MULTI}2fa-x"] = quote(auth.signer.sign("2fa-x"), safe="")
    assert await listed(browser) == ["ann"]
    assert (await activate(browser, "other")).status == 401
    missing = await activate(browser, "2fa-x")
    assert (missing.status, content(missing)["code"]) == (401, "INVALID_SESSION_TOKEN")
    await browser.post("/sign-out")
    assert await live(auth) == {eve}
    assert ann != eve


@requirement("S03", "B-93")
async def test_signing_out_ends_every_session_of_the_browser_and_no_other() -> None:
    auth = make()
    browser, _ = await visited(auth, "ann", "bob")
    other = Browser(auth, ORIGIN)
    elsewhere = content(await other.post("/sign-in/email", {"email": "ann@example.com", "password": "password123"}))
    stolen = Browser(auth, ORIGIN, dict(browser.cookies))
    response = await browser.post("/sign-out")
    assert (response.status, content(response), browser.cookies) == (200, {"success": True}, {})
    assert await live(auth) == {elsewhere["token"]}
    assert (await active(stolen), await listed(stolen)) == (None, [])
    assert await active(other) == "ann"


async def test_a_sign_out_that_is_refused_ends_nothing() -> None:
    @before("/sign-out", errors=(UNAUTHORIZED,))
    async def refuse(ctx: Context) -> None:
        raise ApiError(UNAUTHORIZED)

    auth = make(hooks=[refuse])
    browser, tokens = await visited(auth, "ann", "bob")
    before_it = dict(browser.cookies)
    assert (await browser.post("/sign-out")).status == 401
    assert (browser.cookies, await live(auth)) == (before_it, set(tokens))


async def test_after_the_active_session_another_one_goes_on() -> None:
    auth = make()
    browser, (ann, bob, eve) = await visited(auth, "ann", "bob", "eve")
    response = await browser.post(REVOKE, {"sessionToken": eve})
    assert (response.status, content(response)) == (200, {"status": True})
    assert set_cookies(response) == [
        f"{MULTI}{eve.lower()}={GONE}",
        f"{TOKEN}={quote(auth.signer.sign(ann), safe='')}{WEEK}",
    ]
    assert (await active(browser), await listed(browser), await live(auth)) == ("ann", ["ann", "bob"], {ann, bob})
    assert set_cookies(await browser.post(REVOKE, {"sessionToken": bob})) == [f"{MULTI}{bob.lower()}={GONE}"]
    assert await active(browser) == "ann"
    await browser.post(REVOKE, {"sessionToken": ann})
    assert (browser.cookies, await active(browser), await live(auth)) == ({}, None, set())


async def test_a_session_that_ended_is_passed_over() -> None:
    auth = make()
    browser, (ann, bob, eve) = await visited(auth, "ann", "bob", "eve")
    await auth.sessions.delete(auth.context(None), token=ann)
    await browser.post(REVOKE, {"sessionToken": eve})
    assert (await active(browser), await listed(browser)) == ("bob", ["bob"])
    response = await activate(browser, ann)
    assert ((response.status, content(response)), set_cookies(response)) == (INVALID, [f"{MULTI}{ann.lower()}={GONE}"])
    assert (await active(browser), await live(auth)) == ("bob", {bob})


async def test_a_session_that_is_over_is_not_gone_on_with() -> None:
    clock = Clock()
    auth = make(clock=clock)
    browser, (ann,) = await visited(auth, "ann")
    clock.advance(6 * 24 * 3600)
    await enter(browser, "bob")
    clock.advance(24 * 3600)
    assert await listed(browser) == ["bob"]
    assert (await activate(browser, ann)).status == 401
    assert await active(browser) == "bob"


async def test_who_is_not_signed_in_revokes_nothing_but_may_come_back() -> None:
    auth = make()
    browser, (ann,) = await visited(auth, "ann")
    del browser.cookies[TOKEN]
    refused = await browser.post(REVOKE, {"sessionToken": ann})
    assert (refused.status, content(refused)["code"], await live(auth)) == (401, "UNAUTHORIZED", {ann})
    assert (await activate(browser, ann)).status == 200
    assert await active(browser) == "ann"


async def test_who_signs_in_again_replaces_the_session_of_this_browser() -> None:
    auth = make()
    browser, (ann, bob) = await visited(auth, "ann", "bob")
    other = await signed_up(auth, "eve@example.com")
    reply = content(await browser.post("/sign-in/email", CREDENTIALS))
    assert await live(auth) - {content(await other.get("/get-session"))["session"]["token"]} == {bob, reply["token"]}
    assert await listed(browser) == ["bob", "ann"]
    assert (await activate(browser, ann)).status == 401


async def test_sessions_that_have_ended_leave_room_for_others() -> None:
    auth = make(maximum=2)
    browser, _ = await visited(auth, "ann")
    for number in range(3):
        change = {"currentPassword": "password123", "newPassword": "password123", "revokeOtherSessions": True}
        assert (await browser.post("/change-password", change)).status == 200, number
        assert await listed(browser) == ["ann"]
    await enter(browser, "bob")
    assert await listed(browser) == ["ann", "bob"]
    await enter(browser, "eve")
    assert (await active(browser), await listed(browser)) == ("eve", ["ann", "bob"])


async def test_there_are_as_many_sessions_to_switch_between_as_the_option_says() -> None:
    auth = make(maximum=2)
    browser, (ann, bob, eve) = await visited(auth, "ann", "bob", "eve")
    assert (await active(browser), await listed(browser)) == ("eve", ["ann", "bob"])
    assert await live(auth) == {ann, bob, eve}
    assert (await activate(browser, eve)).status == 401
    # One leaves, and the next one has room again.
    await activate(browser, ann)
    await browser.post(REVOKE, {"sessionToken": ann})
    await enter(browser, "dan")
    assert await listed(browser) == ["bob", "dan"]


@requirement("CONF-multi-session")
async def test_there_may_be_one_session_only() -> None:
    auth = make(maximum=1)
    browser, (ann, bob) = await visited(auth, "ann", "bob")
    assert (await listed(browser), await active(browser)) == (["ann"], "bob")
    assert (await live(auth), f"{MULTI}{bob.lower()}" in browser.cookies) == ({ann, bob}, False)


async def test_of_a_session_that_was_prolonged_as_it_ended_no_value_is_sent() -> None:
    clock = Clock()
    auth = make(clock=clock, session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
    browser, (ann, bob) = await visited(auth, "ann", "bob")
    clock.advance(2 * 24 * 3600)
    lines = set_cookies(await browser.post(REVOKE, {"sessionToken": bob}))
    names = ("better-auth.session_data=", f"{TOKEN}=")
    assert [sum(line.startswith(name) for line in lines) for name in names] == [1, 1]
    assert f"{TOKEN}={quote(auth.signer.sign(ann), safe='')}{WEEK}" in lines
    assert await active(browser) == "ann"


@requirement("CONF-multi-session")
def test_there_is_one_session_at_least() -> None:
    with pytest.raises(ConfigError, match="there is one session at least"):
        make(maximum=0)


@requirement("S-131")
async def test_who_is_not_to_be_remembered_is_in_no_list_when_the_window_was_closed() -> None:
    auth = make()
    browser = Browser(auth, ORIGIN)
    ann = await enter(browser, "ann")
    body = {"name": "bob", "email": "bob@example.com", "password": "password123", "rememberMe": False}
    response = await browser.post("/sign-up/email", body)
    lasting = {line.partition("=")[0] for line in set_cookies(response) if "Max-Age=" in line}
    assert lasting == set()
    assert await listed(browser) == ["ann", "bob"]
    # Until somebody says otherwise, the browser is one that forgets.
    assert all("Max-Age=" not in line for line in set_cookies(await activate(browser, ann)))


@requirement("S-266")
@pytest.mark.parametrize("strategy", ["compact", "jwt", "jwe"])
async def test_the_cookie_copy_follows_the_active_session(strategy: Any) -> None:
    auth = make(session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True, strategy=strategy)))
    browser, (ann, bob) = await visited(auth, "ann", "bob")
    await activate(browser, ann)
    await auth.sessions.delete(auth.context(None), token=ann)
    # From the copy: the row is gone.
    assert await active(browser) == "ann"
    await activate(browser, bob)
    assert await active(browser) == "bob"
    await browser.post(REVOKE, {"sessionToken": bob})
    assert (await active(browser), f"{TOKEN.removesuffix('token')}data" in browser.cookies) == (None, False)


@requirement("S-198")
async def test_a_bearer_uses_the_sessions_of_the_browser_beside_it() -> None:
    auth = make(Bearer())
    browser, (ann,) = await visited(auth, "ann")
    _, (bob,) = await visited(auth, "bob")
    headers = Headers([*browser.headers.items(), ("authorization", f"Bearer {bob}")])
    api: Any = auth.api.multi_session
    ctx = auth.context(headers)
    reply = await api.set_active(ctx, SetActive(session_token=ann))
    assert reply.session.token == ann
    assert ("set-auth-token", auth.signer.sign(ann)) in ctx.reply.headers
    with pytest.raises(ApiError) as refused:
        await api.set_active(auth.context(headers), SetActive(session_token=bob))
    assert refused.value.error.code == "INVALID_SESSION_TOKEN"
    # The session of the token ends only where it has a cookie, too.
    with pytest.raises(ApiError):
        await api.revoke(auth.context(headers), RevokeDeviceSession(session_token=bob))
    assert await live(auth) == {ann, bob}
    assert [each.user.name for each in await api.list_device_sessions(headers)] == ["ann"]


@requirement("M05")
async def test_a_sign_in_that_waits_for_its_second_step_has_no_cookie_of_its_own() -> None:
    clock = Clock()
    auth = make(TwoFactor(), clock=clock)
    browser, _ = await visited(auth, "bob", "ann")
    enabled = content(await browser.post("/two-factor/enable", {"password": "password123"}))
    totp = totp_of(enabled)
    await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})
    await browser.post("/sign-out")
    clock.advance(30)
    _, (eve,) = await visited(auth, "eve")
    shared, _ = await visited(auth, "dan")
    challenged = await shared.post("/sign-in/email", CREDENTIALS)
    assert content(challenged) == ASKED
    assert not any("_multi-" in line for line in set_cookies(challenged))
    assert await listed(shared) == ["dan"]
    verified = content(await shared.post("/two-factor/verify-totp", {"code": totp.at(clock())}))
    assert verified["user"]["name"] == "ann"
    assert await listed(shared) == ["dan", "ann"]
    assert eve in await live(auth)


@requirement("S-268")
async def test_a_session_that_is_prolonged_keeps_its_cookie_or_gets_it_back() -> None:
    clock = Clock()
    auth = make(clock=clock)
    browser, (ann,) = await visited(auth, "ann")
    clock.advance(2 * 24 * 3600)
    prolonged = await browser.get("/get-session")
    assert [line.partition("=")[0] for line in set_cookies(prolonged)] == [TOKEN]
    del browser.cookies[f"{MULTI}{ann.lower()}"]
    clock.advance(2 * 24 * 3600)
    prolonged = await browser.get("/get-session")
    assert [line.partition("=")[0] for line in set_cookies(prolonged)] == [TOKEN, f"{MULTI}{ann.lower()}"]
    assert await listed(browser) == ["ann"]


@requirement("C01")
async def test_no_foreign_page_switches_or_ends_a_session() -> None:
    auth = make()
    browser, (ann, bob) = await visited(auth, "ann", "bob")
    foreign = Browser(auth, "https://evil.test", dict(browser.cookies))
    for path in (ACTIVATE, REVOKE):
        refused = await foreign.post(path, {"sessionToken": ann})
        assert (refused.status, content(refused)["code"]) == (403, "INVALID_ORIGIN")
    assert (await active(browser), await live(auth)) == ("bob", {ann, bob})


async def test_a_session_cookie_is_as_it_is_without_the_plugin() -> None:
    alone, beside = plain(), make()
    browser = await signed_up(alone)
    other = await signed_up(beside)
    assert set(browser.cookies) == {TOKEN}
    token = unquote(other.cookies[TOKEN]).partition(".")[0]
    assert set(other.cookies) == {TOKEN, f"{MULTI}{token.lower()}"}
