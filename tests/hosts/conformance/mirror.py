"""A plugin that tells what a host made of a request, and one that leaves work behind."""

from dataclasses import dataclass
from threading import Event
from typing import ClassVar

from portico import Content, Context, Empty, ErrorCode, Html, Plugin, Redirect, Route, Status, Wire, endpoint
from portico.errors import ApiError
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


COOKIES = [("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Path=/; HttpOnly")]
PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff"
GONE = ErrorCode(410, "GONE", "Nobody is here any more")


@dataclass(frozen=True, kw_only=True, eq=False)
class Replies(Plugin):
    """Every kind of reply, each with two cookies."""

    id: ClassVar[str] = "replies"

    @endpoint("GET", "/leave")
    async def leave(self, ctx: Context) -> Redirect:
        """Send the browser away."""
        ctx.reply.headers += COOKIES
        return Redirect("https://elsewhere.example/caf\xe9 au lait?a=%2F&b=1#c")

    @endpoint("GET", "/page")
    async def page(self, ctx: Context) -> Html:
        """Show a page."""
        ctx.reply.headers += COOKIES
        return Html("<p>caf\xe9</p>")

    @endpoint("GET", "/picture")
    async def picture(self, ctx: Context) -> Content:
        """Show a picture."""
        ctx.reply.headers += COOKIES
        return Content(PICTURE, "image/png")

    @endpoint("POST", "/nothing")
    async def nothing(self, ctx: Context) -> Empty:
        """Say nothing."""
        ctx.reply.headers += COOKIES
        return Empty()

    @endpoint("GET", "/refuse", errors=(GONE,))
    async def refuse(self, ctx: Context) -> Status:
        """Refuse."""
        ctx.reply.headers += COOKIES
        raise ApiError(GONE, headers=(("x-since", "1999"),))

    @endpoint("GET", "/crash")
    async def crash(self, ctx: Context) -> Status:
        """Fail."""
        ctx.reply.headers += COOKIES
        raise LookupError("the password is hunter2")

    @endpoint("GET", "/address")
    async def address(self, ctx: Context) -> Html:
        """Tell who calls."""
        assert ctx.request is not None
        return Html(str(ctx.auth.addresses.of(ctx.request)))


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
