"""What only SQLite promises: cancellation, several loops, threads and processes on one file."""

import asyncio  # noqa: TID251  # Task.cancel() goes through anyio's shields
import gc
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest

from portico.errors import StoreBusyError
from portico.store.adapter import Adapter, Where
from portico.store.connect import open_store
from portico.store.executors.sqlite import SqliteExecutor
from portico.store.sql.adapter import SqlAdapter
from portico.testing.adapter_rows import PEOPLE, TABLES, person
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-sqlite")]
P0 = [Where("id", "p0")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auth.db"


@asynccontextmanager
async def populated(path: Path, patience: float = 5) -> AsyncGenerator[Adapter, None]:
    store = SqlAdapter(SqliteExecutor(str(path), patience=patience))
    try:
        with anyio.fail_after(30):
            await store.create_schema(TABLES)
            await store.create(PEOPLE, person(0))
            yield store
    finally:
        await store.close()


async def fail_inside(store: Adapter, index: int) -> None:
    """Write in a transaction and in one inside it, and never come to their end."""
    async with store.transaction() as outer:
        await outer.update(PEOPLE, P0, {"name": "cancelled"})
        async with outer.transaction() as inner:
            await inner.create(PEOPLE, person(index))
            await anyio.lowlevel.checkpoint()
        await outer.find_one(PEOPLE, P0)
        raise LookupError


async def assert_untouched(store: Adapter) -> None:
    assert await store.find_many(PEOPLE) == [person(0)]
    assert await store.update(PEOPLE, P0, {"nickname": "alive"}) == person(0, nickname="alive")


@requirement("F02", "ARCH-transactions")
async def test_no_write_of_a_cancelled_transaction_survives(path: Path) -> None:
    outcomes: list[str] = []

    async def run(store: Adapter, index: int) -> None:
        with anyio.move_on_after(index % 17 * 0.0004) as scope:
            try:
                await fail_inside(store, index)
            except LookupError:
                outcomes.append("failed")
        if scope.cancelled_caught:
            outcomes.append("cancelled")

    async with populated(path) as store:
        for start in range(1, 300, 10):
            async with anyio.create_task_group() as tasks:
                for index in range(start, start + 10):
                    tasks.start_soon(run, store, index)
        await assert_untouched(store)
    assert set(outcomes) == {"failed", "cancelled"}
    assert len(outcomes) == 300


@requirement("F02", "ARCH-transactions")
def test_no_write_survives_when_asyncio_cancels_the_task_itself(path: Path) -> None:
    async def main() -> None:
        async with populated(path) as store:
            loop = asyncio.get_running_loop()
            for start in range(1, 300, 10):
                tasks = [loop.create_task(fail_inside(store, index)) for index in range(start, start + 10)]
                for index, task in enumerate(tasks, start):
                    # Twice, so that some are cancelled while they clean up.
                    loop.call_later(index % 17 * 0.0004, task.cancel)
                    loop.call_later(index % 17 * 0.0004 + 0.0002, task.cancel)
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                assert {type(error) for error in ended} <= {LookupError, asyncio.CancelledError}
            await assert_untouched(store)

    anyio.run(main)


async def test_a_task_that_waits_for_its_turn_can_be_cancelled(path: Path) -> None:
    async with populated(path) as store:
        async with store.transaction() as inside:
            await inside.update(PEOPLE, P0, {"name": "first"})
            with anyio.move_on_after(0.01) as scope:
                await fail_inside(store, 1)
            with anyio.move_on_after(0.01) as single:
                await store.update(PEOPLE, P0, {"name": "second"})
        assert scope.cancelled_caught
        assert single.cancelled_caught
        assert await store.find_many(PEOPLE) == [person(0, name="first")]


async def test_a_coroutine_that_is_thrown_away_ends_its_transaction(path: Path) -> None:
    async with populated(path) as store:
        transaction = store.transaction()
        inside = await transaction.__aenter__()
        await inside.update(PEOPLE, P0, {"name": "abandoned"})
        # As the interpreter does with a coroutine that nobody will resume.
        assert not await transaction.__aexit__(GeneratorExit, GeneratorExit(), None)
        await assert_untouched(store)


async def test_reading_does_not_wait_for_writing(path: Path) -> None:
    async with populated(path) as store:
        async with store.transaction() as inside:
            await inside.update(PEOPLE, P0, {"name": "new"})
            assert await store.find_one(PEOPLE, P0) == person(0)
            assert await inside.find_one(PEOPLE, P0) == person(0, name="new")
        assert await store.find_one(PEOPLE, P0) == person(0, name="new")


async def test_a_read_sees_the_last_committed_write(path: Path) -> None:
    async with populated(path) as store, populated_again(path) as other:
        for visits in range(100):
            await (store if visits % 2 else other).update(PEOPLE, P0, {"visits": visits})
            assert await store.find_one(PEOPLE, P0) == person(0, visits=visits)
            assert await other.find_one(PEOPLE, P0) == person(0, visits=visits)
            assert await other.count(PEOPLE, [Where("visits", visits)]) == 1


@asynccontextmanager
async def populated_again(path: Path) -> AsyncGenerator[Adapter, None]:
    store = open_store(f"sqlite:///{path}")
    try:
        yield store
    finally:
        await store.close()


async def test_a_lock_that_another_process_keeps_is_not_waited_for_for_ever(path: Path) -> None:
    async with populated(path, patience=0.1) as store:
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError):
            await store.update(PEOPLE, P0, {"name": "new"})
        with pytest.raises(StoreBusyError):
            await fail_inside(store, 1)
        assert await store.find_one(PEOPLE, P0) == person(0)
        blocker.execute("ROLLBACK")
        blocker.close()
        await assert_untouched(store)


