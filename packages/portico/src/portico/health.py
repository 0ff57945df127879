"""Whether an Auth can serve: its database and its secondary storage, asked now."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from anyio import create_task_group, move_on_after

from portico.errors import PorticoError
from portico.store.adapter import Where
from portico.wire import Wire

if TYPE_CHECKING:
    from portico.auth import Auth

KEY = "health"
"""Asked of the secondary storage, and never written."""


class Reached(Wire):
    """One thing that an Auth needs."""

    ok: bool
    seconds: float
    """How long the answer took, or until there was none."""
    problem: str | None = None
    """What is wrong, for developers: it names a failure, never an address or a password."""


class Health(Wire):
    """What `auth.health()` found; `to_wire()` gives it as JSON for a monitor."""

    ok: bool
    """Whether everything that is needed answers."""
    database: Reached
    """Its answer also means that the table of users is there."""
    secondary_storage: Reached | None = None
    """None where there is none."""


async def examined(auth: "Auth[Any]", patience: float) -> Health:
    """Ask everything at once and return within `patience` seconds, whatever is wrong."""
    found: dict[str, Reached] = {}

    async def ask(name: str, question: Callable[[], Awaitable[object]]) -> None:
        found[name] = await _reached(question, patience)

    async def look_up() -> object:
        return await auth.store.find_one(auth.tables["user"], [Where("email", "")])

    async with create_task_group() as tasks:
        tasks.start_soon(ask, "database", look_up)
        if auth.secondary is not None:
            storage = auth.secondary
            tasks.start_soon(ask, "secondary_storage", lambda: storage.get(KEY))
    return Health(
        ok=all(each.ok for each in found.values()),
        database=found["database"],
        secondary_storage=found.get("secondary_storage"),
    )


async def _reached(question: Callable[[], Awaitable[object]], patience: float) -> Reached:
    started = perf_counter()
    problem: str | None = f"no answer within {patience:g} seconds"
    with move_on_after(patience):
        try:
            await question()
        except PorticoError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001  # whatever a store of the application raises is its problem
            problem = type(error).__name__
        else:
            problem = None
    return Reached(ok=problem is None, seconds=round(perf_counter() - started, 6), problem=problem)
