"""A database that goes away under load and comes back: 503 meanwhile, and nothing that was acknowledged is lost."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import asyncmy
import pytest

from app import plain
from faults.ledger import Ledger
from faults.own_servers import Cluster, cluster
from faults.pools import ON_MYSQL, ON_POSTGRESQL, Pool, pool_of, pool_on
from portico.store.executors.link import Rows
from portico.store.executors.postgres import PostgresExecutor
from requirements import requirement
from store.database_servers import DatabaseServer, Kind, Run
from store.pooler import Pooler, pooler_before

pytestmark = [pytest.mark.anyio, requirement("F03")]

PEOPLE = 6
SECONDS = 5
"""Within which everybody is served again."""


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@asynccontextmanager
async def under_load(pool: Pool) -> AsyncGenerator[Ledger]:
    """Give the ledger of people who are being served, and hold the database against it afterwards."""
    auth = plain(database=pool.database)
    await auth.create_schema()
    ledger = Ledger(auth)
    with anyio.fail_after(40):
        async with anyio.create_task_group() as group:
            for number in range(PEOPLE):
                group.start_soon(ledger.keep, number)
            await ledger.all_served(PEOPLE, 0)
            yield ledger
            ledger.end()
        await ledger.check(PEOPLE)
        await pool.becomes_idle()
    await auth.close()


@pytest.mark.parametrize("kind", ON_POSTGRESQL)
async def test_postgresql_that_falls_and_comes_back_loses_nothing(own: Cluster, kind: str, tmp_path: Path) -> None:
    async with pool_on(own.database, kind, tmp_path) as pool, under_load(pool) as ledger:
        await anyio.to_thread.run_sync(own.restart)
        assert await ledger.all_served(PEOPLE, monotonic()) < SECONDS
        assert ledger.refusals > 0


@pytest.mark.parametrize("kind", ON_POSTGRESQL)
async def test_while_postgresql_is_gone_everybody_is_told_to_come_later(
    own: Cluster, kind: str, tmp_path: Path
) -> None:
    async with pool_on(own.database, kind, tmp_path) as pool, under_load(pool) as ledger:
        await anyio.to_thread.run_sync(own.stop)
        await ledger.refuses(5 * PEOPLE)
        acknowledged = len(ledger.acknowledged)
        await ledger.refuses(5 * PEOPLE)
        assert len(ledger.acknowledged) == acknowledged
        await anyio.to_thread.run_sync(own.start)
        assert await ledger.all_served(PEOPLE, monotonic()) < SECONDS


@asynccontextmanager
async def under_load_through(pooler: Pooler, tmp_path: Path) -> AsyncGenerator[Ledger]:
    """The same, for people who reach the server through a pooler."""
    await pooler.server.empty()
    url = f"{pooler.url}&pool_size={PEOPLE}&sslmode=disable"
    async with under_load(Pool(database=url, server=None, path=tmp_path / "none.db")) as ledger:
        yield ledger


async def test_a_pooler_that_falls_is_found_again(postgresql: DatabaseServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        pooler = stack.enter_context(pooler_before(postgresql))
        async with under_load_through(pooler, tmp_path) as ledger:
            pooler.stop()
            await ledger.refuses(5 * PEOPLE)
            acknowledged = len(ledger.acknowledged)
            await ledger.refuses(5 * PEOPLE)
            assert len(ledger.acknowledged) == acknowledged
            stack.enter_context(pooler_before(postgresql, pooler.port))
            assert await ledger.all_served(PEOPLE, monotonic()) < SECONDS


async def test_a_pooler_that_pauses_holds_its_clients_and_loses_none(
    postgresql: DatabaseServer, tmp_path: Path
) -> None:
    with pooler_before(postgresql) as pooler:
        async with under_load_through(pooler, tmp_path) as ledger:
            pooler.pause()
            await anyio.sleep(1)
            pooler.resume()
            assert await ledger.all_served(PEOPLE, monotonic()) < SECONDS
            assert ledger.refusals == 0


KILL = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid()",
    "mysql": "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}


@pytest.mark.parametrize("kind", [*ON_POSTGRESQL, *ON_MYSQL])
async def test_connections_that_are_killed_are_replaced(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with pool_of(kind, request, tmp_path) as pool, under_load(pool) as ledger:
        assert pool.server
        async with pool.server.connected() as run:
            for _ in range(5):
                await kill(run, pool.server.kind)
                assert await ledger.all_served(PEOPLE, monotonic()) < SECONDS


async def test_a_connection_that_is_lost_while_it_is_given_back_fails_nobody(postgresql: DatabaseServer) -> None:
    opened: list[Any] = []

    async def note(connection: object) -> None:
        opened.append(connection)

    executor = PostgresExecutor(postgresql.url, pool_size=1, patience=5, init=note)
    answers: list[Rows] = []

    async def ask() -> None:
        answers.append(await executor.fetch("SELECT 1"))

    async def lose() -> None:
        opened[0].terminate()

    async with anyio.create_task_group() as group, executor.link() as link:
        group.start_soon(ask)
        answers.append(await link.fetch("SELECT 0"))
        # Happens after the connection was seen to be open and before the pool has it back for the one who waits.
        group.start_soon(lose)
    assert [[tuple(row) for row in rows] for rows in answers] == [[(0,)], [(1,)]]
    assert len(opened) == 2
    await executor.close()


async def kill(run: Run, kind: Kind) -> None:
    """End every connection but this one."""
    killed = await run(KILL[kind])
    assert killed
    if kind == "mysql":
        for [connection] in killed:
            # It may have gone since.
            with suppress(asyncmy.errors.MySQLError):
                await run(f"KILL {connection}")
