"""What somebody else does between the moment when a call looks at a row and the moment when it writes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from portico import HookContext, before_delete, before_update


class Meanwhile:
    """Pass `hooks` as `database_hooks=`; what `do` is set to is done once, when the next row is about to change."""

    def __init__(self) -> None:
        self.do: Callable[[HookContext], Awaitable[object]] | None = None

    @property
    def hooks(self) -> Sequence[Any]:
        changes = [before_update(table)(self._hook()) for table in ("user", "session", "twoFactor")]
        return [*changes, before_delete("account")(self._hook())]

    def _hook(self) -> Callable[[HookContext, Any], Awaitable[None]]:
        async def happen(ctx: HookContext, row: Any) -> None:
            doing, self.do = self.do, None
            if doing is not None:
                await doing(ctx)

        return happen
