"""Turning the second factor on from several windows at once, on every kind of database."""

from collections.abc import Generator
from pathlib import Path

import anyio
import pytest

from app import content, signed_up
from plugins.second_step import PASSWORD, rows, sending, totp_of
from portico.http import Response
from portico.testing import Clock
from requirements import requirement
from store.database_servers import database_on

pytestmark = pytest.mark.anyio

WINDOWS = 8


@pytest.fixture
def anyio_backend() -> str:
    """Drivers of servers know no other."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Give the URL of a new database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/auth.db"
        return
    with database_on(request.param) as server:
        yield server.url


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
