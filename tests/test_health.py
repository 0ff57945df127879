"""What a readiness probe is told."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from app import plain
from portico import MemorySecondaryStorage, MemoryStore, RedisStorage
from portico.health import Health
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-health")]

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture
def silent() -> Iterator[int]:
    """Give the port of a server that takes connections and says nothing."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """Return a port where nobody is."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def test_all_is_well(tmp_path: Path) -> None:
    auth = plain(database=f"sqlite:///{tmp_path}/auth.db", secondary_storage=MemorySecondaryStorage())
    await auth.create_schema()
    health = await auth.health()
    assert health.ok
    assert health.database.problem is None
    assert health.secondary_storage is not None
    assert health.secondary_storage.ok
    assert 0 <= health.database.seconds < 5
    told = health.to_wire()
    assert list(told) == ["ok", "database", "secondaryStorage"]
    await auth.close()


async def test_a_database_without_its_tables_is_not_well(tmp_path: Path) -> None:
    auth = plain(database=f"sqlite:///{tmp_path}/auth.db")
    health = await auth.health()
    assert (health.ok, health.database.ok, health.secondary_storage) == (False, False, None)
    assert "no such table" in str(health.database.problem)
    await auth.create_schema()
    assert (await auth.health()).ok
    await auth.close()


@on_asyncio
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_a_server_that_is_gone_is_told_of_without_its_password(scheme: str, closed: int) -> None:
    auth = plain(database=f"{scheme}://somebody:sesame@127.0.0.1:{closed}/auth")
    health = await auth.health()
    assert not health.ok
    assert "not available" in str(health.database.problem)
    assert "sesame" not in str(health.to_wire())
    await auth.close()


@on_asyncio
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_a_server_that_is_silent_is_not_waited_for(scheme: str, silent: int) -> None:
    auth = plain(database=f"{scheme}://somebody:sesame@127.0.0.1:{silent}/auth")
    started = monotonic()
    with anyio.fail_after(5):
        health = await auth.health(patience=0.2)
    assert (health.ok, health.database.problem) == (False, "no answer within 0.2 seconds")
    assert monotonic() - started < 3
    await auth.close()


@on_asyncio
async def test_a_redis_that_is_gone_is_told_of_beside_a_database_that_is_well(closed: int) -> None:
    async with Redis(host="127.0.0.1", port=closed) as client:
        storage = RedisStorage(client, timeout=0.5)
        health = await plain(database=MemoryStore(), secondary_storage=storage).health()
    assert (health.ok, health.database.ok) == (False, True)
    assert health.secondary_storage is not None
    assert "Redis is not available" in str(health.secondary_storage.problem)


class Broken(MemorySecondaryStorage):
    async def get(self, key: str) -> str | None:
        raise LookupError("redis://user:sesame@host is broken")


async def test_of_a_foreign_failure_only_its_kind_is_told() -> None:
    health = await plain(database=MemoryStore(), secondary_storage=Broken()).health()
    assert health.secondary_storage is not None
    assert (health.ok, health.secondary_storage.problem) == (False, "LookupError")


async def test_a_stateless_auth_is_well() -> None:
    health: Any = await plain(database=None).health()
    assert isinstance(health, Health)
    assert health.ok
