"""The second factor asked for by many calls at once, on every kind of database."""

import anyio
import pytest

from app import ORIGIN, content, signed_up
from plugins.second_step import CREDENTIALS, PASSWORD, rows, sending, signed_up_with_app, totp_of
from portico.http import Response
from portico.plugins.two_factor import TwoFactor
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

WINDOWS = 8


@pytest.fixture
def anyio_backend() -> str:
    """Drivers of servers know no other."""
    return "asyncio"


@requirement("M06")
async def test_who_enables_in_many_windows_at_once_has_one_secret(database: str) -> None:
    clock, answers = Clock(), list[Response]()
    auth, _ = sending(clock, database=database)
    await auth.create_schema()
    browser = await signed_up(auth)

    async def enable() -> None:
        answers.append(await browser.post("/two-factor/enable", PASSWORD))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for _ in range(WINDOWS):
                group.start_soon(enable)
    assert [answer.status for answer in answers] == [200] * WINDOWS
    assert len(await rows(auth)) == 1
    codes = {totp_of(content(answer)).at(clock()) for answer in answers}
    verified = [await browser.post("/two-factor/verify-totp", {"code": code}) for code in codes]
    assert sorted(answer.status for answer in verified) == [200, *[401] * (len(codes) - 1)]
    await auth.close()


@requirement("M01")
@pytest.mark.parametrize("is_null", [False, True])
async def test_of_thirty_guesses_at_as_many_sign_ins_ten_are_looked_at(database: str, is_null: bool) -> None:
    clock, said = Clock(), list[int]()
    auth, _ = sending(clock, database=database)
    await auth.create_schema()
    await signed_up_with_app(auth, clock)
    if is_null:
        # As rows are that an older version made.
        await TwoFactor.of(auth).secrets.update(auth.context(None), {}, failed_verification_count=None)
    browsers = [Browser(auth, ORIGIN) for _ in range(30)]
    for browser in browsers:
        await browser.post("/sign-in/email", CREDENTIALS)

    async def guess(browser: Browser) -> None:
        said.append((await browser.post("/two-factor/verify-backup-code", {"code": "aaaaa-bbbbb"})).status)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for browser in browsers:
                group.start_soon(guess, browser)
    assert (said.count(401), said.count(429)) == (10, 20)
    [row] = await rows(auth)
    assert (row["failed_verification_count"], row["locked_until"] > clock()) == (10, True)
    await auth.close()
