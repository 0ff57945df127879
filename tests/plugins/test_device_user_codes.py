"""What is behind a user code: one request, of one user, whoever else looks or decides at the same moment."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from app import ORIGIN, content, plain, signed_up
from portico import AnyApi, Auth, CookieCacheOptions, HookContext, SessionOptions, before_update
from portico.plugins.device_authorization import DeviceAuthorization
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("P09")]


class Meanwhile:
    """What somebody else does when a request is about to change, once."""

    def __init__(self) -> None:
        self.do: Callable[[], Awaitable[object]] | None = None

    @property
    def hooks(self) -> Sequence[Any]:
        @before_update("deviceCode")
        async def happen(ctx: HookContext, values: Any) -> None:
            doing, self.do = self.do, None
            if doing is not None:
                await doing()

        return [happen]


def make(*codes: str, **options: Any) -> Auth[AnyApi]:
    """Return an Auth that gives these user codes, or some of its own."""
    given = iter(codes)
    own: dict[str, Any] = {"generate_user_code": lambda: next(given)} if codes else {}
    return plain(DeviceAuthorization(**own), **{"clock": Clock(), **options})


async def asked(auth: Auth[Any], client: str = "cli") -> str:
    """Return the user code of a new request."""
    return str(content(await Browser(auth, ORIGIN).post("/device/code", {"client_id": client}))["user_code"])


async def looked(browser: Browser, user_code: str) -> Any:
    return content(await browser.get("/device", f"user_code={user_code}"))


async def decided(browser: Browser, verb: str, user_code: str) -> tuple[int, str | None]:
    response = await browser.post(f"/device/{verb}", {"userCode": user_code})
    return response.status, content(response).get("error_description")


async def states(auth: Auth[Any]) -> list[tuple[str, bool]]:
    """Return of each request how it stands, and whether it is somebody's."""
    return [
        (row["status"], row["user_id"] is not None) for row in await auth.store.find_many(auth.tables["deviceCode"])
    ]


async def test_of_several_requests_a_user_code_is_of_one_however_it_is_typed() -> None:
    auth = make("ABCDEFGH", "JKLMNPQR")
    codes = [await asked(auth, client) for client in ("first", "second")]
    ann = await signed_up(auth)
    for code, client in zip(codes, ("first", "second"), strict=True):
        for typed in (code, code.lower(), f"{code[:4]}-{code[4:]}"):
            assert (await looked(ann, typed))["client_id"] == client, typed
    assert await decided(ann, "approve", "jklm-npqr") == (200, None)
    assert await states(auth) == [("pending", True), ("approved", True)]


async def test_a_code_of_ones_own_comes_before_what_it_would_be_without_its_hyphen() -> None:
    auth = make("AB-CD", "ABCD")
    hyphenated, plain_code = [await asked(auth, client) for client in ("first", "second")]
    ann = await signed_up(auth)
    assert (await looked(ann, hyphenated))["client_id"] == "first"
    assert (await looked(ann, plain_code))["client_id"] == "second"


async def test_a_revoked_session_that_its_cookie_copy_remembers_sees_and_decides_nothing() -> None:
    auth = make(session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
    ann, mine, new = await signed_up(auth), await asked(auth), await asked(auth)
    assert (await looked(ann, mine))["client_id"] == "cli"
    await auth.sessions.delete(auth.context(None))
    cookies = dict(ann.cookies)
    for verb in ("approve", "deny"):
        ann.cookies = dict(cookies)
        assert (await decided(ann, verb, mine))[0] == 401
    for code in (mine, new):
        ann.cookies = dict(cookies)
        assert await looked(ann, code) == {"user_code": code, "status": "pending"}
    assert await states(auth) == [("pending", True), ("pending", False)]


async def test_who_looks_when_somebody_else_has_just_looked_sees_no_more_than_a_stranger() -> None:
    meanwhile = Meanwhile()
    auth = make(database_hooks=meanwhile.hooks)
    ann, bob, code = await signed_up(auth), await signed_up(auth, "bob@example.com"), await asked(auth)
    meanwhile.do = lambda: looked(ann, code)
    assert await looked(bob, code) == {"user_code": code, "status": "pending"}
    assert (await decided(bob, "approve", code))[0] == 403
    assert await decided(ann, "approve", code) == (200, None)


async def test_who_approves_what_was_just_denied_is_told_so() -> None:
    meanwhile = Meanwhile()
    auth = make(database_hooks=meanwhile.hooks)
    ann, code = await signed_up(auth), await asked(auth)
    await looked(ann, code)
    window = Browser(auth, ORIGIN, dict(ann.cookies))
    meanwhile.do = lambda: decided(window, "deny", code)
    assert await decided(ann, "approve", code) == (400, "Device code already processed")
    assert await states(auth) == [("denied", True)]
