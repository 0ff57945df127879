"""The versions of what an Auth runs on."""

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from portico.auth import Auth
from portico.errors import ConfigError, StoreBusyError
from portico.store.sql.adapter import SqlAdapter

DRIVERS = ("sqlalchemy", "aiosqlite", "asyncmy", "asyncpg", "databases", "redis")


def installed() -> dict[str, str]:
    """Return the versions of those drivers that are installed."""
    found: dict[str, str] = {}
    for name in DRIVERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def runtime() -> dict[str, str]:
    """Return the versions of Portico, of Python, and of the system."""
    return {"portico": version("portico"), "python": platform.python_version(), "platform": platform.platform()}


async def database_server(auth: Auth[Any]) -> dict[str, str | None]:
    """Return what kind of database an Auth has and what its server says of its version, or why it does not."""
    # With spans, the store is inside another one.
    store = getattr(auth.store, "store", auth.store)
    if not isinstance(store, SqlAdapter):
        return {"kind": type(store).__name__, "version": None}
    kind = store.executor.dialect.name
    if kind == "sqlite":
        # Asking would make the file.
        return {"kind": kind, "version": sqlite3.sqlite_version}
    try:
        rows = await store.executor.fetch("SELECT version()")
    except (ConfigError, StoreBusyError) as error:
        return {"kind": kind, "version": None, "problem": str(error)}
    finally:
        await auth.close()
    return {"kind": kind, "version": str(rows[0][0])}
