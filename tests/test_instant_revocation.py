"""Instant revocation: a cookie copy is believed only while the store has its session."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from app import ORIGIN, content, make, plain, set_cookies, signed_up
from portico import Auth, ConfigError, CookieCacheOptions, MemorySecondaryStorage, MemoryStore, SessionOptions
from portico.store.adapter import Where
from portico.testing import Browser, Clock
from postbox import Postbox
from raced import started
from requirements import requirement
from store.redis_server import redis_storage

pytestmark = [pytest.mark.anyio, requirement("S-165")]

PASSWORD = {"email": "ann@example.com", "password": "password123"}
CHANGED = {"currentPassword": "password123", "newPassword": "password456", "revokeOtherSessions": True}


def copied(strategy: Literal["compact", "jwt", "jwe"] = "compact", **options: Any) -> SessionOptions:
    cache = CookieCacheOptions(enabled=True, strategy=strategy, instant_revocation=True)
    return SessionOptions(cookie_cache=cache, **options)


class Setting:
    """Two servers on one store, and two browsers of one user, of which the second is at the second server."""

    def __init__(self, place: str, session: SessionOptions | None = None) -> None:
        self.clock, self.postbox, self.store = Clock(), Postbox(), MemoryStore()
        self.options = self.postbox.options(password={"revoke_sessions_on_password_reset": True})
        if place == "secondary":
            self.options["secondary_storage"] = MemorySecondaryStorage(self.clock)
        self.session = session or copied()
        self.first, self.second = self.server(), self.server()

    def server(self) -> Auth[Any]:
        return make(self.clock, **self.options, database=self.store, session=self.session)

    async def browsers(self) -> tuple[Browser, Browser]:
        first, second = await signed_up(self.first), Browser(self.second, ORIGIN)
        assert (await second.post("/sign-in/email", PASSWORD)).status == 200
        assert (await told(second))["user"]["name"] == "Ann"
        return first, second


async def told(browser: Browser) -> Any:
    return content(await browser.get("/get-session"))


async def end(here: Setting, way: str, first: Browser, second: Browser) -> None:
    """End the second browser's session at the first server."""
    ctx, token = here.first.context(None), (await told(second))["session"]["token"]
    bodies: dict[str, Any] = {"/revoke-session": {"token": token}, "/change-password": CHANGED}
    if way == "/sign-out":
        assert (await Browser(here.first, ORIGIN, dict(second.cookies)).post(way)).status == 200
    elif way == "/reset-password":
        await first.post("/request-password-reset", {"email": "ann@example.com"})
        body = {"token": here.postbox.last.token, "newPassword": "password456"}
        assert (await first.post(way, body)).status == 200
    elif way == "/delete-user":
        await first.post(way)
        assert (await first.post(way, {"token": here.postbox.last.token})).status == 200
    elif way == "by hand":
        await here.store.delete_many(here.first.tables["session"], [Where("token", token)])
    elif way == "sessions.delete":
        assert await here.first.sessions.delete(ctx, token=token) == 1
    else:
        assert (await first.post(way, bodies.get(way, {}))).status == 200


WAYS = (
    "/sign-out",
    "/revoke-session",
    "/revoke-sessions",
    "/revoke-other-sessions",
    "/change-password",
    "/reset-password",
    "/delete-user",
    "sessions.delete",
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["database", "secondary"])
async def test_a_session_that_was_ended_at_another_server_is_over_at_once(way: str, place: str) -> None:
    here = Setting(place)
    first, second = await here.browsers()
    await end(here, way, first, second)
    assert (await second.get("/get-session")).body == b"null"
    assert second.cookies == {}


async def test_a_row_that_was_deleted_by_hand_counts() -> None:
    here = Setting("database")
    first, second = await here.browsers()
    await end(here, "by hand", first, second)
    assert await told(second) is None
    assert (await told(first))["user"]["name"] == "Ann"


@pytest.mark.parametrize("strategy", ["compact", "jwt", "jwe"])
async def test_a_copy_of_a_live_session_is_sent_on_as_it_is(strategy: Literal["compact", "jwt", "jwe"]) -> None:
    here = Setting("database", copied(strategy))
    _, second = await here.browsers()
    await here.store.update_many(here.first.tables["user"], [], {"name": "New"})
    response = await second.get("/get-session")
    assert (content(response)["user"]["name"], set_cookies(response)) == ("Ann", [])


async def test_a_session_whose_row_has_expired_is_over() -> None:
    here = Setting("database")
    _, second = await here.browsers()
    await here.store.update_many(here.first.tables["session"], [], {"expires_at": here.clock.now})
    assert await told(second) is None
    assert second.cookies == {}


async def test_server_calls_and_endpoints_that_read_the_copy_refuse_it_too() -> None:
    here = Setting("database")
    first, second = await here.browsers()
    await first.post("/revoke-other-sessions")
    assert await here.second.api.get_session(second.headers) is None
    assert (await second.get("/list-accounts")).status == 401


async def test_without_a_store_nobody_knows_what_was_revoked() -> None:
    with pytest.raises(ConfigError, match="instant_revocation needs a store"):
        plain(database=None, session=copied())


@asynccontextmanager
async def shared(place: str, tmp_path: Path) -> AsyncGenerator[tuple[str, str, Auth[Any]]]:
    """Give a database and a key prefix of Redis, if any, to another process, and an Auth on both."""
    database, clock = f"sqlite:///{tmp_path}/auth.db", Clock()
    if place == "SQLite":
        auth: Auth[Any] = make(clock, database=database, session=copied())
        await auth.create_schema()
        yield database, "", auth
        await auth.close()
        return
    async with redis_storage() as (storage, _, prefix):
        auth = make(clock, database=database, session=copied(), secondary_storage=storage)
        await auth.create_schema()
        yield database, prefix, auth
        await auth.close()


@requirement("S03")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("path", ["/sign-out", "/revoke-sessions"])
@pytest.mark.parametrize("place", ["SQLite", "Redis"])
async def test_a_session_that_another_process_ended_is_over_with_its_answer(
    place: str, path: str, tmp_path: Path
) -> None:
    async with shared(place, tmp_path) as (database, prefix, auth):
        browser = await signed_up(auth)
        assert (await told(browser))["user"]["name"] == "Ann"
        process = started("revoking.py", database, prefix, path, browser.cookies["better-auth.session_token"])
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "200\n"
        assert (await browser.get("/get-session")).body == b"null"
        process.communicate("end\n", timeout=30)
        assert process.returncode == 0
