"""One HTTP exchange with an Auth through a host, without a socket."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from portico.hosts import asgi


@dataclass(frozen=True, kw_only=True)
class Call:
    method: str = "GET"
    target: str
    """As in the request line."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    peer: str = "192.0.2.7"

    @property
    def path(self) -> str:
        """As a server that knows absolute-form hands it over."""
        target = self.target.partition("?")[0]
        return target if target.startswith("/") else "/" + target.split("/", 3)[-1]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""


def json_call(path: str, body: bytes, *headers: tuple[str, str], method: str = "POST") -> Call:
    fields = (("content-type", "application/json"), ("content-length", str(len(body))), *headers)
    return Call(method=method, target=path, headers=fields, body=body)


def scope_of(call: Call, root_path: str = "") -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": call.method,
        "path": unquote_to_bytes(call.path).decode(errors="replace"),
        "raw_path": call.target.partition("?")[0].encode("latin-1"),
        "root_path": root_path,
        "query_string": call.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.headers],
        "client": (call.peer, 50000),
        "scheme": "http",
        "server": ("localhost", 3000),
    }


async def over_asgi(app: asgi.ASGIApp, call: Call, *, chunk: int = 65536) -> Answer:
    answer = Answer()
    chunks = [call.body[start : start + chunk] for start in range(0, len(call.body), chunk)] or [b""]

    async def receive() -> dict[str, Any]:
        assert chunks, "read past the end of the body"
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            answer.body += message["body"]

    await app(scope_of(call), receive, send)
    return answer


def environ_of(call: Call, mount: str = "") -> dict[str, Any]:
    path = unquote_to_bytes(call.path).decode("latin-1")
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers}
    return {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": mount,
        "PATH_INFO": path.removeprefix(mount),
        "QUERY_STRING": call.query,
        "REQUEST_URI": call.target,
        "CONTENT_TYPE": fields.pop("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": fields.pop("HTTP_CONTENT_LENGTH", ""),
        "REMOTE_ADDR": call.peer,
        "wsgi.input": BytesIO(call.body),
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
