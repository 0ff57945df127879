"""Work on an Auth's database from the command line: it has the tables, and is let go of when the work is done."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

from portico.auth import Auth
from portico.cli import tables
from portico.errors import ConfigError
from portico.store.memory import MemoryStore

ResultT = TypeVar("ResultT")


def run(auth: Auth[Any], target: str, work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Return what `work` on the database of the Auth at `target` returns.

    Raises:
        ConfigError: its rows are where no other process sees them, or the database lacks something.
    """
    # With spans, the store is inside another one.
    if isinstance(getattr(auth.store, "store", auth.store), MemoryStore):
        raise ConfigError(f"the rows of {target!r} live in the memory of the process that serves it: give it database=")

    async def whole() -> ResultT:
        try:
            await tables.check(auth, target)
            return await work()
        finally:
            await auth.close()

    return anyio.run(whole)
