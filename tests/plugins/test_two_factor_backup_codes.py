"""Backup codes: each works once, in place of any other code."""

from typing import Any

import anyio
import pytest

from app import content, make, set_cookies, signed_up
from plugins.second_step import challenged, enrolled, rows, totp_of
from portico import ApiError
from portico.plugins.two_factor import VerifyBackupCode
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio


@requirement("S-038", "B-80", "M04")
async def test_a_backup_code_signs_in_once() -> None:
    clock = Clock()
    auth = make(clock)
    browser, _ = await enrolled(auth, clock)
    codes = content(await browser.post("/two-factor/generate-backup-codes", {"password": "password123"}))["backupCodes"]
    first, second = await challenged(auth), await challenged(auth)
    reply = content(await first.post("/two-factor/verify-backup-code", {"code": codes[0]}))
    assert list(reply) == ["token", "user"]
    refused = await second.post("/two-factor/verify-backup-code", {"code": codes[0]})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_BACKUP_CODE")
    assert (await second.get("/get-session")).body == b"null"
    assert (await second.post("/two-factor/verify-backup-code", {"code": codes[1]})).status == 200


@requirement("S-038", "B-80")
async def test_with_a_session_a_backup_code_is_used_up_and_the_session_stays() -> None:
    clock = Clock()
    auth = make(clock)
    browser, _ = await enrolled(auth, clock)
    codes = content(await browser.post("/two-factor/generate-backup-codes", {"password": "password123"}))["backupCodes"]
    current = content(await browser.get("/get-session"))
    answers = [
        await browser.post("/two-factor/verify-backup-code", {"code": code, **more})
        for code, more in [(codes[0], {}), (codes[1], {"disableSession": True}), (codes[0], {})]
    ]
    assert content(answers[0]) == {"token": current["session"]["token"], "user": current["user"]}
    assert content(answers[1]) == content(answers[0])
    assert (answers[2].status, content(answers[2])["code"]) == (401, "INVALID_BACKUP_CODE")
    assert [set_cookies(answer) for answer in answers] == [[], [], []]
    assert content(await browser.get("/get-session")) == current


@requirement("S-037")
async def test_new_backup_codes_replace_the_old_ones() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    reply = content(await browser.post("/two-factor/enable", {"password": "password123"}))
    await browser.post("/two-factor/verify-totp", {"code": totp_of(reply).at(clock())})
    renewed = content(await browser.post("/two-factor/generate-backup-codes", {"password": "password123"}))
    assert (renewed["status"], len(set(renewed["backupCodes"]) & set(reply["backupCodes"]))) == (True, 0)
    other = await challenged(auth)
    assert (await other.post("/two-factor/verify-backup-code", {"code": reply["backupCodes"][0]})).status == 401


@requirement("S-037", "B-77")
async def test_backup_codes_are_not_replaced_before_the_first_code() -> None:
    auth = make()
    browser = await signed_up(auth)
    await browser.post("/two-factor/enable", {"password": "password123"})
    before = await rows(auth)
    refused = await browser.post("/two-factor/generate-backup-codes", {"password": "password123"})
    assert (refused.status, content(refused)["code"]) == (400, "TWO_FACTOR_NOT_ENABLED")
    assert await rows(auth) == before


@requirement("M04")
async def test_two_backup_codes_at_once_both_count(tmp_path: Any) -> None:
    clock = Clock()
    auth = make(clock, database=f"sqlite:///{tmp_path}/auth.db")
    await auth.create_schema()
    browser, _ = await enrolled(auth, clock)
    codes = content(await browser.post("/two-factor/generate-backup-codes", {"password": "password123"}))["backupCodes"]
    seen: list[int] = []

    async def one(guess: Browser, code: str) -> None:
        seen.append((await guess.post("/two-factor/verify-backup-code", {"code": code})).status)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for code in codes:
                group.start_soon(one, await challenged(auth), code)
    assert seen == [200] * 10
    await auth.close()


@requirement("S-038")
async def test_a_backup_code_without_a_session_ends_the_challenge() -> None:
    clock = Clock()
    auth = make(clock)
    owner, _ = await enrolled(auth, clock)
    codes = content(await owner.post("/two-factor/generate-backup-codes", {"password": "password123"}))["backupCodes"]
    browser = await challenged(auth)
    accepted = content(await browser.post("/two-factor/verify-backup-code", {"code": codes[0], "disableSession": True}))
    assert accepted == {"user": content(await owner.get("/get-session"))["user"]}
    refused = await browser.post("/two-factor/verify-backup-code", {"code": codes[1]})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert len(await rows(auth, "session")) == 1


@requirement("I01", "S-038")
async def test_server_code_that_hands_on_half_a_letter_is_told_that_it_is_wrong() -> None:
    clock = Clock()
    auth = make(clock)
    await enrolled(auth, clock)
    browser = await challenged(auth)
    with pytest.raises(ApiError) as refusal:
        await auth.api.two_factor.verify_backup_code(browser.headers, VerifyBackupCode(code="\ud800"))
    assert refusal.value.error.code == "INVALID_BACKUP_CODE"
    assert len(await rows(auth, "session")) == 1
