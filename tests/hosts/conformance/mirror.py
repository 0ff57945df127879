"""A plugin that tells what a host made of a request, and one that leaves work behind."""

from dataclasses import dataclass
from threading import Event
from typing import ClassVar

from portico import Context, Plugin, Route, Status, Wire, endpoint
from portico.testing import Outbox


class Seen(Wire):
    method: str
    path: str
    query: str
    peer: str
    marks: str | None
    size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Mirror(Plugin):
    id: ClassVar[str] = "mirror"

    @endpoint(Route("POST", "/mirror/{word}"), Route("GET", "/mirror/{word}"), media=("application/json", "text/plain"))
    async def look(self, ctx: Context, word: str) -> Seen:
        """Tell what arrived."""
        request = ctx.request
        assert request is not None
        return Seen(
            method=request.method,
            path=request.path,
            query=request.query,
            peer=request.peer,
            marks=request.headers.get("x-mark"),
            size=len(request.body),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Greeter(Plugin):
    id: ClassVar[str] = "greeter"
    outbox: Outbox
    done: Event
    is_broken: bool = False

    @endpoint("POST", "/greet")
    async def greet(self, ctx: Context) -> Status:
        """Send a greeting."""

        async def fail() -> None:
            raise ConnectionError("no mail server")

        async def send() -> None:
            await self.outbox.send("ann@example.com", "Hello")
            self.done.set()

        ctx.reply.background += [fail, send] if self.is_broken else [send]
        return Status(status=not self.outbox.mails)