async def test_a_transaction_that_waits_for_its_own_store_is_rolled_back(path: Path) -> None:
    async def wait_for_itself(store: Adapter) -> None:
        async with store.transaction() as inside:
            await inside.create(PEOPLE, person(1))
            await store.update(PEOPLE, P0, {"nickname": "outside"})
            await inside.create(PEOPLE, person(2))

    async with populated(path, patience=0.1) as store:
        with pytest.raises(StoreBusyError, match="use only the store"):
            await wait_for_itself(store)
        assert await store.find_many(PEOPLE) == [person(0, nickname="outside")]


def test_nothing_is_opened_before_the_first_use(path: Path) -> None:
    before = writers()
    open_store(f"sqlite:///{path}")
    assert not path.exists()
    assert writers() == before


async def test_closing_ends_the_thread_and_empties_the_log(path: Path) -> None:
    before = writers()
    async with populated(path) as store:
        (thread,) = writers() - before
        await store.find_one(PEOPLE, P0)
    thread.join(5)
    assert not thread.is_alive()
    assert [each.name for each in path.parent.iterdir()] == ["auth.db"]


def test_a_store_outlives_the_loop_that_asked_last(path: Path) -> None:
    prepare(path, people=1)
    store = open_store(f"sqlite:///{path}")
    blocker = sqlite3.connect(path, isolation_level=None)

    async def give_up() -> None:
        await store.find_one(PEOPLE, P0)
        blocker.execute("BEGIN IMMEDIATE")
        with anyio.move_on_after(0.05):
            await store.update(PEOPLE, P0, {"name": "late"})

    async def come_back() -> None:
        blocker.execute("ROLLBACK")
        assert await store.update(PEOPLE, P0, {"name": "new"}) == person(0, name="new")
        await store.close()

    for backends in (("asyncio", "trio"), ("trio", "asyncio")):
        for function, backend in zip((give_up, come_back), backends, strict=True):
            anyio.run(function, backend=backend)
    blocker.close()


async def test_a_closed_store_opens_again(path: Path) -> None:
    async with populated(path) as store:
        await store.close()
        assert await store.find_one(PEOPLE, P0) == person(0)
        await store.close()
        await store.close()


def test_a_store_that_nobody_holds_ends_its_thread(path: Path) -> None:
    async def main() -> threading.Thread:
        before = writers()
        store = open_store(f"sqlite:///{path}")
        await store.create_schema(TABLES)
        await store.find_one(PEOPLE, P0)
        (thread,) = writers() - before
        return thread

    thread = anyio.run(main)
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()


