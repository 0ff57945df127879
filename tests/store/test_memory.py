"""What only the memory store promises: indexes, threads, and transactions that leave others' writes alone."""

import threading
from functools import partial
from typing import Annotated, Any

import anyio
import pytest

from portico.schema import Column, Columns, Record, Table
from portico.store.adapter import Adapter, Join, Sort, Where
from portico.store.memory import MemoryStore
from portico.testing.adapter_rows import PEOPLE, TICKETS, Person, person, ticket
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-memory")]
P0, P1 = [Where("id", "p0")], [Where("id", "p1")]


async def populated(people: int = 2) -> MemoryStore:
    store = MemoryStore()
    for index in range(people):
        await store.create(PEOPLE, person(index))
    return store


async def everybody(store: Adapter) -> list[Record]:
    return await store.find_many(PEOPLE, sort=Sort("id"))


@requirement("ARCH-transactions")
async def test_a_failed_transaction_leaves_what_others_wrote_in_between() -> None:
    async def fail(store: Adapter) -> None:
        async with store.transaction() as inside:
            await inside.update(PEOPLE, P0, {"name": "mine", "nickname": "mine"})
            await inside.increment_one(PEOPLE, P1, {"visits": 10})
            await inside.create(PEOPLE, person(2))
            await store.update(PEOPLE, P0, {"nickname": "theirs"})
            await store.increment_one(PEOPLE, P1, {"visits": 1})
            await store.create(PEOPLE, person(3))
            raise LookupError

    store = await populated()
    with pytest.raises(LookupError):
        await fail(store)
    assert await everybody(store) == [person(0, nickname="theirs"), person(1, visits=2), person(3)]


@requirement("ARCH-transactions")
async def test_a_failed_transaction_does_not_bring_back_what_others_deleted_or_took() -> None:
    async def fail(store: Adapter) -> None:
        async with store.transaction() as inside:
            await inside.update(PEOPLE, P0, {"name": "mine", "email": "new@example.com"})
            await inside.delete(PEOPLE, P1)
            await store.delete(PEOPLE, P0)
            await store.create(PEOPLE, person(2, email="p1@example.com"))
            raise LookupError

    store = await populated()
    with pytest.raises(LookupError):
        await fail(store)
    assert await everybody(store) == [person(2, email="p1@example.com")]


async def test_a_look_up_by_an_indexed_column_follows_every_change() -> None:
    store = await populated()
    await store.create(TICKETS, ticket("t1", "p0"))
    await store.update(PEOPLE, P0, {"email": "new@example.com"})
    await store.update(TICKETS, [Where("holder_id", "p0")], {"holder_id": "p1"})
    assert await store.find_one(PEOPLE, [Where("email", "p0@example.com")]) is None
    assert await store.find_one(PEOPLE, [Where("email", "new@example.com")]) == person(0, email="new@example.com")
    assert await store.find_many(TICKETS, [Where("holder_id", "p0")]) == []
    assert await store.find_many(TICKETS, [Where("holder_id", ["p1"], "in")]) == [ticket("t1", "p1")]
    await store.delete(PEOPLE, P1)
    assert await store.find_one(TICKETS, [Where("code", "t1")]) is None
    await store.create(PEOPLE, person(4, email="p0@example.com"))


async def test_two_declarations_of_a_table_share_its_rows() -> None:
    class Extra(Columns):
        handle: Annotated[str | None, Column(unique=True)] = None

    store = await populated()
    extended: Table[Any] = Table("person", Person, [Extra], {})
    await store.update(extended, P0, {"handle": "ann"})
    assert await store.find_one(extended, [Where("handle", "ann")]) == person(0, handle="ann")
    assert await store.find_one(PEOPLE, P0) == person(0)
    assert await store.find_one(extended, P1) == person(1, handle=None)


async def test_a_join_reads_through_an_index() -> None:
    store = await populated(1000)
    await store.create(TICKETS, ticket("t1", "p7"))
    joined = await store.find_joined(TICKETS, [Where("code", "t1")], Join(PEOPLE, "holder_id"))
    assert joined == (ticket("t1", "p7"), person(7))


def test_loops_in_several_threads_share_a_store() -> None:
    store = anyio.run(populated)

    async def visit() -> None:
        for _ in range(200):
            await store.increment_one(PEOPLE, P0, {"visits": 1})
            async with store.transaction() as inside:
                await inside.increment_one(PEOPLE, P0, {"visits": 1})

    threads = [
        threading.Thread(target=partial(anyio.run, visit, backend=backend)) for backend in ("asyncio", "trio") * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert anyio.run(store.find_one, PEOPLE, P0) == person(0, visits=1600)
