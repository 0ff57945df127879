"""Ways to say where rows live, and a probe; the pages beside this file and the one about operations show them."""

from typing import Any

import portico
from databases import Database
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from portico import Auth, RedisStorage, SessionOptions
from portico.endpoints.sign_up import SignUpEmail
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def on_sqlite() -> Auth[Any]:
    """Return an Auth on a file."""
    auth = Auth(database="sqlite:///auth.db")
    return auth


def on_postgresql() -> Auth[Any]:
    """Return an Auth on a pool of asyncpg."""
    auth = Auth(database="postgresql://app:password@localhost/app?pool_size=10&pool_timeout=5")
    return auth


def behind_pgbouncer() -> Auth[Any]:
    """Return an Auth whose connections are for one transaction each."""
    auth = Auth(database="postgresql://app:password@localhost:6432/app?statement_cache_size=0")
    return auth


def on_mysql() -> Auth[Any]:
    """Return an Auth on a pool of asyncmy."""
    auth = Auth(database="mysql://app:password@localhost/app?pool_size=10")
    return auth


def on_engine() -> Auth[Any]:
    """Return an Auth on an engine of the application."""
    engine = create_async_engine("postgresql+asyncpg://app:password@localhost/app", pool_size=10, max_overflow=0)
    auth = Auth(database=engine)
    return auth


async def joining(auth: Auth[portico.AnyApi], engine: AsyncEngine, body: SignUpEmail) -> None:
    """Sign somebody up within a transaction of the application."""
    async with engine.begin() as connection:
        await auth.api.sign_up_email(auth.context(None, connection=connection), body)


def on_databases() -> Auth[Any]:
    """Return an Auth on a Database of the application."""
    database = Database("postgresql://app:password@localhost/app")
    auth = Auth(database=database)
    return auth


def in_redis() -> Auth[Any]:
    """Return an Auth with sessions in Redis and in the database."""
    auth = Auth(
        database="postgresql://app:password@localhost/app",
        secondary_storage=RedisStorage(Redis(host="localhost"), key_prefix="better-auth:"),
        session=SessionOptions(store_session_in_database=True),
    )
    return auth


def stateless() -> Auth[Any]:
    """Return an Auth whose sessions live in their browsers."""
    auth = Auth(database=None)
    return auth


def probed(app: FastAPI, auth: Auth[Any]) -> None:
    """Tell an orchestrator whether this process can serve."""

    @app.get("/ready")
    async def ready() -> JSONResponse:
        health = await auth.health(patience=2)
        return JSONResponse(health.to_wire(), 200 if health.ok else 503)
