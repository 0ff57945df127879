"""Many tasks at once that are the first to use a database share one pool."""

from pathlib import Path

import anyio
import pytest

from faults.pools import POOLS, SIZE, pool_of
from portico.store.connect import open_store
from portico.testing.adapter_rows import PEOPLE, TABLES, person
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("S-153")]


@pytest.mark.parametrize("kind", POOLS)
async def test_tasks_that_come_first_together_open_one_pool(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with pool_of(kind, request, tmp_path / "auth.db") as pool:
        prepared, store = open_store(pool.database), open_store(pool.database)
        await prepared.create_schema(TABLES)
        await prepared.close()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for index in range(4 * SIZE):
                    group.start_soon(store.create, PEOPLE, person(index))
        assert await store.count(PEOPLE) == 4 * SIZE
        await pool.becomes_idle()
        await store.close()
