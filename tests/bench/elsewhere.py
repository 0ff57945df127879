"""Ten plugins that have nothing to do with sessions: what they cost the paths of others should be nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from portico import Context, Plugin, RateLimit, Status, after, before, endpoint, middleware
from portico.models import SessionT, UserT


def ten_plugins() -> Sequence[Plugin[Any, Any]]:
    """Return ten plugins, each with an id, a path, hooks and a limit of its own."""
    return [_plugin(f"elsewhere-{number}") for number in range(10)]


def _plugin(name: str) -> Plugin[Any, Any]:
    path = f"/{name}/look"

    @dataclass(frozen=True, kw_only=True, eq=False)
    class Elsewhere(Plugin[UserT, SessionT]):
        id: ClassVar[str] = name
        limits = MappingProxyType({path: RateLimit(window=60, max=5)})

        @endpoint("POST", path, session="required")
        async def look(self, ctx: Context) -> Status:
            """Look elsewhere."""
            return Status(status=self.current(ctx) is not None)

        @middleware(path)
        async def admit(self, ctx: Context) -> None:
            """Let everything pass."""

        @before(path)
        async def prepare(self, ctx: Context) -> Context | None:
            """Leave the call as it is."""

        @after(path)
        async def finish(self, ctx: Context, outcome: Any) -> Any:
            """Leave the reply as it is."""
            return outcome

    return Elsewhere()
