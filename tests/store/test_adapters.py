"""Every store that comes with the package keeps the contract of an Adapter."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from portico.errors import NotUniqueError, UnstorableError
from portico.schema import Record, Table
from portico.store.adapter import Adapter, Operator, Sort, Where
from portico.store.connect import open_store
from portico.store.executors.sqlite import SqliteExecutor
from portico.store.memory import MemoryStore
from portico.store.sql.adapter import SqlAdapter
from portico.store.sql.statements import SHAPES
from portico.store.where import MOST_LISTED
from portico.testing.adapter_rows import PEOPLE, TABLES, person
from portico.testing.adapter_suite import AdapterSuite
from requirements import requirement

pytestmark = [
    pytest.mark.anyio,
    requirement("I02", "ARCH-store-contract"),
]


class TestMemoryStore(AdapterSuite):
    async def make(self) -> Adapter:
        return MemoryStore()


class TestSqliteInMemory(AdapterSuite):
    async def make(self) -> Adapter:
        return open_store("sqlite://")


class TestSqliteFile(AdapterSuite):
    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.path = tmp_path / "auth.db"

    async def make(self) -> Adapter:
        return open_store(f"sqlite:///{self.path}")


class TestSqliteWithoutReturning(TestSqliteFile):
    """The way of databases that cannot change a row and return it in one statement, such as MySQL."""

    async def make(self) -> Adapter:
        executor = SqliteExecutor(str(self.path))
        executor.dialect.update_returning = False
        return SqlAdapter(executor)


class Careless(MemoryStore):
    """A store that takes what must be unique twice, and forgets what it is told to change."""

    async def create(self, table: Table[Any], record: Record) -> str:
        try:
            return await super().create(table, record)
        except NotUniqueError:
            return str(record["id"])

    async def update(self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]) -> Record | None:
        return await self.find_one(table, where)


class SuiteOfCareless(AdapterSuite):
    __test__ = False

    async def make(self) -> Adapter:
        return Careless()


async def test_the_suite_fails_a_store_that_breaks_the_contract() -> None:
    suite = SuiteOfCareless()
    with pytest.raises(AssertionError, match="NotUniqueError was not raised"):
        await suite.test_a_value_that_must_be_unique_is_refused_and_nothing_changes()
    with pytest.raises(AssertionError, match=r"(?s)got\n.*expected\n"):
        await suite.test_an_update_changes_one_row_and_returns_it()


@pytest.fixture(params=["memory", "sqlite"])
async def two(request: pytest.FixtureRequest) -> AsyncGenerator[Adapter]:
    """A store with two people."""
    store = open_store("sqlite://" if request.param == "sqlite" else None)
    await store.create_schema(TABLES)
    for index in range(2):
        await store.create(PEOPLE, person(index))
    yield store
    await store.close()


async def test_a_row_may_get_an_id_that_no_other_has(two: Adapter) -> None:
    assert await two.update(PEOPLE, [Where("id", "p0")], {"id": "p9"}) == person(0, id="p9")
    assert await two.find_one(PEOPLE, [Where("email", "p0@example.com")]) == person(0, id="p9")
    for taken in ({"id": "p1"}, {"id": "p2", "email": "p1@example.com"}):
        with pytest.raises(NotUniqueError):
            await two.update(PEOPLE, [Where("id", "p9")], taken)
    assert await two.find_many(PEOPLE, sort=Sort("id")) == [person(1), person(0, id="p9")]
    assert await two.find_one(PEOPLE, [Where("id", "p0")]) is None


async def test_a_condition_lists_so_many_values_and_no_more(two: Adapter) -> None:
    ids = [f"p{number}" for number in range(MOST_LISTED + 1)]
    assert await two.count(PEOPLE, [Where("id", ids[:-1], "in")]) == 2
    for operator in ("in", "not_in"):
        with pytest.raises(UnstorableError, match="values in one condition"):
            await two.delete_many(PEOPLE, [Where("id", ids, "in" if operator == "in" else "not_in")])
    assert await two.count(PEOPLE) == 2


async def test_more_kinds_of_statements_than_are_kept_are_run_as_well(two: Adapter) -> None:
    kinds: list[Operator] = ["eq", "ne", "lt", "lte", "gt", "gte"]
    fields = {"id": "p0", "name": "Person 0", "email": "p0@example.com", "visits": 0}
    found = [
        await two.count(PEOPLE, [Where(one, fields[one], first), Where(other, fields[other], second)])
        for one, other in product(fields, fields)
        for first, second in product(kinds, kinds)
    ]
    assert len(found) > SHAPES
    # Both people compare to the first one as p0 and p1 do in each field.
    holds = {"eq": {0}, "ne": {1}, "lt": set[int](), "lte": {0}, "gt": {1}, "gte": {0, 1}}
    assert found == [len(holds[first] & holds[second]) for first, second in product(kinds, kinds)] * len(fields) ** 2
