"""The tables of an Auth's database, from the command line: each call lets go of the database when it is done."""

from collections.abc import Sequence
from typing import Any

from portico.auth import Auth
from portico.errors import ConfigError
from portico.store.ddl.plan import Plan


async def plan(auth: Auth[Any]) -> Plan:
    """Return what the database lacks and what stands in the way."""
    try:
        return await auth.plan_schema()
    finally:
        await auth.close()


async def create(auth: Auth[Any]) -> Sequence[str]:
    """Create what the database lacks and return its names."""
    try:
        return await auth.create_schema()
    finally:
        await auth.close()


async def check(auth: Auth[Any], target: str) -> None:
    """Raise ConfigError with the command to run when the database of the Auth at `target` lacks something."""
    try:
        lacking = await auth.store.missing(auth.database_tables)
    finally:
        await auth.close()
    if lacking:
        raise ConfigError(f"the database lacks {', '.join(lacking)}: run `portico migrate {target}`")
