"""The lock of an account after too many wrong codes: whom it holds up, for how long, and what it leaves alone."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from pyotp.totp import TOTP

from app import ORIGIN, content, signed_up
from plugins.second_step import CREDENTIALS, PASSWORD, Sent, rows, sending, signed_up_with_app
from portico import AnyApi, Auth
from portico.plugins.two_factor import AccountLockout, TwoFactor
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

LOCKED = (429, "ACCOUNT_TEMPORARILY_LOCKED")
WRONG = (401, "INVALID_CODE")


def locking(clock: Clock, failures: int, *, enabled: bool = True, **options: Any) -> tuple[Auth[AnyApi], Sent]:
    lockout = AccountLockout(enabled=enabled, max_failed_attempts=failures, duration=60)
    return sending(clock, factor={"account_lockout": lockout}, **options)


async def by_mail(auth: Auth[AnyApi], email: str = "ann@example.com") -> None:
    """Let somebody sign up who is sent codes."""
    browser = await signed_up(auth, email)
    assert content(await browser.post("/two-factor/enable", {**PASSWORD, "method": "otp"})) == {"method": "otp"}


async def challenged(auth: Auth[AnyApi]) -> Browser:
    """Return a new browser that signed in and is asked for the second step."""
    browser = Browser(auth, ORIGIN)
    assert "twoFactorRedirect" in content(await browser.post("/sign-in/email", CREDENTIALS))
    return browser


async def asked(auth: Auth[AnyApi]) -> Browser:
    """Return one that was sent a code as well."""
    browser = await challenged(auth)
    assert content(await browser.post("/two-factor/send-otp")) == {"status": True}
    return browser


async def tried(browser: Browser, kind: str, code: str) -> tuple[int, str | None]:
    response = await browser.post(f"/two-factor/verify-{kind}", {"code": code})
    return response.status, content(response).get("code")


@requirement("M01", "CONF-two-factor")
async def test_who_was_wrong_more_often_than_is_allowed_by_now_is_locked_for_a_while_only() -> None:
    clock = Clock()
    auth, _ = locking(clock, 3)
    _, totp, _ = await signed_up_with_app(auth, clock)
    await TwoFactor.of(auth).secrets.update(auth.context(None), {}, failed_verification_count=7)
    browser = await challenged(auth)
    assert await tried(browser, "totp", totp.at(clock())) == LOCKED
    clock.advance(59)
    assert await tried(browser, "totp", totp.at(clock())) == LOCKED
    clock.advance(1)
    assert await tried(browser, "totp", totp.at(clock())) == (200, None)


@requirement("M01")
async def test_a_row_of_an_older_version_that_counts_nothing_begins_to_count() -> None:
    clock = Clock()
    auth, _ = locking(clock, 2)
    _, totp, _ = await signed_up_with_app(auth, clock)
    await TwoFactor.of(auth).secrets.update(auth.context(None), {}, failed_verification_count=None)
    browser = await challenged(auth)
    answers = [await tried(browser, "totp", code) for code in ("wrong", "wrong", totp.at(clock()))]
    assert answers == [WRONG, WRONG, LOCKED]
    assert len(await rows(auth, "session")) == 1


@requirement("CONF-two-factor")
@pytest.mark.parametrize("kind", ["totp", "otp"])
async def test_where_accounts_are_no_longer_locked_nothing_is_counted_and_no_lock_holds(kind: str) -> None:
    clock = Clock()
    before, _ = locking(clock, 1)
    totp: TOTP | None = None
    if kind == "totp":
        _, totp, _ = await signed_up_with_app(before, clock)
    else:
        await by_mail(before)
    assert await tried(await asked(before), kind, "wrong") == WRONG
    assert await tried(await asked(before), kind, "wrong") == LOCKED
    auth, sent = locking(clock, 1, enabled=False, database=before.store)
    browser, kept = await asked(auth), await rows(auth)
    assert [await tried(browser, kind, "wrong") for _ in range(2)] == [WRONG, WRONG]
    assert await rows(auth) == kept
    assert await tried(browser, kind, sent[-1].otp if totp is None else totp.at(clock())) == (200, None)


@requirement("M01", "S-036")
@pytest.mark.parametrize("has_app", [True, False])
async def test_a_code_that_was_sent_is_kept_while_the_account_is_locked(has_app: bool) -> None:
    clock = Clock()
    auth, sent = locking(clock, 1)
    if has_app:
        await signed_up_with_app(auth, clock)
    else:
        await by_mail(auth)
    assert await tried(await asked(auth), "otp", "wrong") == WRONG
    browser = await asked(auth)
    code, before = sent[-1].otp, await rows(auth, "verification")
    assert [await tried(browser, "otp", code) for _ in range(6)] == [LOCKED] * 6
    assert await rows(auth, "verification") == before
    clock.advance(60)
    assert await tried(browser, "otp", code) == (200, None)


@requirement("M01")
@pytest.mark.parametrize("kind", ["totp", "otp", "backup-code"])
async def test_every_kind_of_right_code_starts_the_count_anew(kind: str) -> None:
    clock = Clock()
    auth, sent = locking(clock, 3)
    _, totp, backup_codes = await signed_up_with_app(auth, clock)
    browser = await asked(auth)
    assert [await tried(browser, "totp", "wrong") for _ in range(2)] == [WRONG, WRONG]
    right = {"totp": totp.at(clock()), "otp": sent[-1].otp, "backup-code": backup_codes[0]}[kind]
    assert await tried(browser, kind, right) == (200, None)
    assert [row["failed_verification_count"] for row in await rows(auth)] == [0]


@requirement("M01", "S-036")
async def test_wrong_codes_of_who_has_no_app_lock_nobody_who_has_one() -> None:
    clock = Clock()
    auth, sent = locking(clock, 1)
    _, totp, _ = await signed_up_with_app(auth, clock)
    await by_mail(auth, "bob@example.com")
    before, bob = await rows(auth), Browser(auth, ORIGIN)
    challenge = content(await bob.post("/sign-in/email", {**CREDENTIALS, "email": "bob@example.com"}))
    assert challenge == {"twoFactorRedirect": True, "twoFactorMethods": ["otp"]}
    await bob.post("/two-factor/send-otp")
    assert [await tried(bob, "otp", code) for code in ("wrong", sent[-1].otp)] == [WRONG, LOCKED]
    assert await rows(auth) == before
    assert await tried(await challenged(auth), "totp", totp.at(clock())) == (200, None)


@requirement("M01", "S-036")
async def test_of_guesses_at_once_by_who_has_no_app_as_many_are_looked_at(tmp_path: Path) -> None:
    clock, said = Clock(), list[tuple[int, str | None]]()
    auth, _ = locking(clock, 3, database=f"sqlite:///{tmp_path}/auth.db")
    await auth.create_schema()
    await by_mail(auth)
    browsers = [await asked(auth) for _ in range(8)]

    async def guess(browser: Browser) -> None:
        said.append(await tried(browser, "otp", "wrong"))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for browser in browsers:
                group.start_soon(guess, browser)
    assert sorted(said) == [WRONG] * 3 + [LOCKED] * 5
    assert len(await rows(auth, "session")) == 1
    await auth.close()
