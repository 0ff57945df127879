"""The part of an Adapter's contract that is about ids which the database makes."""

from contextlib import AbstractAsyncContextManager
from typing import Final

from anyio import create_task_group

from portico.errors import NotUniqueError, UnstorableError
from portico.store.adapter import Adapter, Join, Sort, Where
from portico.testing.adapter_rows import COINS, PEOPLE, SLIPS, TOSSES, person
from portico.testing.expecting import equal, refused

TASKS: Final = 20
STRANGE: Final = ("", "x", "01", "+1", " 1", "1 ", "1.0", "1e0", "-0", "0", "9" * 19, "9" * 30, "\u0661", "1' or 1=1")
"""Texts that are no id of a counted row, and at most look like the first."""


class IdsSuite:
    """What `AdapterSuite` asks about ids."""

    def opened(self) -> AbstractAsyncContextManager[Adapter]:
        """Return a store with the tables of the suite."""
        raise NotImplementedError

    async def test_adding_a_row_returns_its_id(self) -> None:
        async with self.opened() as store:
            equal(await store.create(PEOPLE, person(1)), "p1")
            equal(await store.create(COINS, {"name": "a"}), "1")
            equal(await store.create(COINS, {"name": "b"}), "2")
            made = [await store.create(SLIPS, {"name": "a"}) for _ in range(3)]
            equal(len({each for each in made if each}), 3)
            equal(sorted(each["id"] for each in await store.find_many(SLIPS)), sorted(made))

    async def test_a_counted_id_is_text_and_finds_its_row(self) -> None:
        async with self.opened() as store:
            for name in "abc":
                await store.create(COINS, {"name": name})
            equal(await store.find_one(COINS, [Where("id", "2")]), {"id": "2", "name": "b"})
            equal(await store.count(COINS, [Where("id", ["1", "3", "x"], "in")]), 2)
            equal(await store.count(COINS, [Where("id", "2", "ne")]), 2)
            equal(await store.update(COINS, [Where("id", "2")], {"name": "z"}), {"id": "2", "name": "z"})
            equal([each["id"] for each in await store.find_many(COINS, sort=Sort("id", "desc"))], ["3", "2", "1"])
            equal(await store.consume_one(COINS, [Where("id", "2")]), {"id": "2", "name": "z"})
            equal(await store.delete(COINS, [Where("id", "2")]), False)

    async def test_text_that_is_no_id_finds_nothing_and_cannot_be_one(self) -> None:
        async with self.opened() as store:
            await store.create(COINS, {"name": "a"})
            for text in STRANGE:
                equal(await store.find_one(COINS, [Where("id", text)]), None)
                equal(await store.count(COINS, [Where("id", text, "ne")]), 1)
                equal(await store.delete_many(COINS, [Where("id", [text], "in")]), 0)
                equal(await store.update(COINS, [Where("id", text)], {"name": "z"}), None)
                with refused(UnstorableError):
                    await store.create(COINS, {"id": text, "name": "b"})
                with refused(UnstorableError):
                    await store.create(TOSSES, {"coin_id": text})
            equal(await store.find_many(COINS), [{"id": "1", "name": "a"}])
            equal(await store.count(TOSSES), 0)

    async def test_a_column_points_to_a_counted_row(self) -> None:
        async with self.opened() as store:
            coin = await store.create(COINS, {"name": "a"})
            toss = await store.create(TOSSES, {"coin_id": coin})
            with refused(UnstorableError):
                await store.create(TOSSES, {"coin_id": "7"})
            found = await store.find_joined(TOSSES, [Where("coin_id", coin)], Join(COINS, "coin_id"))
            equal(found, ({"id": toss, "coin_id": coin}, {"id": coin, "name": "a"}))
            await store.delete(COINS, [Where("id", coin)])
            equal(await store.count(TOSSES), 0)

    async def test_an_id_may_be_given_once_where_the_database_makes_them(self) -> None:
        async with self.opened() as store:
            equal(await store.create(COINS, {"id": "-5", "name": "a"}), "-5")
            with refused(NotUniqueError):
                await store.create(COINS, {"id": "-5", "name": "b"})
            equal(await store.create(COINS, {"id": "7", "name": "c"}), "7")
            # Some count on from there, some from where they were.
            if await store.create(COINS, {"name": "d"}) not in {"1", "8"}:
                raise AssertionError

    async def test_an_id_is_never_made_twice(self) -> None:
        async with self.opened() as store:
            await store.create(COINS, {"name": "a"})
            await store.delete_many(COINS, [])
            equal(await store.create(COINS, {"name": "b"}), "2")
            made: list[str] = []

            async def add() -> None:
                made.append(await store.create(COINS, {"name": "c"}))

            async with create_task_group() as tasks:
                for _ in range(TASKS):
                    tasks.start_soon(add)
            equal(sorted(map(int, made)), list(range(3, 3 + TASKS)))

    async def test_a_transaction_knows_the_ids_that_it_makes(self) -> None:
        async with self.opened() as store, store.transaction() as inside:
            coin = await inside.create(COINS, {"name": "a"})
            toss = await inside.create(TOSSES, {"coin_id": coin})
            equal(await inside.find_one(TOSSES, [Where("coin_id", coin)]), {"id": toss, "coin_id": coin})
