"""Database hooks: functions round the writing of rows, by table and event.

A before hook runs inside the transaction of its write, if there is one: it may change the values, refuse with an
ApiError of its own, or with False, which ends the call. An after hook runs when the write is committed, and not at all
if it never is.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, cast

from portico.errors import FAILED_TO_CREATE_SESSION, FAILED_TO_CREATE_USER, ApiError, ConfigError, ErrorCode

Event = Literal["create", "update", "delete"]
Stage = Literal["before", "after"]
VETOED = ErrorCode(400, None, "The application does not allow this")
NOT_CREATED: Mapping[str, ErrorCode] = {
    "user": replace(FAILED_TO_CREATE_USER, status=400),
    "account": replace(FAILED_TO_CREATE_USER, status=400),
    "session": FAILED_TO_CREATE_SESSION,
}
"""How a call is refused whose row a hook does not want. Upstream goes on where an account is not wanted, with a user
who cannot sign in."""
HookT = TypeVar("HookT", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, kw_only=True)
class DatabaseHook:
    """A function to run round one event on one table."""

    table: str
    event: Event
    stage: Stage
    run: Callable[..., Awaitable[Any]]
    source: str = "user"
    """Whose it is: the application's, or `plugin:` and an id."""

    def bound(self, run: Callable[..., Awaitable[Any]], source: str) -> "DatabaseHook":
        """Return the same hook with the method of a bound plugin in place of the plain function."""
        return replace(self, run=run, source=source)


def before_create(table: str) -> Callable[[HookT], HookT]:
    """Run `hook(ctx, values)` before a row is added.

    It returns the values that it changes, by Python name; None to keep all; or False, and nothing is added.
    """
    return _declare(table, "create", "before")


def after_create(table: str) -> Callable[[HookT], HookT]:
    """Run `hook(ctx, row)` when a new row is committed."""
    return _declare(table, "create", "after")


def before_update(table: str) -> Callable[[HookT], HookT]:
    """Run `hook(ctx, values)` before a row is changed.

    It returns the values that it changes, by Python name; None to keep all; or False, and nothing is changed.
    """
    return _declare(table, "update", "before")


def after_update(table: str) -> Callable[[HookT], HookT]:
    """Run `hook(ctx, row)` when a change is committed."""
    return _declare(table, "update", "after")


def before_delete(table: str) -> Callable[[HookT], HookT]:
    """Run `hook(ctx, row)` before a row is deleted; if it returns False, the row stays."""
    return _declare(table, "delete", "before")


def after_delete(table: str) -> Callable[[HookT], HookT]:
    """Run `hook(ctx, row)` when the end of a row is committed."""
    return _declare(table, "delete", "after")


def database_hook_of(function: object) -> DatabaseHook | None:
    """Return what one of the decorators declared on a function."""
    declared = getattr(function, "__database_hook__", None)
    return declared if isinstance(declared, DatabaseHook) else None


def require_async(hook: Callable[..., Any]) -> None:
    """Refuse a hook that cannot be awaited: without this, the first call that it is for would fail."""
    if inspect.isfunction(hook) and not inspect.iscoroutinefunction(inspect.unwrap(hook)):
        raise ConfigError(f"the hook {hook.__qualname__} is no coroutine function: write `async def`")


class DatabaseHooks:
    """The hooks of one table, in the order in which they run."""

    def __init__(self, table: str, hooks: Iterable[DatabaseHook]) -> None:
        self._table = table
        self._by_event: Mapping[tuple[Event, Stage], Sequence[DatabaseHook]] = _grouped(
            hook for hook in hooks if hook.table == table
        )

    def has(self, event: Event) -> bool:
        return (event, "before") in self._by_event or (event, "after") in self._by_event

    async def change(self, event: Event, ctx: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values as the last before hook left them.

        Raises:
            ApiError: a hook answered with False.
        """
        for hook in self._by_event.get((event, "before"), ()):
            changed = await hook.run(ctx, dict(values))
            if changed is False:
                raise ApiError(NOT_CREATED.get(self._table, VETOED) if event == "create" else VETOED)
            if changed is not None:
                values = {**values, **cast("Mapping[str, Any]", changed)}
        return values

    async def announce(self, ctx: Any, row: Any) -> None:
        """Run the before hooks of a delete, which see the row and change nothing.

        Raises:
            ApiError: a hook answered with False.
        """
        for hook in self._by_event.get(("delete", "before"), ()):
            if await hook.run(ctx, row) is False:
                raise ApiError(VETOED)

    async def tell(self, event: Event, ctx: Any, row: Any) -> None:
        """Run the after hooks now, or when the transaction of `ctx` is committed."""
        hooks = self._by_event.get((event, "after"), ())
        if not hooks:
            return

        async def run() -> None:
            for hook in hooks:
                await hook.run(ctx, row)

        await ctx.after_commit(run)


def _grouped(hooks: Iterable[DatabaseHook]) -> Mapping[tuple[Event, Stage], Sequence[DatabaseHook]]:
    grouped: dict[tuple[Event, Stage], list[DatabaseHook]] = {}
    for hook in hooks:
        grouped.setdefault((hook.event, hook.stage), []).append(hook)
    return grouped


def _declare(table: str, event: Event, stage: Stage) -> Callable[[HookT], HookT]:
    def declare(hook: HookT) -> HookT:
        require_async(hook)
        setattr(hook, "__database_hook__", DatabaseHook(table=table, event=event, stage=stage, run=hook))
        return hook

    return declare
