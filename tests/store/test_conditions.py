"""Conditions find the same rows in every store, whatever is written in them."""

from typing import Any

from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.errors import UnstorableError
from portico.store.adapter import Adapter, Sort, Where
from portico.store.connect import open_store
from portico.store.memory import MemoryStore
from portico.testing.adapter_rows import PEOPLE, START, person
from requirements import requirement

pytestmark = requirement("I02")

TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "%",
    "_",
    "\\",
    "a%",
    "[a]",
    "*",
    "?",
    "'",
    '"',
    "; --",
    "é",
    "É",
    "\u212a",
    "k",
    "\ud800",
    "\0",
]
NUMBERS = [-1, 0, 1, 2, 2**62, 2**63]
COMPARISONS = ["eq", "ne", "lt", "lte", "gt", "gte"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(TEXTS) | st.text(max_size=3),
    "nickname": st.none() | st.sampled_from(TEXTS),
    "visits": st.sampled_from(NUMBERS),
    "limit": st.none() | st.sampled_from(NUMBERS),
    "verified": st.booleans(),
    "joined_at": st.sampled_from([START, START.replace(microsecond=0), START.replace(year=2031)]),
}


@st.composite
def conditions(draw: st.DrawFn) -> Where:
    field = draw(st.sampled_from(sorted(VALUES)))
    patterns = ["contains", "starts_with", "ends_with"] if field in {"name", "nickname"} else []
    operator: Any = draw(st.sampled_from([*COMPARISONS, "in", "not_in", *patterns]))
    value = draw(st.lists(VALUES[field], max_size=5) if operator in {"in", "not_in"} else VALUES[field])
    connector: Any = draw(st.sampled_from(["AND", "OR"]))
    mode: Any = draw(st.sampled_from(["sensitive", "insensitive"]))
    return Where(field, value, operator, connector, mode)


PERSONS = [
    person(
        index,
        name=text,
        nickname=TEXTS[index // 2] if index % 3 else None,
        visits=NUMBERS[index % 5],
        limit=NUMBERS[index // 4] if index % 2 else None,
        joined_at=START.replace(microsecond=index * 40_000),
    )
    for index, text in enumerate(TEXTS[:-2])
]


async def populated(store: Adapter) -> Adapter:
    await store.create_schema([PEOPLE])
    for record in PERSONS:
        await store.create(PEOPLE, record)
    return store


async def answer(store: Adapter, where: list[Where]) -> object:
    try:
        return await store.find_many(PEOPLE, where, sort=Sort("id")), await store.count(PEOPLE, where)
    except UnstorableError:
        return "refused"


def test_sqlite_and_memory_agree_on_every_list_of_conditions() -> None:
    with start_blocking_portal() as portal:
        memory = portal.call(populated, MemoryStore())
        sqlite = portal.call(populated, open_store("sqlite://"))

        @settings(max_examples=300, deadline=None, database=None)
        @given(st.lists(conditions(), max_size=4))
        def agree(where: list[Where]) -> None:
            assert portal.call(answer, sqlite, where) == portal.call(answer, memory, where)

        agree()
        portal.call(sqlite.close)
