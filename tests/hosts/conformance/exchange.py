"""One HTTP exchange with an Auth through a host, without a socket."""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from anyio import Event, create_task_group, fail_after, sleep_forever

from portico import ConfigError
from portico.hosts import asgi

PIECE = 1024
"""Bytes in one piece of a body that is streamed."""


@dataclass
class Meter:
    """How much of a body was asked for."""

    taken: int = 0


@dataclass(frozen=True, kw_only=True)
class Call:
    method: str = "GET"
    target: str
    """As in the request line."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    peer: str = "192.0.2.7"
    mount: str = ""
    """The prefix of the path below which the server has the application."""
    is_streamed: bool = False
    """Whether the body comes in pieces, without its length."""
    is_consumed: bool = False
    """Whether something before Portico read the body and passes on nothing."""
    meter: Meter = field(default_factory=Meter, compare=False)

    @property
    def path(self) -> str:
        """As a server that knows absolute-form hands it over."""
        target = self.target.partition("?")[0]
        return target if target.startswith("/") else "/" + target.split("/", 3)[-1]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(eq=False)
class Answer:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""

    def __eq__(self, other: object) -> bool:
        """Compare answers; the order of fields with different names means nothing. See RFC 9110 §5.3."""
        return isinstance(other, Answer) and self._whole == other._whole

    def __hash__(self) -> int:
        return hash(self._whole)

    @property
    def _whole(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        return self.status, tuple(sorted(self.headers, key=lambda line: line[0])), self.body


def json_call(path: str, body: bytes, *headers: tuple[str, str], method: str = "POST") -> Call:
    fields = (("content-type", "application/json"), ("content-length", str(len(body))), *headers)
    return Call(method=method, target=path, headers=fields, body=body)


def pieces_of(call: Call, size: int) -> list[bytes]:
    body = b"" if call.is_consumed else call.body
    return [body[start : start + size] for start in range(0, len(body), size)] or [b""]


def scope_of(call: Call) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": call.method,
        "path": unquote_to_bytes(call.path).decode(errors="replace"),
        "raw_path": call.target.partition("?")[0].encode("latin-1"),
        "root_path": call.mount,
        "query_string": call.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.headers],
        "client": (call.peer, 50000),
        "scheme": "http",
        "server": ("localhost", 3000),
    }


async def over_asgi(app: asgi.ASGIApp, call: Call, *, chunk: int = 65536, into: Answer | None = None) -> Answer:
    """Send `call` to `app`; what it answers is in `into` also if it raises afterwards."""
    answer = into or Answer()
    pieces = pieces_of(call, PIECE if call.is_streamed else chunk)

    async def receive() -> dict[str, Any]:
        if not pieces:
            # As of a client that stays connected: some frameworks listen for its leaving while they answer.
            await sleep_forever()
        piece = pieces.pop(0)
        call.meter.taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            answer.body += message.get("body", b"")

    with fail_after(5):
        await app(scope_of(call), receive, send)
    return answer


@asynccontextmanager
async def asgi_lifespan(app: asgi.ASGIApp) -> AsyncGenerator[None]:
    """Start `app` as a server does and, when the block ends, stop it."""
    started, ended = Event(), Event()
    failures: list[str] = []
    messages = [{"type": "lifespan.startup"}]

    async def receive() -> dict[str, Any]:
        if not messages:
            await ended.wait()
            return {"type": "lifespan.shutdown"}
        return messages.pop()

    async def send(message: Any) -> None:
        if message["type"].endswith(".failed"):
            failures.append(message["message"])
        started.set()

    async def serve() -> None:
        try:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        except* ConfigError:
            # A framework that raises it, alone or in a group, has told it as well.
            assert failures

    with fail_after(5):
        async with create_task_group() as tasks:
            tasks.start_soon(serve)
            await started.wait()
            if not failures:
                yield
            ended.set()
    if failures:
        raise NotStartedError(failures[0])


class NotStartedError(Exception):
    """A server did not start, or not stop; says why."""


class Metered(BytesIO):
    """A body that counts what is read of it."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.body)
        self._meter = call.meter
        if call.is_consumed:
            super().read()

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._meter.taken += len(piece)
        return piece


def environ_of(call: Call) -> dict[str, Any]:
    path = unquote_to_bytes(call.path).decode("latin-1")
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers}
    return {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": call.mount,
        "PATH_INFO": path.removeprefix(call.mount),
        "QUERY_STRING": call.query,
        "REQUEST_URI": call.target,
        "CONTENT_TYPE": fields.pop("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": fields.pop("HTTP_CONTENT_LENGTH", ""),
        "REMOTE_ADDR": call.peer,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "3000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.input": Metered(call),
        "wsgi.input_terminated": call.is_streamed,
        **fields,
    }


def through_wsgi(app: WSGIApplication, environ: dict[str, Any]) -> Answer:
    answer = Answer()

    def start_response(status: str, headers: Sequence[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        answer.status, answer.headers = int(status[:3]), list(headers)
        return lambda _: None

    sent: Iterable[bytes] = app(environ, start_response)
    answer.body = b"".join(sent)
    close = getattr(sent, "close", None)
    if close:
        close()
    return answer


Serve = Callable[[Call], Awaitable[Answer]]
"""A host that serves one Auth."""
