"""The applications that are served, each on the SQLite file that the environment names.

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

ORIGIN = "http://localhost:3000"
SECRET = "benchmark-secret-0123456789-abcdefghij-XYZ"
DATABASE = "BENCH_DATABASE"
BASE_PATH = "/api/auth"
OFTEN = 10**9

UNLIMITED = RateLimitOptions(
    enabled=True,
    max=OFTEN,
    custom_rules={path: RateLimit(window=10, max=OFTEN) for path in ("/sign-up/email", "/sign-in/email")},
)


def make(
    database: str, *, cache: CookieCacheOptions | None = None, plugins: Sequence[Plugin[Any, Any]] = ()
) -> Auth[AnyApi]:
    """Return an Auth on the SQLite file `database`."""
    return Auth(
        secret=SECRET,
        base_url=ORIGIN,
        database=f"sqlite:///{database}",
        email_and_password=EmailAndPassword(enabled=True),
        session=SessionOptions(cookie_cache=cache or CookieCacheOptions()),
        rate_limit=UNLIMITED,
        plugins=plugins,
    )


async def create_schema(database: str) -> None:
    """Make the file with its tables, which are the same for all of these applications."""
    auth = make(database)
    await auth.create_schema()
    await auth.close()


def plain() -> asgi.ASGIApp:
    """Return the application that reads each session from SQLite."""
    return asgi.app(make(os.environ[DATABASE]))


def cached() -> asgi.ASGIApp:
    """Return the one that reads sessions from the compact copy in the cookie."""
    # Longer than the benchmark: each answer must come from the copy.
    return asgi.app(make(os.environ[DATABASE], cache=CookieCacheOptions(enabled=True, max_age=3600)))


def crowded() -> asgi.ASGIApp:
    """Return the one that has ten more plugins, which are concerned with other paths."""
    return asgi.app(make(os.environ[DATABASE], plugins=ten_plugins()))
