"""The contract of an Adapter as tests: run it over a store of your own."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from anyio import create_task_group, fail_after, move_on_after
from anyio.lowlevel import checkpoint

from portico.errors import ConfigError, NotUniqueError, UnstorableError
from portico.store.adapter import Adapter, Join, Operator, Sort, Where
from portico.testing.adapter_ids import IdsSuite
from portico.testing.adapter_kinds import KindsSuite
from portico.testing.adapter_rows import PEOPLE, STAMPS, START, TABLES, TICKETS, UNSTORABLE, person, ticket
from portico.testing.expecting import equal, refused

TASKS = 20
OF_TEXT: Sequence[Operator] = ("eq", "contains", "starts_with", "ends_with")
PATIENCE = 30
"""Seconds after which a test that waits has failed."""


class AdapterSuite(KindsSuite, IdsSuite):
    """Subclass it where pytest looks, mark the class with `pytest.mark.anyio`, and say in `make` what to test.

    `make` returns a new store without rows; tables are created in it, and it is closed after each test.
    """

    async def make(self) -> Adapter:
        """Return the store to test."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Adapter, None]:
        """Return a store with the tables of the suite."""
        store = await self.make()
        try:
            with fail_after(PATIENCE):
                await store.create_schema(TABLES)
                yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def populated(self) -> AsyncGenerator[Adapter, None]:
        """Return a store with ten people, `p0` to `p9`."""
        async with self.opened() as store:
            for index in range(10):
                await store.create(PEOPLE, person(index))
            yield store

    async def found(self, store: Adapter, *where: Where) -> list[str]:
        """Return the ids of the people who match."""
        return [record["id"] for record in await store.find_many(PEOPLE, where, sort=Sort("id"))]

    # Reading

    async def test_a_row_comes_back_as_it_was_written(self) -> None:
        async with self.opened() as store:
            written = person(
                1,
                name="Zoë 🦊 'quoted\" \\ % _ \u2028",
                tags={"é": [1, 2.5, True, None, "x"], "deep": {"er": []}},
                nickname="",
                limit=2**53,
            )
            await store.create(PEOPLE, written)
            equal(await store.find_one(PEOPLE, [Where("id", "p1")]), written)
            equal(await store.find_one(PEOPLE, [Where("name", written["name"])]), written)

    async def test_dates_keep_whole_milliseconds_in_utc(self) -> None:
        async with self.opened() as store:
            precise = START.replace(microsecond=7999)
            await store.create(PEOPLE, person(1, joined_at=precise))
            record = await store.find_one(PEOPLE, [Where("joined_at", precise)])
            equal(record and record["joined_at"], START.replace(microsecond=7000))
            equal(record and record["joined_at"].utcoffset(), timedelta(0))

    async def test_a_record_shares_nothing_with_the_store(self) -> None:
        async with self.opened() as store:
            tags = ["a"]
            await store.create(PEOPLE, person(1, tags=tags))
            tags.append("b")
            first = await store.find_one(PEOPLE, [Where("id", "p1")])
            equal(first and first["tags"], ["a"])
            if first:
                first["tags"].append("c")
                first["name"] = "changed"
            equal(await store.find_one(PEOPLE, [Where("id", "p1")]), person(1, tags=["a"]))

    async def test_every_operator_finds_its_rows(self) -> None:
        third = START + timedelta(seconds=3)
        expected: Sequence[tuple[str, Any, Operator, str]] = [
            ("id", "p3", "eq", "3"),
            ("id", "p3", "ne", "012456789"),
            ("visits", 3, "lt", "012"),
            ("visits", 3, "lte", "0123"),
            ("joined_at", third, "gt", "456789"),
            ("joined_at", third, "gte", "3456789"),
            ("joined_at", third, "eq", "3"),
            ("verified", True, "eq", "02468"),
            ("id", ["p1", "p4", "nobody"], "in", "14"),
            ("visits", (1, 4), "not_in", "02356789"),
            ("email", "3@", "contains", "3"),
            ("email", "p4", "starts_with", "4"),
            ("email", "4@example.com", "ends_with", "4"),
            ("email", "", "contains", "0123456789"),
            ("email", "nobody", "contains", ""),
        ]
        async with self.populated() as store:
            for field, value, operator, ids in expected:
                found = await self.found(store, Where(field, value, operator))
                equal((field, operator, found), (field, operator, [f"p{digit}" for digit in ids]))

    async def test_null_is_found_as_null_only(self) -> None:
        async with self.opened() as store:
            await store.create(PEOPLE, person(0))
            await store.create(PEOPLE, person(1, nickname="x"))
            await store.create(PEOPLE, person(2, nickname="y"))
            for where, ids in [
                (Where("nickname", None), ["p0"]),
                (Where("nickname", None, "ne"), ["p1", "p2"]),
                (Where("nickname", "x", "ne"), ["p2"]),
                (Where("nickname", ["x"], "not_in"), ["p2"]),
                (Where("nickname", ["x", None], "in"), ["p1"]),
                (Where("nickname", ["x", None], "not_in"), []),
                (Where("nickname", None, "lt"), []),
                (Where("nickname", None, "contains"), []),
                (Where("nickname", "", "contains"), ["p1", "p2"]),
            ]:
                equal((where, await self.found(store, where)), (where, ids))

    async def test_an_empty_list_finds_nothing_and_its_opposite_everything(self) -> None:
        async with self.populated() as store:
            equal(await self.found(store, Where("nickname", [], "in")), [])
            equal(await store.count(PEOPLE, [Where("nickname", [], "not_in")]), 10)

    async def test_a_long_list_is_possible(self) -> None:
        async with self.populated() as store:
            many = [f"p{index}" for index in range(7, 1500)]
            equal(await self.found(store, Where("id", many, "in")), ["p7", "p8", "p9"])

    async def test_all_and_conditions_and_one_or_condition_must_hold(self) -> None:
        def either(field: str, value: Any) -> Where:
            return Where(field, value, connector="OR")

        async with self.populated() as store:
            equal(await self.found(store, either("id", "p1"), either("id", "p2")), ["p1", "p2"])
            equal(await self.found(store, Where("verified", True), either("id", "p1"), either("id", "p2")), ["p2"])
            equal(await self.found(store, either("id", "p1")), ["p1"])
            equal(await self.found(store, Where("id", "p1"), Where("verified", True)), [])
            everybody = await self.found(store)
            equal(await self.found(store, either("nickname", None), Where("id", [], "in", "OR")), everybody)

    async def test_case_matters_unless_the_condition_says_otherwise(self) -> None:
        async with self.opened() as store:
            await store.create(PEOPLE, person(0, name="Ann"))
            await store.create(PEOPLE, person(1, name="aNN"))
            # The Kelvin sign is not a K, or one address could be taken for another.
            await store.create(PEOPLE, person(2, name="\u212aim É"))
            cases: Sequence[tuple[Any, Operator, list[str]]] = [
                ("ANN", "eq", ["p0", "p1"]),
                ("ANN", "ne", ["p2"]),
                (["ANN"], "in", ["p0", "p1"]),
                ("A", "starts_with", ["p0", "p1"]),
                ("NN", "ends_with", ["p0", "p1"]),
                ("N", "contains", ["p0", "p1"]),
                ("k", "starts_with", []),
                ("é", "ends_with", []),
                ("IM É", "ends_with", ["p2"]),
            ]
            for value, operator, ids in cases:
                found = await self.found(store, Where("name", value, operator, mode="insensitive"))
                equal((value, operator, found), (value, operator, ids))
            equal(await self.found(store, Where("name", "A", "starts_with")), ["p0"])
            equal(await self.found(store, Where("name", "ann", "contains")), [])

    async def test_no_character_is_a_wildcard(self) -> None:
        async with self.opened() as store:
            odd = ["100%", "a_b", "a\\b", "a*b", "a?b", "[ab]", "a]b", "axb", "'; DROP TABLE person; --"]
            for index, name in enumerate(odd):
                await store.create(PEOPLE, person(index, name=name))
            for index, name in enumerate(odd):
                for operator in OF_TEXT:
                    equal((name, await self.found(store, Where("name", name, operator))), (name, [f"p{index}"]))
            for part in ("%", "_", "\\", "*", "?", "["):
                equal((part, len(await self.found(store, Where("name", part, "contains")))), (part, 1))

    async def test_pages_are_cut_from_the_sorted_rows(self) -> None:
        async with self.populated() as store:
            late = Sort("joined_at", "desc")
            page = await store.find_many(PEOPLE, sort=late, limit=2, offset=3)
            equal([record["id"] for record in page], ["p6", "p5"])
            page = await store.find_many(PEOPLE, [Where("verified", True)], sort=late, limit=10, offset=4)
            equal([record["id"] for record in page], ["p0"])
            equal(await store.find_many(PEOPLE, limit=0), [])
            equal(await store.find_many(PEOPLE, limit=-1), [])
            equal(await store.find_many(PEOPLE, offset=10), [])

    async def test_null_sorts_first(self) -> None:
        async with self.opened() as store:
            for index, limit in enumerate([2, None, 1]):
                await store.create(PEOPLE, person(index, limit=limit))
            up = await store.find_many(PEOPLE, sort=Sort("limit"))
            down = await store.find_many(PEOPLE, sort=Sort("limit", "desc"))
            equal([[record["limit"] for record in page] for page in (up, down)], [[None, 1, 2], [2, 1, None]])

    async def test_at_most_100_rows_come_back_unless_more_are_asked_for(self) -> None:
        async with self.opened() as store:
            for index in range(101):
                await store.create(PEOPLE, person(index))
            equal(len(await store.find_many(PEOPLE)), 100)
            equal(len(await store.find_many(PEOPLE, limit=200)), 101)

    async def test_a_row_is_read_together_with_the_one_it_points_to(self) -> None:
        async with self.populated() as store:
            await store.create(TICKETS, ticket("t1", "p3"))
            await store.create(STAMPS, {"id": "s1", "ticket_id": None})
            join = Join(PEOPLE, "holder_id")
            equal(await store.find_joined(TICKETS, [Where("code", "t1")], join), (ticket("t1", "p3"), person(3)))
            equal(await store.find_joined(TICKETS, [Where("code", "t2")], join), None)
            lonely = await store.find_joined(STAMPS, [Where("id", "s1")], Join(TICKETS, "ticket_id"))
            equal(lonely, ({"id": "s1", "ticket_id": None}, None))

    async def test_a_field_that_the_table_lacks_is_refused(self) -> None:
        async with self.populated() as store:
            with refused(ConfigError):
                await store.find_one(PEOPLE, [Where('id" = "id" OR "id', "p1")])
            with refused(ConfigError):
                await store.find_many(PEOPLE, sort=Sort("password; --"))
            with refused(ConfigError):
                await store.update(PEOPLE, [Where("id", "p1")], {"admin": True})
            equal(await store.count(PEOPLE), 10)

    # Writing

    async def test_writes_say_what_they_changed(self) -> None:
        async with self.populated() as store:
            some, nobody = [Where("id", ["p1", "p2", "x"], "in")], [Where("id", "x")]
            equal(await store.update_many(PEOPLE, some, {"name": "Q"}), 2)
            equal(await store.update_many(PEOPLE, some, {"name": "Q"}), 2)
            equal(await store.update_many(PEOPLE, nobody, {"name": "Q"}), 0)
            equal(await store.count(PEOPLE, [Where("name", "Q")]), 2)
            equal(await store.update(PEOPLE, nobody, {"name": "Q"}), None)
            equal(await store.delete(PEOPLE, nobody), False)
            equal(await store.delete(PEOPLE, [Where("id", "p1")]), True)
            equal(await store.delete_many(PEOPLE, some), 1)
            equal(await store.delete_many(PEOPLE, some), 0)
            equal(await store.count(PEOPLE), 8)

    async def test_an_update_changes_one_row_and_returns_it(self) -> None:
        async with self.populated() as store:
            changed = await store.update(PEOPLE, [Where("id", "p1")], {"nickname": "x", "tags": ["t"]})
            equal(changed, person(1, nickname="x", tags=["t"]))
            equal(await store.find_one(PEOPLE, [Where("id", "p1")]), changed)
            equal((await store.update(PEOPLE, [Where("id", "p1")], {"nickname": None})), person(1, tags=["t"]))
            equal(await store.update(PEOPLE, [Where("id", "p2")], {}), person(2))
            await store.update(PEOPLE, [Where("verified", True)], {"name": "once"})
            equal(await store.count(PEOPLE, [Where("name", "once")]), 1)

    async def test_a_delete_takes_one_row(self) -> None:
        async with self.populated() as store:
            equal(await store.delete(PEOPLE, [Where("verified", True)]), True)
            equal(await store.count(PEOPLE), 9)

    async def test_a_value_that_must_be_unique_is_refused_and_nothing_changes(self) -> None:
        async with self.populated() as store:
            before = await store.find_many(PEOPLE, sort=Sort("id"))
            with refused(NotUniqueError) as caught:
                await store.create(PEOPLE, person(11, email="p1@example.com"))
            equal([getattr(error, "column", None) for error in caught], ["email"])
            with refused(NotUniqueError):
                await store.create(PEOPLE, person(1, email="other@example.com"))
            with refused(NotUniqueError):
                await store.update(PEOPLE, [Where("id", "p2")], {"email": "p1@example.com", "name": "Q"})
            with refused(NotUniqueError):
                await store.update_many(PEOPLE, [], {"email": "p11@example.com"})
            equal(await store.find_many(PEOPLE, sort=Sort("id")), before)
            await store.update(PEOPLE, [Where("id", "p1")], {"email": "p1@example.com"})

    async def test_a_value_that_must_be_unique_is_refused_inside_a_transaction(self) -> None:
        async with self.populated() as store:
            async with store.transaction() as inside:
                await inside.create(PEOPLE, person(11))
                with refused(NotUniqueError):
                    await inside.create(PEOPLE, person(12, email="p1@example.com"))
                await inside.create(PEOPLE, person(13))
            equal(await store.count(PEOPLE, [Where("id", ["p11", "p12", "p13"], "in")]), 2)

    async def test_what_points_to_a_deleted_row_goes_with_it(self) -> None:
        async with self.populated() as store:
            for code, holder in [("t1", "p1"), ("t2", "p1"), ("t3", "p2")]:
                await store.create(TICKETS, ticket(code, holder))
            await store.create(STAMPS, {"id": "s1", "ticket_id": "t1"})
            equal(await store.delete_many(PEOPLE, [Where("id", "p1")]), 1)
            equal(await store.find_many(TICKETS), [ticket("t3", "p2")])
            equal(await store.count(STAMPS), 0)

    async def test_a_row_cannot_point_to_nothing(self) -> None:
        async with self.populated() as store:
            with refused(UnstorableError):
                await store.create(TICKETS, ticket("t1", "nobody"))
            equal(await store.count(TICKETS), 0)

    async def test_what_no_column_can_hold_is_refused_and_nothing_changes(self) -> None:
        async with self.populated() as store:
            for field, value in UNSTORABLE:
                with refused(UnstorableError):
                    await store.create(PEOPLE, person(11, **{field: value}))
                with refused(UnstorableError):
                    await store.update(PEOPLE, [Where("id", "p1")], {field: value})
                if field != "tags":
                    with refused(UnstorableError):
                        await store.find_one(PEOPLE, [Where(field, value)])
            for where in [Where("id", "p1", "in"), Where("visits", "1", "contains"), Where("name", {"ne": ""})]:
                with refused(UnstorableError):
                    await store.find_one(PEOPLE, [where])
            equal(await store.find_many(PEOPLE, sort=Sort("id")), [person(index) for index in range(10)])

    # Counting and single use

    async def test_of_many_callers_one_consumes_a_row(self) -> None:
        async with self.populated() as store:
            won = await at_once(lambda: store.consume_one(PEOPLE, [Where("name", "Person 3")]))
            equal([record for record in won if record], [person(3)])
            equal(await store.count(PEOPLE), 9)

    async def test_of_many_callers_one_changes_a_row_that_is_still_as_it_was(self) -> None:
        async with self.populated() as store:
            where = [Where("id", "p3"), Where("nickname", None)]
            won = await at_once(lambda: store.update(PEOPLE, where, {"nickname": "mine"}))
            equal([record for record in won if record], [person(3, nickname="mine")])

    async def test_a_guarded_count_never_passes_its_limit(self) -> None:
        async with self.populated() as store:
            guard = [Where("id", "p0"), Where("visits", 5, "lt")]
            won = await at_once(lambda: store.increment_one(PEOPLE, guard, {"visits": 1}, {"name": "Q"}))
            counts = sorted(record["visits"] for record in won if record)
            equal(counts, [1, 2, 3, 4, 5])
            equal(await store.find_one(PEOPLE, [Where("id", "p0")]), person(0, visits=5, name="Q"))

    async def test_counting_starts_from_null_and_goes_down_too(self) -> None:
        async with self.populated() as store:
            equal(await store.increment_one(PEOPLE, [Where("id", "p1")], {"limit": 2}), person(1, limit=2))
            equal(await store.increment_one(PEOPLE, [Where("id", "p1")], {"limit": -3}), person(1, limit=-1))
            equal(await store.increment_one(PEOPLE, [Where("id", "x")], {"limit": 1}), None)

    # Transactions

    async def test_a_transaction_keeps_its_writes_together(self) -> None:
        async with self.populated() as store:
            async with store.transaction() as inside:
                await inside.create(PEOPLE, person(11))
                await inside.update(PEOPLE, [Where("id", "p1")], {"name": "Q"})
                equal(await inside.find_one(PEOPLE, [Where("id", "p11")]), person(11))
                equal(await inside.count(PEOPLE, [Where("name", "Q")]), 1)
                equal(await inside.delete_many(PEOPLE, [Where("id", "nobody")]), 0)
            equal(await store.find_one(PEOPLE, [Where("id", "p1")]), person(1, name="Q"))
            equal(await store.count(PEOPLE), 11)

    async def test_a_transaction_that_fails_leaves_nothing(self) -> None:
        async with self.populated() as store:
            await store.create(TICKETS, ticket("t1", "p1"))
            with refused(LookupError):
                async with store.transaction() as inside:
                    await inside.create(PEOPLE, person(11))
                    await inside.update_many(PEOPLE, [], {"nickname": "Q"})
                    await inside.increment_one(PEOPLE, [Where("id", "p2")], {"visits": 5, "limit": 1})
                    await inside.delete(PEOPLE, [Where("id", "p1")])
                    await inside.consume_one(PEOPLE, [Where("id", "p3")])
                    raise LookupError
            equal(await store.find_many(PEOPLE, sort=Sort("id")), [person(index) for index in range(10)])
            equal(await store.find_many(TICKETS), [ticket("t1", "p1")])

    async def test_an_inner_transaction_fails_alone(self) -> None:
        async with self.populated() as store:
            async with store.transaction() as outer:
                await outer.create(PEOPLE, person(11))
                with refused(LookupError):
                    async with outer.transaction() as inner:
                        await inner.create(PEOPLE, person(12))
                        async with inner.transaction() as innermost:
                            await innermost.create(PEOPLE, person(13))
                        raise LookupError
                async with outer.transaction() as inner:
                    await inner.create(PEOPLE, person(14))
            equal(await store.count(PEOPLE, [Where("id", ["p11", "p12", "p13", "p14"], "in")]), 2)

    async def test_an_outer_transaction_takes_its_inner_ones_back(self) -> None:
        async with self.populated() as store:
            with refused(LookupError):
                async with store.transaction() as outer:
                    async with outer.transaction() as inner:
                        await inner.create(PEOPLE, person(11))
                    raise LookupError
            equal(await store.count(PEOPLE), 10)

    async def test_a_cancelled_transaction_leaves_nothing(self) -> None:
        async with self.populated() as store:
            with move_on_after(PATIENCE) as scope:
                async with store.transaction() as inside:
                    await inside.create(PEOPLE, person(11))
                    scope.cancel()
                    await checkpoint()
            equal(await store.count(PEOPLE), 10)
            await store.create(PEOPLE, person(11))

    async def test_a_transaction_ends_with_its_block(self) -> None:
        async with self.populated() as store:
            async with store.transaction() as outer:
                async with outer.transaction() as inner:
                    await inner.create(PEOPLE, person(11))
                with refused(ConfigError):
                    await inner.create(PEOPLE, person(12))
                await outer.create(PEOPLE, person(13))
            with refused(ConfigError):
                await outer.create(PEOPLE, person(14))
            with refused(ConfigError):
                await outer.find_one(PEOPLE, [Where("id", "p1")])
            equal(await store.count(PEOPLE), 12)

    async def test_transactions_at_once_lose_no_write(self) -> None:
        async with self.populated() as store:

            async def visit() -> None:
                async with store.transaction() as inside:
                    await inside.increment_one(PEOPLE, [Where("id", "p0")], {"visits": 1})
                    await checkpoint()
                    await inside.increment_one(PEOPLE, [Where("id", "p1")], {"visits": 1})

            await at_once(visit)
            visits = [record["visits"] for record in await store.find_many(PEOPLE, limit=2, sort=Sort("id"))]
            equal(visits, [TASKS, TASKS + 1])

    # The schema

    async def test_a_complete_schema_lacks_nothing(self) -> None:
        async with self.populated() as store:
            equal(list(await store.missing(TABLES)), [])
            equal(list(await store.create_schema(TABLES)), [])
            equal(await store.count(PEOPLE), 10)


async def at_once(call: Callable[[], Coroutine[Any, Any, Any]]) -> list[Any]:
    """Return what `call` answers to many tasks at once."""
    answers: list[Any] = []

    async def one() -> None:
        answers.append(await call())

    async with create_task_group() as tasks:
        for _ in range(TASKS):
            tasks.start_soon(one)
    return answers
