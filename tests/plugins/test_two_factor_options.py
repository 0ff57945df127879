"""Options of the second factor, the brief's other routes, and what only server code asks for."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from pyotp.totp import TOTP

from app import ORIGIN, content, make, plain, signed_up
from plugins.second_step import CREDENTIALS, PASSWORD, enrolled, rows, sending, signed_up_with_app, totp_of
from portico import AnyApi, ApiError, Auth, ConfigError, Context, EmailAndPassword, Request, User
from portico.crypto.keyring import Keyring
from portico.crypto.symmetric import Cabinet
from portico.openapi import document
from portico.plugins.magic_link import MagicLink, MagicLinkMail
from portico.plugins.two_factor import (
    AccountLockout,
    BackupCodeOptions,
    BackupCodes,
    GenerateTotp,
    OtpMail,
    OtpOptions,
    ProvePassword,
    Sealing,
    TotpCode,
    TotpOptions,
    TotpUri,
    TwoFactor,
    TwoFactorEnabled,
    ViewBackupCodes,
    qr_code_svg,
)
from portico.plugins.username import Username
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio


def built(clock: Clock | None = None, **options: Any) -> Auth[AnyApi]:
    return plain(TwoFactor(issuer="Acme", **options), clock=clock or Clock())


async def without_password(auth: Auth[AnyApi]) -> Browser:
    """Return a browser of a user who has no password any more."""
    browser = await signed_up(auth)
    await auth.accounts.delete(auth.context(None))
    return browser


def backwards(text: str) -> str:
    return text[::-1]


# The app


@requirement("CONF-two-factor")
async def test_codes_may_be_longer_and_last_longer() -> None:
    clock = Clock()
    auth = built(clock, totp=TotpOptions(digits=8, period=60))
    browser, totp, _ = await signed_up_with_app(auth, clock)
    assert (totp.digits, totp.interval) == (8, 60)
    clock.advance(60)
    waiting = Browser(auth, ORIGIN)
    await waiting.post("/sign-in/email", CREDENTIALS)
    assert (await waiting.post("/two-factor/verify-totp", {"code": totp.at(clock())[2:]})).status == 401
    assert (await waiting.post("/two-factor/verify-totp", {"code": totp.at(clock())})).status == 200
    shown = content(await browser.post("/two-factor/get-totp-uri", PASSWORD))
    assert totp_of(shown).secret == totp.secret
    made = await TwoFactor.of(auth).generate_totp(None, GenerateTotp(secret="s" * 32))
    assert made == TotpCode(code=TOTP("ONZXG43T" * 6 + "ONZQ", digits=8, interval=60).at(clock()))


@requirement("CONF-two-factor")
async def test_without_apps_every_call_about_them_is_refused() -> None:
    auth, _ = sending(factor={"totp": TotpOptions(disable=True)})
    browser = await signed_up(auth)
    before = await rows(auth)
    refusals = [
        content(await browser.post(f"/two-factor/{path}", body))["code"]
        for path, body in (("enable", PASSWORD), ("get-totp-uri", PASSWORD), ("verify-totp", {"code": "000000"}))
    ]
    assert (refusals, await rows(auth)) == (["TOTP_NOT_CONFIGURED"] * 3, before)
    with pytest.raises(ApiError) as refusal:
        await auth.api.two_factor.generate_totp(None, GenerateTotp(secret="s" * 32))
    assert refusal.value.error.code == "TOTP_NOT_CONFIGURED"


@requirement("CONF-two-factor")
async def test_who_has_an_app_is_sent_codes_where_apps_are_no_longer_offered() -> None:
    clock = Clock()
    auth, _ = sending(clock)
    await signed_up_with_app(auth, clock)
    later, sent = sending(clock, factor={"totp": TotpOptions(disable=True)}, database=auth.store)
    browser = Browser(later, ORIGIN)
    asked = content(await browser.post("/sign-in/email", CREDENTIALS))
    assert asked == {"twoFactorRedirect": True, "twoFactorMethods": ["otp"]}
    await browser.post("/two-factor/send-otp")
    assert (await browser.post("/two-factor/verify-otp", {"code": sent[-1].otp})).status == 200


@requirement("CONF-two-factor")
async def test_the_second_factor_may_be_on_at_once() -> None:
    auth = built(skip_verification_on_enable=True)
    browser = await signed_up(auth)
    before = Browser(auth, ORIGIN, dict(browser.cookies))
    reply = content(await browser.post("/two-factor/enable", PASSWORD))
    assert (reply["method"], len(reply["backupCodes"])) == ("totp", 10)
    [row] = await rows(auth)
    assert row["verified"] is True
    assert content(await browser.get("/get-session"))["user"]["twoFactorEnabled"] is True
    assert (await before.get("/get-session")).body == b"null"
    again = await browser.post("/two-factor/enable", PASSWORD)
    assert (content(again)["code"], await rows(auth)) == ("TOTP_ALREADY_ENABLED", [row])


@requirement("CONF-two-factor", "RFC 6238")
async def test_a_secret_that_was_imported_is_used_as_apps_know_it() -> None:
    clock = Clock()
    auth = built(clock)
    browser, _, _ = await signed_up_with_app(auth, clock)
    secret = "JBSWY3DPEHPK3PXP" * 2
    sealed = auth.cabinet.encrypt(f"base32:{secret.lower()}")
    await TwoFactor.of(auth).secrets.update(auth.context(None), {}, secret=sealed)
    shown = content(await browser.post("/two-factor/get-totp-uri", PASSWORD))
    assert totp_of(shown).secret == secret
    waiting = Browser(auth, ORIGIN)
    await waiting.post("/sign-in/email", CREDENTIALS)
    assert (await waiting.post("/two-factor/verify-totp", {"code": TOTP(secret).at(clock())})).status == 200


@requirement("S-033")
async def test_server_code_makes_the_code_of_a_secret() -> None:
    clock = Clock()
    auth = make(clock)
    secret = "s" * 32
    code = await auth.api.two_factor.generate_totp(None, GenerateTotp(secret=secret))
    assert code == TotpCode(code=TOTP("ONZXG43T" * 6 + "ONZQ").at(clock()))
    assert (await Browser(auth, ORIGIN).post("/two-factor/generate-totp", {"secret": secret})).status == 404


# The other spellings


@requirement("S-032")
async def test_get_shows_the_uri_to_a_recent_sign_in_and_takes_no_password() -> None:
    clock = Clock()
    auth = make(clock)
    browser, _ = await enrolled(auth, clock)
    posted = content(await browser.post("/two-factor/get-totp-uri", PASSWORD))
    shown = await browser.get("/two-factor/get-totp-uri", "password=wrong")
    assert (shown.status, content(shown)) == (200, posted)
    assert dict(shown.headers)["cache-control"] == "no-store"
    assert (await browser.post("/two-factor/get-totp-uri")).status == 400
    clock.advance(24 * 60 * 60)
    late = await browser.get("/two-factor/get-totp-uri", "password=password123")
    assert (late.status, content(late)["code"]) == (403, "SESSION_NOT_FRESH")
    assert (await browser.post("/two-factor/get-totp-uri", PASSWORD)).status == 200
    assert (await Browser(auth, ORIGIN).get("/two-factor/get-totp-uri")).status == 401


@requirement("S-032")
async def test_server_code_still_says_the_password() -> None:
    clock = Clock()
    auth = make(clock)
    browser, _ = await enrolled(auth, clock)
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    for body in (ProvePassword(), None):
        with pytest.raises(ApiError) as refusal:
            await auth.api.two_factor.get_totp_uri(headers, body)
        assert refusal.value.error.code == "INVALID_PASSWORD"
    shown = await auth.api.two_factor.get_totp_uri(headers, ProvePassword(password="password123"))
    assert shown.totp_uri.startswith("otpauth://totp/Acme:ann")


@requirement("S-034")
async def test_a_recent_session_sees_its_own_backup_codes() -> None:
    clock = Clock()
    auth = make(clock)
    browser, _ = await enrolled(auth, clock)
    bob, _ = await enrolled(auth, clock, "bob@example.com")
    made = content(await browser.post("/two-factor/generate-backup-codes", PASSWORD))
    _, other = await rows(auth)
    shown = await browser.get("/two-factor/view-backup-codes", f"userId={other['user_id']}")
    assert (shown.status, content(shown)) == (200, made)
    assert dict(shown.headers)["cache-control"] == "no-store"
    assert content(await bob.get("/two-factor/view-backup-codes")) != made
    clock.advance(301)
    late = await browser.get("/two-factor/view-backup-codes")
    assert (late.status, content(late)["code"]) == (403, "SESSION_NOT_FRESH")
    assert (await Browser(auth, ORIGIN).get("/two-factor/view-backup-codes")).status == 401


@requirement("S-034")
async def test_server_code_sees_the_backup_codes_of_any_user_and_a_request_only_its_own() -> None:
    clock = Clock()
    auth = make(clock)
    browser, _ = await enrolled(auth, clock)
    made = content(await browser.post("/two-factor/generate-backup-codes", PASSWORD))
    [row] = await rows(auth)
    asked = ViewBackupCodes(user_id=row["user_id"])
    shown = await auth.api.two_factor.view_backup_codes(None, asked)
    assert shown == BackupCodes(status=True, backup_codes=made["backupCodes"])
    bob = await signed_up(auth, "bob@example.com")
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in bob.cookies.items())}
    for caller, body, code in (
        (headers, asked, "BACKUP_CODES_NOT_ENABLED"),
        ({}, asked, "UNAUTHORIZED"),
        (None, None, "UNAUTHORIZED"),
        (None, ViewBackupCodes(user_id="nobody"), "BACKUP_CODES_NOT_ENABLED"),
    ):
        with pytest.raises(ApiError) as refusal:
            await auth.api.two_factor.view_backup_codes(caller, body)
        assert refusal.value.error.code == code


@requirement("S-034")
async def test_a_list_that_cannot_be_read_is_refused_and_opens_nothing() -> None:
    clock = Clock()
    auth = built(clock, backup_codes=BackupCodeOptions(store="plain"))
    browser, _, _ = await signed_up_with_app(auth, clock)
    await TwoFactor.of(auth).secrets.update(auth.context(None), {}, backup_codes='"aaaaa-bbbbb"')
    refused = await browser.get("/two-factor/view-backup-codes")
    assert (refused.status, content(refused)["code"]) == (400, "INVALID_BACKUP_CODE")
    assert (await browser.post("/two-factor/verify-backup-code", {"code": "aaaaa-bbbbb"})).status == 401


@requirement("S-033", "S-034", "S-038")
async def test_what_was_encrypted_with_a_secret_that_is_gone_opens_nothing(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    auth = built(clock)
    browser, totp, codes = await signed_up_with_app(auth, clock)
    foreign = Cabinet(Keyring(secret="another secret of the right length"))
    await TwoFactor.of(auth).secrets.update(
        auth.context(None), {}, secret=foreign.encrypt("x"), backup_codes=foreign.encrypt('["x"]')
    )
    before = await rows(auth)
    answers = {
        "INVALID_CODE": await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())}),
        "TOTP_NOT_ENABLED": await browser.post("/two-factor/get-totp-uri", PASSWORD),
        "INVALID_BACKUP_CODE": await browser.post("/two-factor/verify-backup-code", {"code": codes[0]}),
    }
    assert [content(answer)["code"] for answer in answers.values()] == list(answers)
    shown = await browser.get("/two-factor/view-backup-codes")
    assert (shown.status, content(shown)["code"]) == (400, "INVALID_BACKUP_CODE")
    assert await rows(auth) == before
    assert caplog.text.count("cannot be decrypted: damaged, or encrypted with another secret") == 2


@requirement("S-133")
def test_the_uri_is_read_in_either_spelling() -> None:
    for name in ("totpURI", "totpUri", "totp_uri"):
        fields = {name: "otpauth://totp/x"}
        assert TotpUri.model_validate(fields).totp_uri == "otpauth://totp/x"
        whole: dict[str, Any] = {"method": "totp", "backup_codes": [], **fields}
        assert TwoFactorEnabled.model_validate(whole).to_wire()["totpURI"] == "otpauth://totp/x"


# Backup codes


@requirement("CONF-two-factor", "S-037")
async def test_backup_codes_are_as_many_and_as_long_as_the_options_say() -> None:
    auth = built(backup_codes=BackupCodeOptions(amount=3, length=12, store="plain"))
    browser = await signed_up(auth)
    codes = content(await browser.post("/two-factor/enable", PASSWORD))["backupCodes"]
    assert [(len(code), code.index("-")) for code in codes] == [(13, 5)] * 3
    [row] = await rows(auth)
    assert row["backup_codes"] == str(codes).replace("'", '"').replace(" ", "")
    assert content(await browser.get("/two-factor/view-backup-codes"))["backupCodes"] == codes


@requirement("CONF-two-factor", "S-038")
async def test_backup_codes_of_ones_own_are_kept_in_ones_own_way() -> None:
    clock = Clock()
    sealing = Sealing(encrypt=backwards, decrypt=backwards)
    options = BackupCodeOptions(generate=lambda: ("first one", "zweiter für später"), store=sealing)
    auth = built(clock, backup_codes=options)
    browser, _, codes = await signed_up_with_app(auth, clock)
    assert codes == ["first one", "zweiter für später"]
    [row] = await rows(auth)
    assert row["backup_codes"] == backwards('["first one","zweiter für später"]')
    assert (await browser.post("/two-factor/verify-backup-code", {"code": codes[1]})).status == 200
    assert content(await browser.get("/two-factor/view-backup-codes"))["backupCodes"] == ["first one"]


@requirement("CONF-two-factor", "ARCH-transactions")
async def test_whoever_seals_backup_codes_may_use_the_database_meanwhile(tmp_path: Path) -> None:
    async def sealed(codes: str) -> str:
        with anyio.fail_after(5):
            await auth.verifications.put(auth.context(None), "sealed", "once more", 60)
        return backwards(codes)

    options = BackupCodeOptions(store=Sealing(encrypt=sealed, decrypt=backwards))
    auth = plain(TwoFactor(backup_codes=options), clock=Clock(), database=f"sqlite:///{tmp_path}/auth.db")
    await auth.create_schema()
    browser = await signed_up(auth)
    assert (await browser.post("/two-factor/enable", PASSWORD)).status == 200
    assert await auth.verifications.get(auth.context(None), "sealed") == "once more"
    await auth.close()


# Who has no password


@requirement("S-135", "M06")
async def test_who_has_no_password_needs_none_where_that_is_allowed() -> None:
    clock = Clock()
    auth = built(clock, allow_passwordless=True)
    browser = await without_password(auth)
    totp = totp_of(content(await browser.post("/two-factor/enable", {})))
    assert (await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})).status == 200
    assert totp_of(content(await browser.post("/two-factor/get-totp-uri", {}))).secret == totp.secret
    renewed = content(await browser.post("/two-factor/generate-backup-codes", {}))
    assert (renewed["status"], len(renewed["backupCodes"])) == (True, 10)
    assert content(await browser.post("/two-factor/disable", {})) == {"status": True}
    assert await rows(auth) == []


@requirement("S-135", "M06")
@pytest.mark.parametrize("path", ["enable", "get-totp-uri", "generate-backup-codes", "disable"])
async def test_who_has_a_password_says_it_all_the_same(path: str) -> None:
    clock = Clock()
    auth = built(clock, allow_passwordless=True)
    browser, _, _ = await signed_up_with_app(auth, clock)
    before = await rows(auth)
    for body in ({}, {"password": ""}, {"password": "wrong password"}):
        refused = await browser.post(f"/two-factor/{path}", body)
        assert (refused.status, content(refused)["code"]) == (400, "INVALID_PASSWORD")
    assert await rows(auth) == before


@requirement("S-135", "M06")
async def test_where_it_is_not_allowed_who_has_no_password_changes_nothing() -> None:
    auth = built()
    browser = await without_password(auth)
    answers = [
        content(await browser.post("/two-factor/enable", body))["code"] for body in ({}, {"password": ""}, PASSWORD)
    ]
    assert (answers, await rows(auth)) == (["VALIDATION_ERROR", "INVALID_PASSWORD", "INVALID_PASSWORD"], [])


@requirement("S-135")
async def test_each_kind_of_code_may_allow_it_for_itself() -> None:
    clock = Clock()
    auth = built(
        clock,
        allow_passwordless=True,
        totp=TotpOptions(allow_passwordless=False),
        backup_codes=BackupCodeOptions(allow_passwordless=False),
    )
    browser = await without_password(auth)
    totp = totp_of(content(await browser.post("/two-factor/enable", {})))
    await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})
    for path in ("get-totp-uri", "generate-backup-codes"):
        refused = await browser.post(f"/two-factor/{path}", {})
        assert (refused.status, content(refused)["code"]) == (400, "VALIDATION_ERROR")
        refused = await browser.post(f"/two-factor/{path}", PASSWORD)
        assert (refused.status, content(refused)["code"]) == (400, "INVALID_PASSWORD")
    described = document(auth)["components"]["schemas"]
    assert described["EnableTwoFactor"].get("required", []) == []


# Locks and lifetimes


@requirement("CONF-two-factor")
async def test_an_account_may_lock_sooner_or_never() -> None:
    clock = Clock()
    for lockout, status in (
        (AccountLockout(max_failed_attempts=2, duration=60), 429),
        (AccountLockout(enabled=False), 200),
    ):
        auth = built(clock, account_lockout=lockout)
        _, totp, _ = await signed_up_with_app(auth, clock)
        browser = Browser(auth, ORIGIN)
        await browser.post("/sign-in/email", CREDENTIALS)
        for _ in range(2):
            await browser.post("/two-factor/verify-totp", {"code": "wrong"})
        assert (await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})).status == status


@requirement("CONF-two-factor", "S-134")
async def test_a_sign_in_waits_and_a_device_is_trusted_as_long_as_the_options_say() -> None:
    clock = Clock()
    auth = built(clock, two_factor_cookie_max_age=60, trust_device_max_age=3600)
    _, totp, _ = await signed_up_with_app(auth, clock)
    clock.advance(60)
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-in/email", CREDENTIALS)
    clock.advance(60)
    late = await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})
    assert content(late)["code"] == "INVALID_TWO_FACTOR_COOKIE"
    await browser.post("/sign-in/email", CREDENTIALS)
    await browser.post("/two-factor/verify-totp", {"code": totp.at(clock()), "trustDevice": True})
    clock.advance(3599)
    assert content(await browser.post("/sign-in/email", CREDENTIALS))["redirect"] is False
    clock.advance(3600)
    assert content(await browser.post("/sign-in/email", CREDENTIALS))["twoFactorRedirect"] is True


@requirement("CONF-two-factor")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"totp": TotpOptions(period=0)}, "a second at least"),
        ({"require_for": "everything"}, "'everything'"),
        ({"two_factor_cookie_max_age": 0}, "a second at least"),
        ({"trust_device_max_age": -1}, "less than 0"),
        ({"backup_codes": BackupCodeOptions(length=0)}, "length from 1"),
        ({"account_lockout": AccountLockout(duration=0)}, "above 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        built(**options)


# After which first steps


async def by_link(require_for: Any) -> Any:
    """Return what a magic link answers a user with who has a second factor."""
    mails: list[MagicLinkMail] = []

    async def send(mail: MagicLinkMail, request: Request | None) -> None:
        mails.append(mail)

    clock = Clock()
    auth = plain(
        TwoFactor(require_for=require_for),
        MagicLink(send_magic_link=send),
        clock=clock,
        email_and_password=EmailAndPassword(enabled=True),
    )
    await signed_up_with_app(auth, clock)
    # The link must not be the first proof of the mailbox, which would end the second factor.
    await auth.users.update(auth.context(None), {}, email_verified=True)
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-in/magic-link", {"email": "ann@example.com"})
    linked = content(await browser.get("/magic-link/verify", f"token={mails[0].token}"))
    asked = content(await Browser(auth, ORIGIN).post("/sign-in/email", CREDENTIALS))
    return sorted(linked), sorted(asked)


CHALLENGED = ["twoFactorMethods", "twoFactorRedirect"]
SIGNED_IN_BY_LINK = ["session", "token", "user"]


@requirement("M05", "CONF-two-factor")
async def test_a_second_step_is_asked_for_after_every_first_one() -> None:
    assert await by_link("all") == (CHALLENGED, CHALLENGED)


@requirement("CONF-two-factor")
async def test_it_may_be_asked_for_after_passwords_only() -> None:
    assert await by_link("password") == (SIGNED_IN_BY_LINK, CHALLENGED)
    clock = Clock()
    auth = plain(TwoFactor(require_for="password"), Username(), clock=clock)
    browser = await signed_up(auth, username="ann")
    totp = totp_of(content(await browser.post("/two-factor/enable", PASSWORD)))
    assert (await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})).status == 200
    asked = await Browser(auth, ORIGIN).post("/sign-in/username", {"username": "ann", **PASSWORD})
    assert sorted(content(asked)) == CHALLENGED


@requirement("CONF-two-factor")
async def test_a_function_may_say_after_what() -> None:
    def is_asked(ctx: Context, user: User) -> bool:
        return ctx.endpoint is not None and ctx.endpoint.path == "/magic-link/verify" and user.name == "Ann"

    async def is_never_asked(ctx: Context, user: User) -> bool:
        return False

    assert await by_link(is_asked) == (CHALLENGED, ["redirect", "token", "user"])
    assert await by_link(is_never_asked) == (SIGNED_IN_BY_LINK, ["redirect", "token", "user"])


# The picture


@requirement("CONF-two-factor")
def test_the_qr_code_is_a_picture_that_a_page_may_contain() -> None:
    picture = qr_code_svg("otpauth://totp/Acme:ann%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Acme<script>")
    assert picture.startswith("<svg ")
    assert picture.endswith("</svg>")
    assert "<title>QR code for the authenticator app</title>" in picture
    assert "script" not in picture
    assert "JBSWY3DPEHPK3PXP" not in picture


async def send_nothing(mail: OtpMail, request: Request | None) -> None:
    """Send nothing."""


@requirement("CONF-two-factor")
def test_a_code_is_not_shown_where_its_mail_is_printed() -> None:
    user: Any = None
    assert "123456" not in repr(OtpMail(user=user, otp="123456"))
    assert OtpOptions(send_otp=send_nothing).store_otp == "plain"
