"""Codes that are sent to the user."""

from typing import Any

import pytest

from app import ORIGIN, content, plain, set_cookies, signed_up
from plugins.second_step import CREDENTIALS, PASSWORD, Sent, rows, sending, signed_up_with_app
from portico import AnyApi, ApiError, Auth, ConfigError, MemorySecondaryStorage, Request, VerificationOptions
from portico.crypto.random import random_digits
from portico.plugins.two_factor import AccountLockout, OtpMail, OtpOptions, Sealing, TwoFactor, VerifyOtp
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio


async def by_mail(auth: Auth[AnyApi]) -> Browser:
    """Return a browser of a user who is sent codes."""
    browser = await signed_up(auth)
    assert content(await browser.post("/two-factor/enable", {**PASSWORD, "method": "otp"})) == {"method": "otp"}
    return browser


async def challenged(auth: Auth[AnyApi], *methods: str) -> Browser:
    """Return a new browser that signed in and is asked for the second step."""
    browser = Browser(auth, ORIGIN)
    asked = content(await browser.post("/sign-in/email", CREDENTIALS))
    assert asked == {"twoFactorRedirect": True, "twoFactorMethods": list(methods) or ["otp"]}
    return browser


async def asked(auth: Auth[AnyApi], sent: Sent) -> Browser:
    """Return a new browser that signed in and was sent a code."""
    browser = await challenged(auth)
    await sent_to(browser, sent)
    return browser


async def sent_to(browser: Browser, sent: Sent) -> str:
    """Return the code that a browser asks for."""
    assert content(await browser.post("/two-factor/send-otp")) == {"status": True}
    return sent[-1].otp


def locked_after(failures: int) -> AccountLockout:
    return AccountLockout(max_failed_attempts=failures, duration=60)


def backwards(text: str) -> str:
    return text[::-1]


async def later(text: str) -> str:
    return text[::-1]


async def salted(text: str) -> str:
    return f"{random_digits(4)}:{text}"


def unsalted(text: str) -> str:
    return text.partition(":")[2]


@requirement("S-030", "S-193")
async def test_choosing_codes_turns_them_on_and_renews_the_session() -> None:
    auth, sent = sending()
    browser = await signed_up(auth)
    before = Browser(auth, ORIGIN, dict(browser.cookies))
    reply = await browser.post("/two-factor/enable", {**PASSWORD, "method": "otp"})
    assert content(reply) == {"method": "otp"}
    assert content(await browser.get("/get-session"))["user"]["twoFactorEnabled"] is True
    assert (await before.get("/get-session")).body == b"null"
    assert (await rows(auth), sent) == ([], [])


@requirement("S-035", "S-036")
async def test_a_code_that_was_sent_signs_in_once() -> None:
    auth, sent = sending()
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    copy = Browser(auth, ORIGIN, dict(browser.cookies))
    assert (len(code), code.isdecimal(), sent[0].user.email) == (6, True, "ann@example.com")
    signed_in = await browser.post("/two-factor/verify-otp", {"code": code})
    session = content(await browser.get("/get-session"))
    assert content(signed_in) == {"token": session["session"]["token"], "user": session["user"]}
    refused = await copy.post("/two-factor/verify-otp", {"code": code})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert await rows(auth, "verification") == []


