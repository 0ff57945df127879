"""The part of an Adapter's contract that is about kinds of columns and references."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from portico.errors import UnstorableError
from portico.store.adapter import Adapter, Where
from portico.testing.adapter_rows import LOANS, PEOPLE, SAMPLES, START, person
from portico.testing.expecting import equal, refused

EMPTY: Final[dict[str, Any]] = {
    "word": "red",
    "ratio": None,
    "size": None,
    "is_on": None,
    "seen_at": None,
    "words": None,
    "numbers": None,
    "anything": None,
}
FULL: Final[dict[str, Any]] = {
    "word": "green",
    "ratio": 0.25,
    "size": 2**62,
    "is_on": False,
    "seen_at": START,
    "words": ["a", "", '["b"]', "\u00e9 \U0001f98a \u2028"],
    "numbers": [1, 2.5, -0.125, 2**53],
    "anything": {"a": [None, "1", {"b": []}]},
}
UNFIT: Final[list[tuple[str, Any]]] = [
    ("words", '["a"]'),
    ("words", ["a", 1]),
    ("words", ["a", None]),
    ("words", {"a": 1}),
    ("words", ["\ud800"]),
    ("numbers", ["1"]),
    ("numbers", [True]),
    ("numbers", 5),
    ("ratio", "0.5"),
    ("is_on", "true"),
]
"""Fields of a sample, each with a value that it cannot hold."""


class KindsSuite:
    """What `AdapterSuite` asks about columns of every kind."""

    def opened(self) -> AbstractAsyncContextManager[Adapter]:
        """Return a store with the tables of the suite."""
        raise NotImplementedError

    async def test_a_column_of_every_kind_comes_back_as_it_was_written(self) -> None:
        async with self.opened() as store:
            for key, values in (("full", FULL), ("empty", EMPTY)):
                await store.create(SAMPLES, {**values, "id": key})
                equal(await store.find_one(SAMPLES, [Where("id", key)]), {**values, "id": key})
            equal(await store.update(SAMPLES, [Where("id", "empty")], FULL), {**FULL, "id": "empty"})
            equal(await store.update(SAMPLES, [Where("id", "full")], EMPTY), {**EMPTY, "id": "full"})

    async def test_a_list_is_no_text_however_often_it_is_written(self) -> None:
        async with self.opened() as store:
            await store.create(SAMPLES, {**EMPTY, "id": "s", "words": ["a"], "numbers": []})
            for _ in range(3):
                found = await store.find_one(SAMPLES, [Where("id", "s")])
                equal(found, {**EMPTY, "id": "s", "words": ["a"], "numbers": []})
                await store.update(SAMPLES, [Where("id", "s")], found or {})

    async def test_a_list_holds_what_its_column_says_and_nothing_else(self) -> None:
        async with self.opened() as store:
            await store.create(SAMPLES, {**EMPTY, "id": "s"})
            for name, value in UNFIT:
                with refused(UnstorableError):
                    await store.create(SAMPLES, {**EMPTY, "id": "t", name: value})
                with refused(UnstorableError):
                    await store.update(SAMPLES, [Where("id", "s")], {name: value})
            equal(await store.find_many(SAMPLES), [{**EMPTY, "id": "s"}])

    async def test_a_reference_is_emptied_when_its_row_goes_if_the_column_says_so(self) -> None:
        async with self.opened() as store:
            await store.create(PEOPLE, person(1))
            await store.create(LOANS, {"id": "l", "reader_id": "p1", "owner_id": None})
            equal(await store.delete(PEOPLE, [Where("id", "p1")]), True)
            equal(await store.find_many(LOANS), [{"id": "l", "reader_id": None, "owner_id": None}])

    async def test_a_reference_keeps_its_row_if_the_column_says_so(self) -> None:
        async with self.opened() as store:
            for number in (1, 2):
                await store.create(PEOPLE, person(number))
            loan = {"id": "l", "reader_id": "p2", "owner_id": "p1"}
            await store.create(LOANS, loan)
            with refused(UnstorableError):
                await store.delete_many(PEOPLE, [])
            equal(await store.count(PEOPLE), 2)
            equal(await store.find_many(LOANS), [loan])
            await store.delete_many(LOANS, [])
            equal(await store.delete_many(PEOPLE, []), 2)
