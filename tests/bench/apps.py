"""The applications that are served, each on the database whose URL the environment names.

Limits are counted as in production and never reached.
"""

import os
from collections.abc import Sequence
from typing import Any

from bench.elsewhere import ten_plugins
from portico import (
    AnyApi,
    Auth,
    CookieCacheOptions,
    EmailAndPassword,
    Plugin,
    RateLimit,
    RateLimitOptions,
    SessionOptions,
)
from portico.hosts import asgi
from portico.plugins.jwt import Jwt
from portico.published import PublishedApi

ORIGIN = "http://localhost:3000"
SECRET = "benchmark-secret-0123456789-abcdefghij-XYZ"
DATABASE = "BENCH_DATABASE"
PREFIX = "BENCH_PREFIX"
BASE_PATH = "/api/auth"
OFTEN = 10**9

# Longer than the benchmark: each answer must come from the copy.
COPIES = CookieCacheOptions(enabled=True, max_age=3600)

UNLIMITED = RateLimitOptions(
    enabled=True,
    max=OFTEN,
    custom_rules={path: RateLimit(window=10, max=OFTEN) for path in ("/sign-up/email", "/sign-in/email")},
)


def make(
    database: Any,
    *,
    cache: CookieCacheOptions | None = None,
    plugins: Sequence[Plugin[Any, Any]] = (),
    **options: Any,
) -> Auth[AnyApi]:
    """Return an Auth on `database`, which is anything that an Auth takes."""
    return Auth(
        secret=SECRET,
        base_url=ORIGIN,
        database=database,
        email_and_password=EmailAndPassword(enabled=True),
        session=SessionOptions(cookie_cache=cache or CookieCacheOptions()),
        rate_limit=UNLIMITED,
        plugins=plugins,
        **options,
    )


def every_plugin() -> list[Plugin[Any, Any]]:
    """Return all plugins of this package, and none that signs something at each call."""
    published: list[Plugin[Any, Any]] = [value for value in vars(PublishedApi).values() if isinstance(value, Plugin)]
    return [Jwt(disable_setting_jwt_header=True) if isinstance(each, Jwt) else each for each in published]


async def create_schema(database: str) -> None:
    """Make the tables of all of these applications."""
    auth = make(database, plugins=every_plugin())
    await auth.create_schema()
    await auth.close()


def plain() -> asgi.ASGIApp:
    """Return the application that reads each session from the database."""
    return asgi.app(make(os.environ[DATABASE]))


def cached() -> asgi.ASGIApp:
    """Return the one that reads sessions from the compact copy in the cookie."""
    return asgi.app(make(os.environ[DATABASE], cache=COPIES))


def crowded() -> asgi.ASGIApp:
    """Return the one that has ten more plugins, which are concerned with other paths."""
    return asgi.app(make(os.environ[DATABASE], plugins=ten_plugins()))


def full() -> asgi.ASGIApp:
    """Return the one that has every plugin, and sends no token with a session."""
    return asgi.app(make(os.environ[DATABASE], plugins=every_plugin()))


def full_cached() -> asgi.ASGIApp:
    """Return the same with copies in the cookie."""
    return asgi.app(make(os.environ[DATABASE], cache=COPIES, plugins=every_plugin()))


def silent() -> asgi.ASGIApp:
    """Return the one that signs tokens when it is asked to, and sends none with a session."""
    return asgi.app(make(os.environ[DATABASE], plugins=[Jwt(disable_setting_jwt_header=True)]))


def signing() -> asgi.ASGIApp:
    """Return the one that sends a token with each session."""
    return asgi.app(make(os.environ[DATABASE], plugins=[Jwt()]))


def on_engine() -> asgi.ASGIApp:
    """Return the one whose connections are those of a SQLAlchemy engine."""
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # the others do not need it

    url = os.environ[DATABASE].replace("postgresql:", "postgresql+asyncpg:", 1)
    # As many connections as ours; beyond its own five, an engine opens and closes one for each lease.
    return asgi.app(make(create_async_engine(url, pool_size=10, max_overflow=0)))


def on_databases() -> asgi.ASGIApp:
    """Return the one whose connections are those of a databases.Database."""
    from databases import Database  # noqa: PLC0415

    return asgi.app(make(Database(os.environ[DATABASE])))


def on_redis() -> asgi.ASGIApp:
    """Return the one whose sessions are in Redis."""
    from redis.asyncio import Redis  # noqa: PLC0415

    from portico.store.redis import RedisStorage  # noqa: PLC0415

    client: Any = Redis(host="127.0.0.1")
    storage = RedisStorage(client, os.environ[PREFIX])
    return asgi.app(make(os.environ[DATABASE], secondary_storage=storage))
