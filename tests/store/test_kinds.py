"""Values of every kind come back from every store as they were written."""

from datetime import UTC, datetime, timedelta
from typing import Any

from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.store.adapter import Adapter, Where
from portico.store.connect import open_store
from portico.store.memory import MemoryStore
from portico.testing.adapter_rows import SAMPLES, TABLES
from requirements import requirement

pytestmark = requirement("S-156", "S-262")

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NUMBER = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.booleans() | TEXT | st.integers(-(2**53), 2**53),
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(TEXT, inner | st.none(), max_size=3),
    max_leaves=8,
)
DATE = st.integers(0, 250_000_000_000_000).map(lambda ms: datetime(1, 1, 2, tzinfo=UTC) + timedelta(milliseconds=ms))
SAMPLE = st.fixed_dictionaries(
    {
        "word": st.sampled_from(["red", "green"]),
        "ratio": st.none() | NUMBER,
        "size": st.none() | st.integers(-(2**63), 2**63 - 1),
        "is_on": st.none() | st.booleans(),
        "seen_at": st.none() | DATE,
        "words": st.none() | st.lists(TEXT, max_size=4),
        "numbers": st.none() | st.lists(NUMBER, max_size=4),
        "anything": st.none() | JSON,
        "id": st.just("s"),
    }
)


async def through(store: Adapter, sample: dict[str, Any]) -> list[dict[str, Any] | None]:
    """Return the sample as it is found after it was written twice."""
    await store.create_schema(TABLES)
    await store.delete_many(SAMPLES, [])
    await store.create(SAMPLES, sample)
    found = await store.find_one(SAMPLES, [Where("id", "s")])
    return [found, await store.update(SAMPLES, [Where("id", "s")], found or {})]


@settings(max_examples=60, deadline=None)
@given(st.lists(SAMPLE, min_size=1, max_size=5))
def test_values_of_every_kind_come_back(samples: list[dict[str, Any]]) -> None:
    with start_blocking_portal() as portal:
        for store in (MemoryStore(), open_store("sqlite://")):
            for sample in samples:
                assert portal.call(through, store, sample) == [sample, sample]
            portal.call(store.close)
