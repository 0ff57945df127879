"""The Redis of this machine, with keys that no other test has."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NoConnectionError

from portico.store.redis import RedisStorage


@asynccontextmanager
async def redis_storage() -> AsyncGenerator[tuple[RedisStorage, Any, str]]:
    """Give a storage, its client and its key prefix; skip where there is no Redis, but never where CI is set."""
    prefix = f"portico-test:{uuid4().hex}:"
    client: Any = Redis(host="127.0.0.1")
    try:
        try:
            await client.ping()
        except NoConnectionError:
            if os.environ.get("CI"):
                raise
            pytest.skip("Redis NOT CHECKED: none runs on 127.0.0.1:6379")
        try:
            yield RedisStorage(client, prefix), client, prefix
        finally:
            async for key in client.scan_iter(f"{prefix}*"):
                await client.delete(key)
    finally:
        await client.aclose()
