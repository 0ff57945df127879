"""A transaction of one call: its writes, its cookies and its session come together or not at all."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from app import ORIGIN, content, plain, set_cookies, signed_up
from plugins.second_step import totp_of
from portico import Context, MemoryStore, StoreBusyError, after
from portico.plugins.two_factor import TwoFactor
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

PASSWORD = {"password": "password123"}


class Locked(MemoryStore):
    """A store whose transactions cannot be committed while it is `locked`."""

    locked = False

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[MemoryStore, None]:
        async with super().transaction() as inside:
            yield inside
            if self.locked:
                raise StoreBusyError


@requirement("ARCH-transactions", "S-001")
async def test_a_sign_up_that_cannot_be_committed_leaves_no_row_and_sends_no_cookie() -> None:
    store = Locked()
    auth = plain(database=store)
    store.locked = True
    refused = await Browser(auth, ORIGIN).post("/sign-up/email", {"name": "", "email": "ann@example.com", **PASSWORD})
    assert (refused.status, set_cookies(refused)) == (503, [])
    assert [await store.count(table) for table in auth.tables.values()] == [0, 0, 0, 0]


@requirement("ARCH-transactions", "S05")
async def test_a_password_that_cannot_be_changed_leaves_the_session_and_its_cookie() -> None:
    store = Locked()
    ann = await signed_up(plain(database=store))
    kept = dict(ann.cookies)
    store.locked = True
    change = {"currentPassword": "password123", "newPassword": "password124", "revokeOtherSessions": True}
    refused = await ann.post("/change-password", change)
    assert (refused.status, set_cookies(refused), ann.cookies) == (503, [], kept)
    assert content(await ann.get("/get-session"))["user"]["email"] == "ann@example.com"


@requirement("ARCH-transactions", "ARCH-hooks")
async def test_hooks_see_the_session_that_began_in_a_transaction() -> None:
    seen: list[tuple[str, str]] = []

    @after("*", cookie="session_token")
    async def tell(ctx: Context, outcome: object) -> object:
        assert ctx.endpoint is not None
        seen.append((ctx.endpoint.path, ctx.new_session.session.token if ctx.new_session else "no session"))
        return outcome

    clock = Clock()
    auth = plain(TwoFactor(), clock=clock, hooks=[tell])
    ann = await signed_up(auth)
    started = [("/sign-up/email", await token_of(ann))]
    totp = totp_of(content(await ann.post("/two-factor/enable", PASSWORD)))
    await ann.post("/two-factor/verify-totp", {"code": totp.at(clock())})
    started.append(("/two-factor/verify-totp", await token_of(ann)))
    await ann.post("/two-factor/disable", PASSWORD)
    started.append(("/two-factor/disable", await token_of(ann)))
    change = {"currentPassword": "password123", "newPassword": "password124", "revokeOtherSessions": True}
    await ann.post("/change-password", change)
    started.append(("/change-password", await token_of(ann)))
    assert seen == started


async def token_of(browser: Browser) -> str:
    token: str = content(await browser.get("/get-session"))["session"]["token"]
    return token
