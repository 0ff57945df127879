"""One suite for every secondary storage; the Redis of redis-py runs on asyncio only."""

import logging
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

import anyio
import pytest
from redis.asyncio import Redis

from app import plain
from portico import ConfigError, MemorySecondaryStorage, RedisStorage, SecondaryStorage, StoreBusyError
from portico.store.secondary import EmulatedStorage, secondary_of
from portico.testing import Clock
from requirements import requirement
from store.redis_server import redis_storage

pytestmark = [pytest.mark.anyio, requirement("S-157")]


class ThreeMethods:
    """A storage as plain as it may be, which yields between any two steps."""

    def __init__(self, clock: Clock) -> None:
        self._inside = MemorySecondaryStorage(clock)

    async def get(self, key: str) -> str | None:
        await anyio.lowlevel.checkpoint()
        return await self._inside.get(key)

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        await anyio.lowlevel.checkpoint()
        await self._inside.set(key, value, ttl)

    async def delete(self, key: str) -> None:
        await anyio.lowlevel.checkpoint()
        await self._inside.delete(key)


Wait = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def opened(kind: str) -> AsyncGenerator[tuple[SecondaryStorage, Wait]]:
    """Give a storage and what lets its time pass."""
    clock = Clock()

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    if kind == "memory":
        yield MemorySecondaryStorage(clock), advance
    elif kind == "emulated":
        yield EmulatedStorage(ThreeMethods(clock), clock), advance
    else:
        async with redis_storage() as (storage, client, prefix):

            async def shorten(seconds: float) -> None:
                # Redis has a clock of its own: what has an end comes nearer to it.
                async for key in client.scan_iter(f"{prefix}*"):
                    left = await client.pttl(key)
                    if left >= 0:
                        await client.pexpire(key, max(0, left - int(seconds * 1000)))

            yield storage, shorten


RUNS = [("memory", "asyncio"), ("memory", "trio"), ("emulated", "asyncio"), ("emulated", "trio"), ("redis", "asyncio")]
every_storage = pytest.mark.parametrize(("kind", "anyio_backend"), RUNS)


@every_storage
async def test_a_value_is_kept_replaced_and_forgotten(kind: str) -> None:
    async with opened(kind) as (storage, _):
        assert await storage.get("a") is None
        await storage.set("a", 'é "1"')
        assert await storage.get("a") == 'é "1"'
        await storage.set("a", "2", 60)
        assert await storage.get("a") == "2"
        await storage.delete("a")
        await storage.delete("a")
        assert await storage.get("a") is None


@every_storage
async def test_a_value_goes_when_its_time_is_over_and_replacing_it_starts_anew(kind: str) -> None:
    async with opened(kind) as (storage, wait):
        await storage.set("short", "1", 10)
        await storage.set("renewed", "1", 10)
        await storage.set("lasting", "1")
        await wait(6)
        await storage.set("renewed", "2", 10)
        await wait(5)
        assert [await storage.get(key) for key in ("short", "renewed", "lasting")] == [None, "2", "1"]
        assert await storage.get_and_delete("short") is None


@every_storage
async def test_of_many_callers_one_takes_a_value(kind: str) -> None:
    taken: list[str | None] = []
    async with opened(kind) as (storage, _):
        await storage.set("once", "value", 60)

        async def take() -> None:
            taken.append(await storage.get_and_delete("once"))

        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                for _ in range(30):
                    group.start_soon(take)
    assert Counter(taken) == {"value": 1, None: 29}


@every_storage
async def test_every_increment_counts_and_the_first_one_sets_the_end(kind: str) -> None:
    counted: list[int] = []
    async with opened(kind) as (storage, wait):

        async def count() -> None:
            counted.append(await storage.increment("n", 10))

        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                for _ in range(30):
                    group.start_soon(count)
        assert sorted(counted) == list(range(1, 31))
        await wait(6)
        assert await storage.increment("n", 10) == 31
        await wait(5)
        assert await storage.increment("n", 10) == 1


async def test_three_methods_are_accepted_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    auth = plain(secondary_storage=ThreeMethods(Clock()))
    assert isinstance(auth.secondary, EmulatedStorage)
    assert [record.getMessage() for record in caplog.records] == [
        "ThreeMethods has no get_and_delete and no increment: they are emulated under a lock of this process, "
        "and limits are exact only in one process"
    ]


async def test_a_whole_storage_is_used_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    storage = MemorySecondaryStorage()
    assert plain(secondary_storage=storage).secondary is storage
    await storage.set("a", "1", 60)
    assert await storage.get("a") == "1"
    assert caplog.records == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (MemorySecondaryStorage, "got the class MemorySecondaryStorage"),
        ("redis://127.0.0.1", "got a str without get, set, delete"),
        ({}, "got a dict without set, delete"),
    ],
)
@requirement("CONF-secondary")
async def test_what_is_no_storage_is_a_mistake(given: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        secondary_of(given, Clock(), logging.getLogger("portico"))


async def test_memory_forgets_what_has_expired_when_it_fills() -> None:
    clock = Clock()
    storage = MemorySecondaryStorage(clock)
    for number in range(2000):
        await storage.set(f"old{number}", "1", 10)
    assert storage.ttl("old0") == 10
    clock.advance(11)
    await storage.set("new", "1", 10)
    assert (storage.list_keys(), storage.ttl("old0")) == (["new"], None)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_keys_in_redis_have_upstreams_prefix_and_an_end() -> None:
    async with redis_storage() as (_, client, prefix):
        assert vars(RedisStorage(client))["_prefix"] == "better-auth:"
        storage = RedisStorage(client, prefix)
        await storage.increment("n", 10)
        await storage.set("s", "1", 20)
        assert [await client.get(f"{prefix}{key}") for key in "ns"] == [b"1", b"1"]
        assert [await client.ttl(f"{prefix}{key}") for key in "ns"] == [10, 20]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_tasks_that_leave_while_others_wait_for_redis_take_nothing_with_them() -> None:
    async with redis_storage() as (storage, client, prefix):
        for steps in range(12):
            await client.delete(f"{prefix}n")
            counts: list[int] = []

            async def stay(counts: list[int] = counts) -> None:
                counts.append(await storage.increment("n", 60))

            with anyio.fail_after(10):
                async with anyio.create_task_group() as staying, anyio.create_task_group() as leaving:
                    for number in range(10):
                        # The first one sends for all who come while its own message is under way.
                        (leaving if number % 3 == 1 else staying).start_soon(stay)
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    leaving.cancel_scope.cancel()
            assert len(counts) >= 7
            assert len(set(counts)) == len(counts)
            assert int(await client.get(f"{prefix}n")) == await storage.increment("n", 60) - 1 >= max(counts)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_client_may_decode_its_replies() -> None:
    async with redis_storage() as (_, _, prefix), Redis(host="127.0.0.1", decode_responses=True) as client:
        storage = RedisStorage(client, prefix)
        await storage.set("a", "1", 60)
        assert (await storage.get("a"), await storage.get_and_delete("a")) == ("1", "1")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_redis_that_is_gone_or_silent_is_an_error() -> None:
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        async with Redis(host="127.0.0.1", port=port) as client:
            with pytest.raises(StoreBusyError, match="ConnectionError"):
                await RedisStorage(client).get("a")
        silent.listen()
        async with Redis(host="127.0.0.1", port=port) as client:
            storage = RedisStorage(client, timeout=0.05)
            with anyio.fail_after(5), pytest.raises(StoreBusyError, match="TimeoutError"):
                await storage.increment("a", 10)