def writers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "portico-sqlite"}


@requirement("ARCH-run")
@pytest.mark.parametrize("in_memory", [False, True])
def test_loops_in_several_threads_share_a_store(path: Path, in_memory: bool) -> None:
    store = open_store("sqlite://" if in_memory else f"sqlite:///{path}")

    async def prepare() -> None:
        await store.create_schema(TABLES)
        await store.create(PEOPLE, person(0))

    async def visit() -> None:
        for _ in range(20):
            async with store.transaction() as inside:
                await inside.increment_one(PEOPLE, P0, {"visits": 1})
            assert await store.find_one(PEOPLE, P0)
            await store.increment_one(PEOPLE, P0, {"visits": 1})

    async def finish() -> None:
        assert await store.find_one(PEOPLE, P0) == person(0, visits=160)
        await store.close()

    anyio.run(prepare)
    threads = [
        threading.Thread(target=partial(anyio.run, visit, backend=backend)) for backend in ("asyncio", "trio") * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    anyio.run(finish, backend="trio")


# Several processes


class Process:
    """The program `writing.py`, which waits for `start`."""

    def __init__(self, path: Path, *job: object) -> None:
        program = Path(__file__).with_name("writing.py")
        self.running = subprocess.Popen(
            # Forking a process with threads is what one of the tests is about.
            [sys.executable, "-W", "ignore::DeprecationWarning", program, path, *map(str, job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.read() == "ready"

    def read(self) -> str:
        assert self.running.stdout
        return self.running.stdout.readline().strip()

    def start(self) -> None:
        assert self.running.stdin
        self.running.stdin.write("go\n")
        self.running.stdin.flush()

    def finish(self) -> list[str]:
        try:
            said, complaints = self.running.communicate(timeout=30)
        finally:
            self.running.kill()
        assert complaints == ""
        return said.split("\n")[:-1]


def prepare(path: Path, people: int = 0) -> None:
    async def main() -> None:
        store = open_store(f"sqlite:///{path}")
        await store.create_schema(TABLES)
        for index in range(people):
            await store.create(PEOPLE, person(index))
        await store.close()

    anyio.run(main)


def stored(path: Path, sql: str) -> list[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute(sql).fetchall()
    connection.close()
    return sorted(row[0] for row in rows)


@requirement("F05")
def test_two_processes_with_32_writers_each_lock_nobody_out(path: Path) -> None:
    prepare(path)
    processes = [Process(path, "write", first, 32, 5) for first in (0, 1000)]
    for process in processes:
        process.start()
    said = [name for process in processes for name in process.finish()]
    assert len(said) == 320
    assert stored(path, "SELECT id FROM person") == sorted(said)
    assert len(stored(path, "SELECT id FROM ticket")) == 320


@requirement("F05")
def test_of_two_processes_one_consumes_a_row(path: Path) -> None:
    prepare(path, people=50)
    processes = [Process(path, "consume", 50) for _ in range(2)]
    for process in processes:
        process.start()
    said = [name for process in processes for name in process.finish()]
    assert sorted(said) == sorted(f"p{index}" for index in range(50))
    assert stored(path, "SELECT id FROM person") == []


@requirement("F01")
def test_what_was_acknowledged_survives_the_end_of_the_process(path: Path) -> None:
    prepare(path)
    acknowledged: list[str] = []
    for first in (0, 100_000, 200_000):
        process = Process(path, "write", first, 8, 10_000)
        process.start()
        acknowledged += [process.read() for _ in range(40)]
        process.running.kill()
        acknowledged += process.finish()
    assert stored(path, "PRAGMA integrity_check") == ["ok"]
    people = stored(path, "SELECT id FROM person")
    assert set(acknowledged) <= set(people)
    assert stored(path, 'SELECT "holderId" FROM ticket') == people


def test_a_forked_process_opens_its_own_connections(path: Path) -> None:
    prepare(path)
    process = Process(path, "fork")
    process.start()
    assert sorted(process.finish()) == ["p0", "p1", "p2"]
    assert stored(path, "PRAGMA integrity_check") == ["ok"]
    assert stored(path, "SELECT id FROM person") == ["p0", "p1", "p2"]