@requirement("S-036", "M01")
async def test_after_five_wrong_guesses_the_right_code_is_refused_and_a_new_one_is_needed() -> None:
    auth, sent = sending()
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    wrong = [content(await browser.post("/two-factor/verify-otp", {"code": "wrong"}))["code"] for _ in range(5)]
    assert wrong == ["INVALID_CODE"] * 5
    late = [await browser.post("/two-factor/verify-otp", {"code": code}) for _ in range(2)]
    assert [(each.status, content(each)["code"]) for each in late] == [
        (400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"),
        (400, "OTP_HAS_EXPIRED"),
    ]
    assert (await browser.get("/get-session")).body == b"null"
    assert (await browser.post("/two-factor/verify-otp", {"code": await sent_to(browser, sent)})).status == 200


@requirement("S-036")
async def test_a_code_is_good_for_three_minutes() -> None:
    clock = Clock()
    auth, sent = sending(clock)
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    clock.advance(180)
    late = await browser.post("/two-factor/verify-otp", {"code": code})
    assert (late.status, content(late)["code"]) == (400, "OTP_HAS_EXPIRED")
    assert (await browser.get("/get-session")).body == b"null"


@requirement("S-036")
async def test_a_newer_code_takes_the_place_of_the_one_before() -> None:
    clock = Clock()
    auth, sent = sending(clock)
    await by_mail(auth)
    browser = await challenged(auth)
    first = await sent_to(browser, sent)
    clock.advance(1)
    second = await sent_to(browser, sent)
    assert (await browser.post("/two-factor/verify-otp", {"code": first})).status == 401
    assert (await browser.post("/two-factor/verify-otp", {"code": second})).status == 200


@requirement("S-036", "E12")
async def test_a_code_is_for_the_sign_in_that_asked_for_it() -> None:
    auth, sent = sending()
    await by_mail(auth)
    mine, other = await challenged(auth), await challenged(auth)
    code = await sent_to(mine, sent)
    refused = await other.post("/two-factor/verify-otp", {"code": code})
    assert (refused.status, content(refused)["code"]) == (400, "OTP_HAS_EXPIRED")
    assert (await mine.post("/two-factor/verify-otp", {"code": code})).status == 200


@requirement("S-036")
async def test_who_turned_it_off_meanwhile_starts_the_sign_in_again() -> None:
    auth, sent = sending()
    owner = await signed_up(auth)
    assert (await owner.post("/two-factor/enable", {**PASSWORD, "method": "otp"})).status == 200
    browser = await challenged(auth)
    assert (await browser.post("/two-factor/send-otp", {})).status == 200
    assert (await owner.post("/two-factor/disable", PASSWORD)).status == 200
    refused = await browser.post("/two-factor/verify-otp", {"code": sent[0].otp})
    assert (refused.status, content(refused)["code"]) == (400, "FAILED_TO_CREATE_SESSION")
    assert len(await rows(auth, "session")) == 1


@requirement("S-035")
async def test_without_a_sender_there_are_no_codes() -> None:
    auth = plain(TwoFactor(), clock=Clock())
    browser = await signed_up(auth)
    before = await rows(auth, "verification")
    refused = await browser.post("/two-factor/send-otp")
    assert (refused.status, content(refused)) == (
        400,
        {"code": "OTP_NOT_CONFIGURED", "message": "otp isn't configured"},
    )
    late = await browser.post("/two-factor/verify-otp", {"code": "000000"})
    assert (late.status, content(late)["code"]) == (400, "OTP_HAS_EXPIRED")
    assert await rows(auth, "verification") == before


@requirement("S-035")
async def test_a_code_is_sent_to_nobody_without_a_challenge() -> None:
    auth, sent = sending()
    refused = await Browser(auth, ORIGIN).post("/two-factor/send-otp")
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert (sent, await rows(auth, "verification")) == ([], [])


@requirement("S-035", "E12")
async def test_what_names_a_trusted_device_asks_for_no_code() -> None:
    auth, sent = sending()
    await by_mail(auth)
    browser = await asked(auth, sent)
    code = sent[-1].otp
    assert (await browser.post("/two-factor/verify-otp", {"code": code, "trustDevice": True})).status == 200
    value = auth.cookies.read(browser.headers, "trust_device")
    assert value is not None
    forged = Browser(auth, ORIGIN, {"better-auth.two_factor": auth.signer.sign(value.partition("!")[2])})
    refused = await forged.post("/two-factor/send-otp")
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_TWO_FACTOR_COOKIE")
    assert [each.otp for each in sent] == [code]


@requirement("S-036")
async def test_with_a_session_a_code_turns_the_second_factor_on() -> None:
    auth, sent = sending()
    browser = await signed_up(auth)
    before = Browser(auth, ORIGIN, dict(browser.cookies))
    code = await sent_to(browser, sent)
    wrong = await browser.post("/two-factor/verify-otp", {"code": "wrong"})
    assert (wrong.status, content(wrong)["code"]) == (401, "INVALID_CODE")
    assert content(await browser.get("/get-session"))["user"]["twoFactorEnabled"] is False
    verified = await browser.post("/two-factor/verify-otp", {"code": code})
    session = content(await browser.get("/get-session"))
    assert content(verified) == {"token": session["session"]["token"], "user": session["user"]}
    assert session["user"]["twoFactorEnabled"] is True
    assert (await before.get("/get-session")).body == b"null"
    again = await browser.post("/two-factor/verify-otp", {"code": await sent_to(browser, sent)})
    assert (content(again), set_cookies(again)) == (content(verified), [])


@requirement("S-036", "S-033")
async def test_an_app_and_codes_are_offered_together_and_lock_together() -> None:
    clock = Clock()
    auth, sent = sending(clock, factor={"account_lockout": locked_after(2)})
    _, totp, _ = await signed_up_with_app(auth, clock)
    browser = await challenged(auth, "totp", "otp")
    code = await sent_to(browser, sent)
    await browser.post("/two-factor/verify-totp", {"code": "wrong"})
    await browser.post("/two-factor/verify-otp", {"code": "wrong"})
    [row] = await rows(auth)
    assert row["failed_verification_count"] == 2
    locked = await browser.post("/two-factor/verify-otp", {"code": code})
    assert (locked.status, content(locked)["code"]) == (429, "ACCOUNT_TEMPORARILY_LOCKED")
    assert await rows(auth) == [row]
    clock.advance(60)
    assert (await browser.post("/two-factor/verify-totp", {"code": totp.at(clock())})).status == 200


@requirement("M01")
async def test_who_has_no_app_is_locked_out_after_as_many_wrong_codes() -> None:
    clock = Clock()
    auth, sent = sending(clock, factor={"account_lockout": locked_after(3)})
    await by_mail(auth)
    for _ in range(2):
        assert (await (await asked(auth, sent)).post("/two-factor/verify-otp", {"code": "wrong"})).status == 401
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    assert (await browser.post("/two-factor/verify-otp", {"code": "wrong"})).status == 401
    locked = await browser.post("/two-factor/verify-otp", {"code": code})
    assert (locked.status, content(locked)["code"]) == (429, "ACCOUNT_TEMPORARILY_LOCKED")
    assert (await browser.get("/get-session")).body == b"null"
    clock.advance(60)
    assert (await browser.post("/two-factor/verify-otp", {"code": code})).status == 200


@requirement("M01", "S-036")
@pytest.mark.parametrize("place", ["secondary", "both", "hashed"])
async def test_wherever_codes_are_kept_they_work_once_and_guesses_are_counted(place: str) -> None:
    kept: dict[str, Any] = {
        "secondary": {"secondary_storage": MemorySecondaryStorage()},
        "both": {
            "secondary_storage": MemorySecondaryStorage(),
            "verification": VerificationOptions(store_in_database=True),
        },
        "hashed": {"verification": VerificationOptions(store_identifier="hashed")},
    }
    auth, sent = sending(factor={"account_lockout": locked_after(2)}, **kept[place])
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    assert (await browser.post("/two-factor/verify-otp", {"code": "wrong"})).status == 401
    assert (await browser.post("/two-factor/verify-otp", {"code": code})).status == 200
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    answers = [(await browser.post("/two-factor/verify-otp", {"code": guess})).status for guess in ("x", "y", code)]
    assert answers == [401, 401, 429]
    assert (await browser.get("/get-session")).body == b"null"


@requirement("M01")
async def test_a_right_code_starts_the_count_anew_for_who_has_no_app() -> None:
    auth, sent = sending(factor={"account_lockout": locked_after(3)})
    await by_mail(auth)
    for _ in range(3):
        browser = await challenged(auth)
        code = await sent_to(browser, sent)
        for _ in range(2):
            assert (await browser.post("/two-factor/verify-otp", {"code": "wrong"})).status == 401
        assert (await browser.post("/two-factor/verify-otp", {"code": code})).status == 200


@requirement("S-036", "B-22")
@pytest.mark.parametrize(
    "way",
    [
        *("plain", "hashed", "encrypted", backwards, later),
        *(Sealing(encrypt=backwards, decrypt=later), Sealing(encrypt=salted, decrypt=unsalted)),
    ],
)
async def test_codes_are_stored_as_the_options_say(way: Any) -> None:
    auth, sent = sending(otp={"store_otp": way})
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    [kept] = [row["value"] for row in await rows(auth, "verification") if row["identifier"].startswith("2fa-otp-")]
    shown, _, guesses = kept.rpartition(":")
    assert ((shown == code) is (way == "plain"), guesses) == (True, "0")
    assert (await browser.post("/two-factor/verify-otp", {"code": "wrong"})).status == 401
    assert (await browser.post("/two-factor/verify-otp", {"code": shown if way != "plain" else ""})).status == 401
    assert (await browser.post("/two-factor/verify-otp", {"code": code})).status == 200


@requirement("S-036")
async def test_a_code_that_was_stored_in_another_way_is_wrong() -> None:
    clock = Clock()
    auth, sent = sending(clock)
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    other, _ = sending(clock, otp={"store_otp": "encrypted"}, database=auth.store)
    late = Browser(other, ORIGIN, dict(browser.cookies))
    for guess in (code, ""):
        assert (await late.post("/two-factor/verify-otp", {"code": guess})).status == 401
    assert (await browser.post("/two-factor/verify-otp", {"code": code})).status == 200


@requirement("S-036", "M01")
async def test_a_code_that_is_replaced_while_it_is_looked_at_is_wrong() -> None:
    asking = list[Browser]()

    async def kept(code: str) -> str:
        if asking:
            await asking.pop().post("/two-factor/send-otp")
        return backwards(code)

    clock = Clock()
    auth, sent = sending(clock, otp={"store_otp": kept})
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    clock.advance(1)
    asking.append(Browser(auth, ORIGIN, dict(browser.cookies)))
    refused = await browser.post("/two-factor/verify-otp", {"code": code})
    assert (refused.status, content(refused)["code"], len(sent)) == (401, "INVALID_CODE", 2)
    assert (await browser.get("/get-session")).body == b"null"


@requirement("M01")
async def test_a_code_that_does_not_say_how_often_it_was_guessed_at_ends() -> None:
    auth, sent = sending()
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    await auth.verifications.update(auth.context(None), {"value": f"{code}:0"}, value=f"{code}:x")
    answers = [content(await browser.post("/two-factor/verify-otp", {"code": code}))["code"] for _ in range(2)]
    assert answers == ["TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", "OTP_HAS_EXPIRED"]
    assert (await browser.get("/get-session")).body == b"null"


@requirement("I01")
@pytest.mark.parametrize("way", ["plain", "hashed", "encrypted"])
async def test_server_code_that_hands_on_half_a_letter_is_told_that_it_is_wrong(way: str) -> None:
    auth, sent = sending(otp={"store_otp": way})
    await by_mail(auth)
    browser = await asked(auth, sent)
    with pytest.raises(ApiError) as refusal:
        await auth.api.two_factor.verify_otp(browser.headers, VerifyOtp(code="\ud800"))
    assert refusal.value.error.code == "INVALID_CODE"
    assert (await browser.get("/get-session")).body == b"null"


@requirement("S-036")
async def test_length_lifetime_and_guesses_are_options() -> None:
    clock = Clock()
    auth, sent = sending(clock, otp={"digits": 8, "expires_in": 600, "allowed_attempts": 1})
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    clock.advance(599)
    assert len(code) == 8
    assert (await browser.post("/two-factor/verify-otp", {"code": "wrong"})).status == 401
    late = await browser.post("/two-factor/verify-otp", {"code": code})
    assert content(late)["code"] == "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"
    assert (await browser.get("/get-session")).body == b"null"


@requirement("S-134", "S-036")
async def test_a_code_that_was_sent_may_trust_the_device() -> None:
    auth, sent = sending()
    await by_mail(auth)
    browser = await challenged(auth)
    code = await sent_to(browser, sent)
    assert (await browser.post("/two-factor/verify-otp", {"code": code, "trustDevice": True})).status == 200
    await browser.post("/sign-out")
    assert content(await browser.post("/sign-in/email", CREDENTIALS))["redirect"] is False


@requirement("F07")
async def test_a_sender_that_fails_changes_no_answer() -> None:
    async def fail(mail: OtpMail, request: Request | None) -> None:
        raise RuntimeError("the mail server is away")

    auth = plain(TwoFactor(otp=OtpOptions(send_otp=fail)), clock=Clock())
    browser = await signed_up(auth)
    assert content(await browser.post("/two-factor/send-otp")) == {"status": True}


@requirement("I01")
@pytest.mark.parametrize("code", ["\0", "9" * 10_000, "\uff10\uff10\uff10\uff10\uff10\uff10", "000000:0", ":0", ""])
async def test_hostile_codes_are_wrong_codes(code: str) -> None:
    auth, sent = sending()
    await by_mail(auth)
    browser = await challenged(auth)
    await sent_to(browser, sent)
    refused = await browser.post("/two-factor/verify-otp", {"code": code})
    assert (refused.status, content(refused)["code"]) == (401, "INVALID_CODE")
    assert (await browser.get("/get-session")).body == b"null"


@requirement("CONF-two-factor")
@pytest.mark.parametrize("wrong", [{"digits": 0}, {"expires_in": 0}, {"allowed_attempts": 0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="numbers above 0"):
        sending(otp=wrong)
