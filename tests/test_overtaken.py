"""What a call answers when somebody else was faster: as if they had come first, and nothing of theirs is undone."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import CHEAP, ORIGIN, content, make, set_cookies, signed_up
from endpoints.test_account import linked, remaining
from meanwhile import Meanwhile
from plugins.second_step import challenged, enrolled, rows, totp_of
from portico import Auth, HookContext, SessionOptions
from portico.testing import Browser, Clock
from postbox import Postbox
from requirements import requirement

pytestmark = pytest.mark.anyio

PASSWORD = {"password": "password123"}


def deleting(auth: Auth[Any], table: str) -> Any:
    """Return what empties a table."""

    async def delete(ctx: HookContext) -> None:
        await auth.store.delete_many(auth.tables[table], [])

    return delete


def changing(auth: Auth[Any], table: str, **values: Any) -> Any:
    """Return what changes every row of a table."""

    async def change(ctx: HookContext) -> None:
        await auth.store.update_many(auth.tables[table], [], values)

    return change


async def codes_of(browser: Browser) -> list[str]:
    found: list[str] = content(await browser.post("/two-factor/generate-backup-codes", PASSWORD))["backupCodes"]
    return found


@requirement("S-037", "M06")
async def test_no_backup_codes_are_given_for_a_second_factor_that_ends() -> None:
    clock, meanwhile = Clock(), Meanwhile()
    auth = make(clock, database_hooks=meanwhile.hooks)
    browser, _ = await enrolled(auth, clock)
    meanwhile.do = deleting(auth, "twoFactor")
    refused = await browser.post("/two-factor/generate-backup-codes", PASSWORD)
    assert (refused.status, content(refused)["code"]) == (400, "TWO_FACTOR_NOT_ENABLED")
    assert await rows(auth) == []


@requirement("S-038", "M04")
async def test_a_backup_code_is_taken_off_the_list_that_is_there_by_now() -> None:
    clock, meanwhile = Clock(), Meanwhile()
    auth = make(clock, database_hooks=meanwhile.hooks)
    owner, _ = await enrolled(auth, clock)
    codes = await codes_of(owner)
    browser, other = await challenged(auth), await challenged(auth)

    async def use_another(ctx: HookContext) -> None:
        assert (await other.post("/two-factor/verify-backup-code", {"code": codes[1]})).status == 200

    meanwhile.do = use_another
    assert (await browser.post("/two-factor/verify-backup-code", {"code": codes[0]})).status == 200
    third = await challenged(auth)
    for spent in codes[:2]:
        refused = await third.post("/two-factor/verify-backup-code", {"code": spent})
        assert (refused.status, content(refused)["code"]) == (401, "INVALID_BACKUP_CODE")
    assert (await third.post("/two-factor/verify-backup-code", {"code": codes[2]})).status == 200


@requirement("S-038", "M06")
async def test_a_backup_code_of_a_second_factor_that_ends_signs_nobody_in() -> None:
    clock, meanwhile = Clock(), Meanwhile()
    auth = make(clock, database_hooks=meanwhile.hooks)
    owner, _ = await enrolled(auth, clock)
    codes = await codes_of(owner)
    browser = await challenged(auth)
    meanwhile.do = deleting(auth, "twoFactor")
    refused = await browser.post("/two-factor/verify-backup-code", {"code": codes[0]})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_BACKUP_CODE")
    assert len(await rows(auth, "session")) == 1


@requirement("S-038", "M05")
async def test_a_sign_in_that_somebody_else_finishes_signs_nobody_in() -> None:
    clock, meanwhile = Clock(), Meanwhile()
    auth = make(clock, database_hooks=meanwhile.hooks)
    owner, _ = await enrolled(auth, clock)
    codes = await codes_of(owner)
    browser = await challenged(auth)
    meanwhile.do = deleting(auth, "verification")
    refused = await browser.post("/two-factor/verify-backup-code", {"code": codes[0]})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert "better-auth.two_factor" not in browser.cookies
    assert len(await rows(auth, "session")) == 1


@requirement("S-030", "M06")
async def test_a_code_turns_on_only_the_secret_that_it_is_of() -> None:
    clock, meanwhile = Clock(), Meanwhile()
    auth = make(clock, database_hooks=meanwhile.hooks)
    browser = await signed_up(auth)
    totp = totp_of(content(await browser.post("/two-factor/enable", PASSWORD)))
    another = auth.cabinet.encrypt("of another window")
    meanwhile.do = changing(auth, "twoFactor", secret=another)
    refused = await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_CODE")
    [row] = await rows(auth)
    assert (row["secret"], row["verified"]) == (another, False)
    assert content(await browser.get("/get-session"))["user"]["twoFactorEnabled"] is False


@requirement("S-015", "E02")
async def test_an_address_that_is_taken_at_this_moment_is_answered_as_one_that_was() -> None:
    postbox, meanwhile = Postbox(), Meanwhile()
    change = {"update_email_without_verification": True}
    auth = make(**postbox.options(change=change), database_hooks=meanwhile.hooks)
    browser = await signed_up(auth)

    async def sign_up(ctx: HookContext) -> None:
        await signed_up(auth, "new@example.com")

    meanwhile.do = sign_up
    response = await browser.post("/change-email", {"newEmail": "new@example.com"})
    assert (response.status, content(response), set_cookies(response)) == (200, {"status": True}, [])
    assert content(await browser.get("/get-session"))["user"]["email"] == "ann@example.com"
    assert postbox.mails == []


@requirement("S-015")
async def test_the_address_of_a_user_who_goes_is_not_changed() -> None:
    postbox, meanwhile = Postbox(), Meanwhile()
    change = {"update_email_without_verification": True}
    auth = make(**postbox.options(change=change), database_hooks=meanwhile.hooks)
    browser = await signed_up(auth)
    meanwhile.do = deleting(auth, "user")
    response = await browser.post("/change-email", {"newEmail": "new@example.com"})
    assert (response.status, content(response), set_cookies(response)) == (200, {"status": True}, [])
    assert (await rows(auth, "user"), postbox.mails) == ([], [])


@requirement("S-008")
async def test_a_link_does_not_prove_an_address_that_the_user_leaves() -> None:
    postbox, meanwhile = Postbox(), Meanwhile()
    auth = make(**postbox.options(), database_hooks=meanwhile.hooks)
    browser = await signed_up(auth)
    await browser.post("/send-verification-email", {"email": "ann@example.com"})
    meanwhile.do = changing(auth, "user", email="new@example.com")
    refused = await browser.get("/verify-email", f"token={postbox.last.token}")
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TOKEN")
    [user] = await rows(auth, "user")
    assert (user["email"], user["email_verified"]) == ("new@example.com", False)
    assert postbox.told == [("before verification", "ann@example.com")]


@requirement("S-015", "E10")
async def test_a_link_does_not_undo_a_change_of_address_that_is_newer() -> None:
    postbox, meanwhile = Postbox(), Meanwhile()
    auth = make(**postbox.options(), database_hooks=meanwhile.hooks)
    browser = await signed_up(auth)
    await browser.post("/change-email", {"newEmail": "new@example.com"})
    meanwhile.do = changing(auth, "user", email="newer@example.com")
    refused = await browser.get("/verify-email", f"token={postbox.last.token}")
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TOKEN")
    assert [user["email"] for user in await rows(auth, "user")] == ["newer@example.com"]


class Hashing:
    """A hasher during whose work something happens."""

    def __init__(self) -> None:
        self.do: Callable[[], Awaitable[object]] | None = None

    async def hash(self, password: str, /) -> str:
        if self.do is not None:
            await self.do()
        return CHEAP.hash(password)

    def verify(self, password: str, hashed: str, /) -> bool:
        return CHEAP.verify(password, hashed)


@requirement("S-006")
async def test_a_password_is_not_reset_for_an_address_that_the_user_leaves() -> None:
    postbox, hashing = Postbox(), Hashing()
    auth = make(**postbox.options(password={"reset_proves_address": True, "password": hashing}))
    await signed_up(auth)
    stranger = Browser(auth, ORIGIN)
    await stranger.post("/request-password-reset", {"email": "ann@example.com"})
    accounts = await rows(auth, "account")

    async def leave() -> None:
        await auth.users.update(auth.context(None), {"email": "ann@example.com"}, email="new@example.com")

    hashing.do = leave
    refused = await stranger.post("/reset-password", {"token": postbox.last.token, "newPassword": "password456"})
    assert (refused.status, content(refused)["code"]) == (400, "USER_NOT_FOUND")
    assert (await rows(auth, "account"), postbox.told) == (accounts, [])


@requirement("S-163")
async def test_a_session_that_ends_while_it_is_prolonged_has_ended() -> None:
    clock, meanwhile = Clock(), Meanwhile()
    auth = make(clock, database_hooks=meanwhile.hooks, session=SessionOptions(update_age=60))
    browser = await signed_up(auth)
    clock.advance(61)
    meanwhile.do = deleting(auth, "session")
    refused = await browser.get("/get-session")
    assert (refused.status, content(refused)["code"]) == (401, "UNAUTHORIZED")
    assert (browser.cookies, await rows(auth, "session")) == ({}, [])


@requirement("S-021")
async def test_an_account_that_goes_cannot_be_unlinked() -> None:
    meanwhile = Meanwhile()
    auth = make(database_hooks=meanwhile.hooks)
    browser = await signed_up(auth)
    await linked(auth, browser, "github", "42")

    async def unlink(ctx: HookContext) -> None:
        await auth.accounts.delete(auth.context(None), provider_id="github")

    meanwhile.do = unlink
    refused = await browser.post("/unlink-account", {"providerId": "github"})
    assert (refused.status, content(refused)["code"]) == (400, "ACCOUNT_NOT_FOUND")
    assert await remaining(auth) == [("credential", "")]
