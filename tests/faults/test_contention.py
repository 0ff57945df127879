"""Databases that are exhausted or at odds with themselves: 503, nothing half done, and the same call succeeds later."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from app import ORIGIN, content, plain, signed_up
from faults.ledger import BUSY
from faults.pools import ON_MYSQL, ON_POSTGRESQL, PAUSE, SIZE, Pool, pool_of
from portico import Auth
from portico.store.executors.databases import DatabasesExecutor
from portico.store.sql.adapter import SqlAdapter
from portico.testing import Browser
from requirements import requirement
from store.database_servers import DatabaseServer, Kind, Run

pytestmark = [pytest.mark.anyio, requirement("F03")]

PATIENCE = 0.8
"""Seconds to wait for a connection: enough to open one on a machine that has other work."""
OLD, NEW = "password123", "password456"
SIGN_UP = {"name": "Ben", "email": "ben@example.com", "password": OLD}


@pytest.mark.parametrize("kind", [*ON_POSTGRESQL, *ON_MYSQL])
async def test_where_no_connection_becomes_free_callers_are_told_to_come_later(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with pool_of(kind, request, tmp_path, patience=PATIENCE) as pool:
        auth = plain(database=impatient(pool))
        await auth.create_schema()
        browser = await signed_up(auth)
        with anyio.fail_after(20):
            async with exhausted(auth):
                for response in (await browser.get("/get-session"), await browser.post("/sign-up/email", SIGN_UP)):
                    assert (response.status, content(response)) == (503, BUSY)
                    assert ("retry-after", "1") in response.headers
            assert content(await browser.get("/get-session"))["user"]["email"] == "ann@example.com"
            assert (await Browser(auth, ORIGIN).post("/sign-up/email", SIGN_UP)).status == 200
        await auth.close()


def impatient(pool: Pool) -> Any:
    """Return what `Auth(database=...)` takes; no URL says how long to wait for a connection of a Database."""
    is_database = type(pool.database).__module__.startswith("databases")
    return SqlAdapter(DatabasesExecutor(pool.database, patience=PATIENCE)) if is_database else pool.database


@asynccontextmanager
async def exhausted(auth: Auth[Any]) -> AsyncGenerator[None]:
    """Keep every connection in a transaction."""
    over, held = anyio.Event(), anyio.Semaphore(0)

    async def hold() -> None:
        async with auth.store.transaction():
            held.release()
            await over.wait()

    async with anyio.create_task_group() as group:
        for _ in range(SIZE):
            group.start_soon(hold)
        for _ in range(SIZE):
            await held.acquire()
        yield
        over.set()


WAITING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'",
    "mysql": "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist"
    " ON trx_mysql_thread_id = id WHERE db = database() AND trx_state = 'LOCK WAIT'",
}


class Contest:
    """Somebody who changes a password, and a transaction of the application that stands in the way."""

    def __init__(self, auth: Auth[Any], kind: Kind, run: Run) -> None:
        self._auth = auth
        self._kind = kind
        self._run = run

    async def fill(self) -> None:
        self._browser = await signed_up(self._auth)
        self._other = await self._signed_in(OLD)

    async def hold(self, *statements: str) -> None:
        """Begin the transaction of the application."""
        for statement in ("BEGIN", *statements):
            await self._run(statement.replace('"', "`") if self._kind == "mysql" else statement)

    async def run(self, statement: str) -> None:
        await self._run(statement)

    async def change_is_refused(self, meanwhile: Callable[[], Any]) -> None:
        """Let a change of the password wait, do something, and see it refused without any effect."""
        refused: list[Any] = []

        async def change() -> None:
            refused.append(await self._change())

        async with anyio.create_task_group() as group:
            group.start_soon(change)
            while (await self._run(WAITING[self._kind]))[0][0] == 0:
                await self._run(PAUSE[self._kind])
            await meanwhile()
        await self._run("ROLLBACK")
        assert [(each.status, content(each)) for each in refused] == [(503, BUSY)]
        assert refused[0].headers == (("content-type", "application/json"), ("retry-after", "1"))
        assert content(await self._other.get("/get-session")) is not None
        await self._signed_in(OLD)

    async def change_succeeds(self) -> None:
        assert (await self._change()).status == 200
        assert content(await self._other.get("/get-session")) is None
        await self._signed_in(NEW)

    async def _change(self) -> Any:
        body = {"currentPassword": OLD, "newPassword": NEW, "revokeOtherSessions": True}
        return await self._browser.post("/change-password", body)

    async def _signed_in(self, password: str) -> Browser:
        browser = Browser(self._auth, ORIGIN)
        response = await browser.post("/sign-in/email", {"email": "ann@example.com", "password": password})
        assert response.status == 200
        return browser


@asynccontextmanager
async def contest(server: DatabaseServer, parameters: str = "") -> AsyncGenerator[Contest]:
    await server.empty()
    auth = plain(database=f"{server.url}?{parameters}")
    with anyio.fail_after(30):
        await auth.create_schema()
        async with server.connected() as run:
            made = Contest(auth, server.kind, run)
            await made.fill()
            yield made
        await auth.close()


HOLD_SESSIONS = 'UPDATE "session" SET "userAgent" = \'held\''
HOLD_ACCOUNTS = 'UPDATE "account" SET "scope" = \'held\''


async def test_who_loses_a_deadlock_on_postgresql_may_come_again(postgresql: DatabaseServer) -> None:
    # Whose patience ends first loses; ours begins first.
    async with contest(postgresql, "deadlock_timeout=2s") as ours:
        await ours.hold("SET deadlock_timeout = '60s'", HOLD_SESSIONS)
        await ours.change_is_refused(lambda: ours.run(HOLD_ACCOUNTS))
        await ours.change_succeeds()


async def test_who_loses_a_deadlock_on_mysql_may_come_again(mysql: DatabaseServer) -> None:
    async with contest(mysql) as ours:
        # Who has written less loses.
        more = [f"INSERT INTO verification VALUES ('{each}', 'a', 'b', now(), now(), now())" for each in range(100)]
        await ours.hold(HOLD_SESSIONS, *more)
        await ours.change_is_refused(lambda: ours.run(HOLD_ACCOUNTS.replace('"', "`")))
        await ours.change_succeeds()


async def test_who_cannot_be_put_in_order_on_postgresql_may_come_again(postgresql: DatabaseServer) -> None:
    async with contest(postgresql, "default_transaction_isolation=serializable") as ours:
        await ours.hold(HOLD_ACCOUNTS)
        await ours.change_is_refused(lambda: ours.run("COMMIT"))
        await ours.change_succeeds()


async def test_who_waits_too_long_for_a_row_on_postgresql_may_come_again(postgresql: DatabaseServer) -> None:
    async with contest(postgresql, "lock_timeout=500ms") as ours:
        await ours.hold(HOLD_ACCOUNTS)
        await ours.change_is_refused(checkpoint)
        await ours.change_succeeds()
