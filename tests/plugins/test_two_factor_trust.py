from typing import Any

import anyio
import pytest
from pyotp.totp import TOTP

from app import ORIGIN, SECRET, Api, content, make, set_cookies
from plugins.second_step import ASKED, CREDENTIALS, challenged, enrolled, rows
from portico import Auth
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

TRUST = "better-auth.trust_device"
EXPIRED = "Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
DAY = 86400


async def trusted(auth: Auth[Api], clock: Clock, totp: TOTP) -> Browser:
    """Return a signed-in browser that may skip the second step next time."""
    browser = await challenged(auth)
    reply = await browser.post("/two-factor/verify-totp", {"code": totp.at(clock()), "trustDevice": True})
    assert (reply.status, TRUST in browser.cookies) == (200, True)
    clock.advance(30)
    return browser


async def trusted_user(auth: Auth[Api], clock: Clock) -> Browser:
    _, totp = await enrolled(auth, clock)
    return await trusted(auth, clock, totp)


async def devices(auth: Auth[Any]) -> list[str]:
    return [row["identifier"] for row in await rows(auth, "verification") if "trust-device" in row["identifier"]]


async def sign_in(browser: Browser, **fields: object) -> list[str]:
    """Sign in with the password and return the lines that set cookies, without their values."""
    response = await browser.post("/sign-in/email", {**CREDENTIALS, **fields})
    assert response.status == 200
    return [without_value(line) for line in set_cookies(response)]


def without_value(line: str) -> str:
    pair, _, attributes = line.partition("; ")
    name, _, value = pair.partition("=")
    return f"{name.removeprefix('better-auth.')}{'' if value else ' expired'}; {attributes}"


@requirement("S-134", "B-80")
async def test_a_trusted_device_skips_the_second_step_and_is_named_anew_each_time() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await trusted_user(auth, clock)
    for _ in range(2):
        before, [device] = browser.cookies[TRUST], await devices(auth)
        lines = await sign_in(browser)
        assert lines == [
            "session_token; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax",
            "trust_device; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax",
        ]
        assert content(await browser.get("/get-session"))["user"]["email"] == "ann@example.com"
        [renewed] = await devices(auth)
        assert (renewed != device, browser.cookies[TRUST] != before) == (True, True)
    clock.advance(29 * DAY)
    assert len(await sign_in(browser)) == 2
    clock.advance(29 * DAY)
    assert len(await sign_in(browser)) == 2


@requirement("S-134", "B-80")
@pytest.mark.parametrize("kind", ["totp", "backup-code"])
async def test_trusting_a_device_names_it_in_a_cookie_after_the_session(kind: str) -> None:
    clock = Clock()
    auth = make(clock)
    owner, totp = await enrolled(auth, clock)
    codes = content(await owner.post("/two-factor/generate-backup-codes", {"password": "password123"}))["backupCodes"]
    code = totp.at(clock()) if kind == "totp" else codes[0]
    browser = Browser(auth, ORIGIN)
    await sign_in(browser, rememberMe=False)
    response = await browser.post(f"/two-factor/verify-{kind}", {"code": code, "trustDevice": True})
    assert [without_value(line) for line in set_cookies(response)] == [
        "session_token; Path=/; HttpOnly; SameSite=Lax",
        f"two_factor expired; {EXPIRED}",
        "trust_device; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax",
        f"dont_remember expired; {EXPIRED}",
    ]
    value = auth.cookies.read(browser.headers, "trust_device")
    assert value is not None
    tag, _, identifier = value.partition("!")
    user_id = content(await browser.get("/get-session"))["user"]["id"]
    assert auth.signer.is_tag(f"{user_id}!{identifier}".encode(), tag)
    assert [row["value"] for row in await rows(auth, "verification") if row["identifier"] == identifier] == [user_id]


