"""Transactions that are cancelled at any point lose no connection and leave nothing half written."""

import asyncio  # noqa: TID251  # whose tasks are cancelled here in its own way, too
import random  # noqa: TID251  # a seed, so that a failure can be had again
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from faults.pools import POOLS, Pool, pool_of
from portico.errors import NotUniqueError
from portico.store.adapter import Adapter, Where
from portico.store.connect import open_store
from portico.testing.adapter_rows import PEOPLE, TABLES, TICKETS, person, ticket
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("F02", "ARCH-transactions")]

TRANSACTIONS = 300
AT_ONCE = 5
"""More than there are connections, so that some are cancelled while they wait for one."""


@pytest.fixture(params=POOLS)
async def pool(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Pool, None]:
    with anyio.fail_after(60):
        async with pool_of(str(request.param), request, tmp_path / "auth.db") as pool:
            yield pool


async def write(store: Adapter, index: int) -> None:
    """Write in a transaction, its savepoint, and after a refusal."""
    async with store.transaction() as inside:
        await inside.create(PEOPLE, person(index))
        async with inside.transaction() as deeper:
            await deeper.create(TICKETS, ticket(f"t{index}", f"p{index}"))
        with suppress(NotUniqueError):
            await inside.create(PEOPLE, person(index))
        await inside.increment_one(PEOPLE, [Where("id", f"p{index}")], {"visits": 1})


async def cancelled_by_anyio(work: Coroutine[None, None, None], delay: float) -> bool:
    with anyio.move_on_after(delay) as scope:
        await work
    return not scope.cancelled_caught


async def cancelled_by_asyncio(work: Coroutine[None, None, None], delay: float) -> bool:
    task = asyncio.ensure_future(work)
    timer = asyncio.get_running_loop().call_later(delay, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return False
    finally:
        timer.cancel()
    return True


Cancel = Callable[[Coroutine[None, None, None], float], Coroutine[None, None, bool]]


async def test_cancelled_transactions_lose_no_connection_and_leave_no_half_write(pool: Pool) -> None:
    store, chance = open_store(pool.database), random.Random(20)
    await store.create_schema(TABLES)
    acknowledged: set[str] = set()
    longest = 0.01

    async def one(index: int, cancel: Cancel) -> None:
        nonlocal longest
        is_whole = await cancel(write(store, index), chance.uniform(0, longest))
        if is_whole:
            acknowledged.add(f"p{index}")
        # As many are cancelled as are not, however busy the machine is.
        longest *= 0.9 if is_whole else 1.1

    for first in range(0, TRANSACTIONS, AT_ONCE):
        async with anyio.create_task_group() as group:
            for index in range(first, first + AT_ONCE):
                group.start_soon(one, index, (cancelled_by_anyio, cancelled_by_asyncio)[index % 2])
    assert TRANSACTIONS / 5 < len(acknowledged) < TRANSACTIONS * 4 / 5
    await pool.becomes_idle()
    await pool.is_whole(store, lambda inside: inside.count(PEOPLE))
    people = await store.find_many(PEOPLE, limit=1000)
    # What was committed while its task was cancelled is whole, too.
    assert acknowledged <= {row["id"] for row in people}
    assert [f"p{row['visits'] - 1}" for row in people] == [row["id"] for row in people]
    holders = [row["holder_id"] for row in await store.find_many(TICKETS, limit=1000)]
    assert sorted(holders) == sorted(row["id"] for row in people)
    await store.close()
