"""Single uses and limits of a second factor, raced by two processes on one database."""

from pathlib import Path
from typing import Any

import pytest

from app import ORIGIN, content
from plugins.guessing import guessed
from plugins.second_step import PASSWORD, Sent, rows, sending, signed_up_with_app
from portico import AdvancedOptions, AnyApi, Auth, DatabaseOptions
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio


async def challenge(auth: Auth[AnyApi]) -> str:
    """Return the cookie of a sign-in that waits for its second step."""
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-in/email", {"email": "ann@example.com", **PASSWORD})
    return browser.cookies["better-auth.two_factor"]


async def sent_code(auth: Auth[AnyApi], sent: Sent, cookie: str) -> str:
    """Return the code that was sent for a challenge."""
    reply = await Browser(auth, ORIGIN, {"better-auth.two_factor": cookie}).post("/two-factor/send-otp")
    assert content(reply) == {"status": True}
    return sent[-1].otp


@requirement("M02", "M04")
@pytest.mark.parametrize(("path", "ids"), [("totp", ""), ("totp", "serial"), ("totp", "uuid"), ("backup-code", "")])
async def test_of_two_processes_one_uses_a_code(path: str, ids: Any, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/auth.db", Clock()
    advanced = AdvancedOptions(database=DatabaseOptions(generate_id=ids or None))
    auth, _ = sending(clock, database=database, advanced=advanced)
    await auth.create_schema()
    _, totp, backup_codes = await signed_up_with_app(auth, clock)
    code = totp.at(clock()) if path == "totp" else backup_codes[0]
    tries = [(await challenge(auth), code) for _ in range(20)]
    await auth.close()
    said = [line.split()[0] for line in guessed(ids, database, path, tries)]
    # Those beyond the attempts of an account are not looked at.
    assert (said.count("200"), set(said) <= {"200", "401", "429"}) == (1, True)
    assert len(await auth.sessions.find_many(auth.context(None))) == 2
    await auth.close()


@requirement("M01", "S-036")
async def test_of_two_processes_one_uses_a_code_that_was_sent(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/auth.db"
    auth, sent = sending(database=database)
    await auth.create_schema()
    await signed_up_with_app(auth, Clock())
    cookie = await challenge(auth)
    code = await sent_code(auth, sent, cookie)
    await auth.close()
    # As many as there are attempts: right ones are counted, too, and one too many ends the code.
    said = guessed("", database, "otp", [(cookie, code)] * 5)
    assert len([line for line in said if line.startswith("200")]) == 1
    assert len(await auth.sessions.find_many(auth.context(None))) == 2
    await auth.close()


@requirement("M01")
@pytest.mark.parametrize("path", ["totp", "otp", "backup-code"])
@pytest.mark.parametrize("place", [3, 20])
async def test_of_thirty_guesses_in_two_processes_five_are_looked_at(path: str, place: int, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/auth.db", Clock()
    auth, sent = sending(clock, database=database)
    await auth.create_schema()
    _, totp, backup_codes = await signed_up_with_app(auth, clock)
    cookie = await challenge(auth)
    right = {"totp": totp.at(clock()), "backup-code": backup_codes[0]}.get(path) or await sent_code(auth, sent, cookie)
    codes = [f"{number:06}" for number in range(29)]
    # Where the right one stands must not decide how many are looked at.
    codes.insert(place, right)
    await auth.close()
    said = guessed("", database, path, [(cookie, code) for code in codes])
    wrong = [line for line in said if line.split()[1] in {"INVALID_CODE", "INVALID_BACKUP_CODE"}]
    signed_in = [line for line in said if line.startswith("200")]
    assert len(wrong) + len(signed_in) <= 5
    assert len(await auth.sessions.find_many(auth.context(None))) == 1 + len(signed_in)
    await auth.close()


@requirement("M01")
async def test_wrong_codes_of_who_has_no_app_are_counted_by_two_processes(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/auth.db"
    auth, sent = sending(database=database)
    await auth.create_schema()
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-up/email", {"name": "Ann", "email": "ann@example.com", **PASSWORD})
    assert content(await browser.post("/two-factor/enable", {**PASSWORD, "method": "otp"})) == {"method": "otp"}
    cookies = [await challenge(auth) for _ in range(2)]
    codes = [await sent_code(auth, sent, cookie) for cookie in cookies]
    await auth.close()
    guessed("", database, "otp", [(cookie, "wrong") for cookie in cookies for _ in range(5)])
    last = Browser(auth, ORIGIN, {"better-auth.two_factor": cookies[1]})
    locked = await last.post("/two-factor/verify-otp", {"code": codes[1]})
    assert (locked.status, content(locked)["code"]) == (429, "ACCOUNT_TEMPORARILY_LOCKED")
    assert len(await auth.sessions.find_many(auth.context(None))) == 1
    await auth.close()


@requirement("M01", "S-033", "S-038")
@pytest.mark.parametrize("path", ["totp", "backup-code"])
async def test_of_thirty_guesses_at_thirty_sign_ins_ten_are_looked_at(path: str, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/auth.db", Clock()
    auth, _ = sending(clock, database=database)
    await auth.create_schema()
    await signed_up_with_app(auth, clock)
    tries = [(await challenge(auth), "000000") for _ in range(30)]
    await auth.close()
    said = [line.split()[0] for line in guessed("", database, path, tries)]
    assert (said.count("401"), said.count("429")) == (10, 20)
    [row] = await rows(auth)
    assert (row["failed_verification_count"], row["locked_until"] > clock()) == (10, True)
    await auth.close()