@requirement("S-134")
async def test_a_cookie_that_upstream_made_is_trusted_here() -> None:
    clock = Clock()
    auth = make(clock)
    assert SECRET == "reference-secret-0123456789-abcdefghij-XYZ"
    owner, _ = await enrolled(auth, clock)
    ctx = auth.context(None)
    password = await auth.accounts.find(ctx, user_id=content(await owner.get("/get-session"))["user"]["id"])
    assert password is not None
    user = await auth.users.create(
        ctx, id="1HIpuvwmYB9NmjqGHcSsbi0SkGl4z4Xr", name="Ref", email="ref@example.com", two_factor_enabled=True
    )
    await auth.accounts.add_credential(ctx, user, password.password or "")
    await auth.verifications.put(ctx, "trust-device-tYsHGFoMEyvBVvpJ2G84Ht90OAszE1e3", user.id, 30 * DAY)
    cookie = (
        "VJ9r7tdSSlLxl0Q-iAQMZ43kzk52dOjyixWEK2aSyy8!trust-device-tYsHGFoMEyvBVvpJ2G84Ht90OAszE1e3"
        ".H0eAUOIzelhX23XMnKJIdLBJa%2B1dmN7u1aaCUL4yzGQ%3D"
    )
    browser = Browser(auth, ORIGIN, {TRUST: cookie})
    assert len(await sign_in(browser, email="ref@example.com")) == 2
    assert content(await browser.get("/get-session"))["user"]["id"] == user.id


@requirement("S-134", "M05")
async def test_a_device_is_trusted_for_thirty_days_only() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await trusted_user(auth, clock)
    clock.advance(30 * DAY)
    assert content(await browser.post("/sign-in/email", CREDENTIALS)) == ASKED
    assert TRUST not in browser.cookies


@requirement("S-134", "M05")
async def test_a_device_that_one_user_trusts_is_not_trusted_by_another() -> None:
    clock = Clock()
    auth = make(clock)
    await enrolled(auth, clock, "bob@example.com")
    ann = await trusted_user(auth, clock)
    before = await devices(auth)
    bob = Browser(auth, ORIGIN, {TRUST: ann.cookies[TRUST]})
    response = await bob.post("/sign-in/email", {**CREDENTIALS, "email": "bob@example.com"})
    assert content(response) == ASKED
    assert sorted(without_value(line) for line in set_cookies(response)) == [
        f"session_data expired; {EXPIRED}",
        f"session_token expired; {EXPIRED}",
        f"trust_device expired; {EXPIRED}",
        "two_factor; Max-Age=600; Path=/; HttpOnly; SameSite=Lax",
    ]
    assert await devices(auth) == before
    assert len(await sign_in(ann)) == 2


@requirement("S-134", "M05")
@pytest.mark.parametrize("change", ["signature", "tag", "identifier", "unsigned", "another cookie", "no row"])
async def test_a_cookie_that_does_not_prove_trust_is_worth_nothing(change: str) -> None:
    clock = Clock()
    auth = make(clock)
    browser = await trusted_user(auth, clock)
    value = auth.cookies.read(browser.headers, "trust_device")
    assert value is not None
    tag, _, identifier = value.partition("!")
    forged = {
        "signature": f"{value}.{auth.signer.sign(identifier).rpartition('.')[2]}",
        "tag": auth.signer.sign(f"{tag[::-1]}!{identifier}"),
        "identifier": auth.signer.sign(f"{tag}!{identifier[::-1]}"),
        "unsigned": value,
        "another cookie": browser.cookies["better-auth.session_token"],
        "no row": auth.signer.sign(
            f"{auth.signer.tag(f'{await owner_of(auth)}!trust-device-x'.encode())}!trust-device-x"
        ),
    }[change]
    other = Browser(auth, ORIGIN, {TRUST: forged})
    before = await devices(auth)
    assert content(await other.post("/sign-in/email", CREDENTIALS)) == ASKED
    assert (await other.get("/get-session")).body == b"null"
    assert await devices(auth) == before


@requirement("S-134", "M05")
async def test_a_copy_of_the_cookie_is_worth_nothing_after_the_next_sign_in() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await trusted_user(auth, clock)
    thief = Browser(auth, ORIGIN, {TRUST: browser.cookies[TRUST]})
    await sign_in(browser)
    before = await devices(auth)
    assert content(await thief.post("/sign-in/email", CREDENTIALS)) == ASKED
    assert TRUST not in thief.cookies
    assert await devices(auth) == before
    assert len(await sign_in(browser)) == 2


@requirement("S-134", "M05")
async def test_of_ten_sign_ins_at_once_with_one_cookie_one_is_trusted(tmp_path: Any) -> None:
    clock = Clock()
    auth = make(clock, database=f"sqlite:///{tmp_path}/auth.db")
    await auth.create_schema()
    browser = await trusted_user(auth, clock)
    copies = [Browser(auth, ORIGIN, {TRUST: browser.cookies[TRUST]}) for _ in range(10)]
    replies: list[Any] = []

    async def one(copy: Browser) -> None:
        response = await copy.post("/sign-in/email", CREDENTIALS)
        assert response.status == 200
        replies.append(content(response))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for copy in copies:
                group.start_soon(one, copy)
    assert [reply for reply in replies if reply != ASKED and "token" not in reply] == []
    assert (replies.count(ASKED), len(await devices(auth)), len(await rows(auth, "session"))) == (9, 1, 3)
    assert [TRUST in copy.cookies for copy in copies].count(True) == 1
    await auth.close()


@requirement("S-134")
async def test_trust_is_only_given_when_it_is_asked_for_at_sign_in() -> None:
    clock = Clock()
    auth = make(clock)
    browser, totp = await enrolled(auth, clock)
    signed_in = await browser.post("/two-factor/verify-totp", {"code": totp.at(clock()), "trustDevice": True})
    assert (signed_in.status, set_cookies(signed_in)) == (200, [])
    clock.advance(30)
    other = await challenged(auth)
    await other.post("/two-factor/verify-totp", {"code": totp.at(clock()), "trustDevice": False})
    assert (TRUST in other.cookies, await devices(auth)) == (False, [])
    third = await challenged(auth)
    refused = await third.post("/two-factor/verify-totp", {"code": "000000", "trustDevice": True})
    assert (refused.status, set_cookies(refused), await devices(auth)) == (401, [], [])


@requirement("S-134", "S-131")
async def test_a_trusted_device_need_not_remember_the_session() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await trusted_user(auth, clock)
    assert await sign_in(browser, rememberMe=False) == [
        "session_token; Path=/; HttpOnly; SameSite=Lax",
        "dont_remember; Path=/; HttpOnly; SameSite=Lax",
        "trust_device; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax",
    ]


@requirement("S-134", "S-031", "B-80")
async def test_disabling_forgets_the_device() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await trusted_user(auth, clock)
    response = await browser.post("/two-factor/disable", {"password": "password123"})
    assert [without_value(line) for line in set_cookies(response)] == [
        "session_token; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax",
        f"trust_device expired; {EXPIRED}",
    ]
    assert await devices(auth) == []


@requirement("S-134")
async def test_disabling_forgets_no_other_device_of_the_user() -> None:
    clock = Clock()
    auth = make(clock)
    _, totp = await enrolled(auth, clock)
    browser = await trusted(auth, clock, totp)
    [device] = await devices(auth)
    other = await trusted(auth, clock, totp)
    assert (await browser.post("/two-factor/disable", {"password": "password123"})).status == 200
    [left] = await devices(auth)
    assert (TRUST in browser.cookies, TRUST in other.cookies, left != device) == (False, True, True)


@requirement("S-134")
async def test_disabling_does_not_forget_a_device_of_another_user() -> None:
    clock = Clock()
    auth = make(clock)
    bob, _ = await enrolled(auth, clock, "bob@example.com")
    ann = await trusted_user(auth, clock)
    bob.cookies[TRUST] = ann.cookies[TRUST]
    assert (await bob.post("/two-factor/disable", {"password": "password123"})).status == 200
    assert (TRUST in bob.cookies, len(await devices(auth))) == (False, 1)
    assert len(await sign_in(ann)) == 2


async def owner_of(auth: Auth[Any]) -> str:
    [row] = await rows(auth)
    owner: str = row["user_id"]
    return owner
