"""Serve an Auth as a WSGI application, on the event loop of its own thread.

A mount prefix (SCRIPT_NAME) and `base_url` combine as in `portico.hosts.asgi`.
"""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from threading import Thread
from typing import Any, Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from portico.auth import Auth
from portico.errors import PAYLOAD_TOO_LARGE, ApiError
from portico.hosts.gateway import below_mount, body_was_read, origin_form
from portico.http import NO_CONTENT, Header, Headers, Request, Response
from portico.responses import refused

REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
TARGETS = ("REQUEST_URI", "RAW_URI")
"""Where a server may tell the request target as sent."""
TRUNCATED = Response(status=400)


class Source(Protocol):
    """Where a body is read from."""

    def read(self, size: int = ..., /) -> bytes: ...


def app(auth: Auth[Any]) -> WSGIApplication:
    """Return `auth` as an application for a WSGI server with any number of threads.

    Work after a response runs when the server has closed it; a process that ends waits for it.
    """

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = _respond(auth, environ)
        _start(start_response, response)
        return _Sent(auth, response)

    return serve


def cors(app: WSGIApplication, auth: Auth[Any]) -> WSGIApplication:
    """Return `app` with answers that pages of the trusted origins of `auth` may read, cookies included.

    Whatever `app` answers is covered, errors too, and preflights never reach it. Wrap the whole application: what
    stands outside answers without these headers.
    """

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = Headers(fields_of(environ))
        preflight = auth.cors.preflight(environ["REQUEST_METHOD"], headers)
        if preflight is not None:
            _start(start_response, preflight)
            return [preflight.body]

        def start_readable(status: str, fields: list[Header], *error: Any) -> Callable[[bytes], object]:
            return start_response(status, auth.cors.applied(headers, fields), *error)

        return app(environ, start_readable)

    return serve


def path_of(environ: WSGIEnvironment, base: str) -> str:
    """Return the path of a request as an Auth with the base path `base` knows it, as sent and without the query."""
    mount = environ.get("SCRIPT_NAME", "").encode("latin-1")
    path = as_sent(environ, mount + environ.get("PATH_INFO", "").encode("latin-1"))
    return below_mount(path, mount.decode(errors="replace"), base) if mount else path


def target_of(environ: WSGIEnvironment) -> str:
    """Return path and query of a request as sent, the prefix of a mount included."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    query = environ.get("QUERY_STRING", "")
    return as_sent(environ, path.encode("latin-1")) + (f"?{query}" if query else "")


def as_sent(environ: WSGIEnvironment, decoded: bytes) -> str:
    """Return a decoded path as it was sent, if the server tells; else in the usual encoding."""
    for target in TARGETS:
        sent = origin_form(environ.get(target, ""))
        # What a server has rewritten is no longer what was sent.
        if unquote_to_bytes(sent) == decoded:
            return sent
    return quote_from_bytes(decoded)


def _start(start_response: StartResponse, response: Response) -> None:
    status = REASONS.get(response.status, f"{response.status} Unknown")
    length = () if response.status == NO_CONTENT else (("content-length", str(len(response.body))),)
    start_response(status, [*response.headers, *length])


class _Sent:
    """The body, and what happens when the server is done with it."""

    def __init__(self, auth: Auth[Any], response: Response) -> None:
        self._auth = auth
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield self._response.body

    def close(self) -> None:
        if self._response.background:
            # A thread of its own: the server's next request must not tell how long the work took.
            Thread(target=self._auth.run, args=(self._auth.finish, self._response), name="portico-background").start()


def _respond(auth: Auth[Any], environ: WSGIEnvironment) -> Response:
    try:
        body = body_of(environ, environ["wsgi.input"], auth)
    except ApiError as refusal:
        return refused(refusal)
    if body is None:
        return TRUNCATED
    request = Request(
        method=environ["REQUEST_METHOD"],
        path=path_of(environ, auth.site.path),
        query=environ.get("QUERY_STRING", ""),
        headers=Headers(fields_of(environ)),
        body=body,
        peer=environ.get("REMOTE_ADDR", ""),
        scheme=environ.get("wsgi.url_scheme", ""),
    )
    return auth.run(auth.handler, request)


def fields_of(environ: WSGIEnvironment) -> Iterator[Header]:
    """Yield the header fields of a request, names in lower case."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-").lower(), environ[name]


def body_of(environ: WSGIEnvironment, source: Source, auth: Auth[Any]) -> bytes | None:
    """Return the body from `source`, or None when it did not arrive whole."""
    limit = auth.advanced.max_body_size
    try:
        expected = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if expected > limit:
        raise ApiError(PAYLOAD_TOO_LARGE)
    is_begun = _is_begun(environ["wsgi.input"])
    try:
        if expected <= 0:
            # Only a server that ends the stream itself may be asked for a body of unknown length.
            body = source.read(limit + 1) if environ.get("wsgi.input_terminated") else b""
        else:
            body = source.read(expected)
    except OSError:
        return None
    if len(body) > limit:
        raise ApiError(PAYLOAD_TOO_LARGE)
    if body and len(body) < expected:
        auth.logger.warning("%d of %d bytes of body arrived: the client left", len(body), expected)
        return None
    if expected > 0 and not body:
        mistake = body_was_read(expected)
        if is_begun:
            raise mistake
        # A client that leaves looks the same here, and must not be able to raise what a developer gets to see.
        auth.logger.error("%s; or the client left", mistake)
        return None
    return body


def _is_begun(source: Source) -> bool:
    """Whether somebody has read from this body, as far as a stream can tell: that of a socket cannot."""
    tell = getattr(source, "tell", None)
    try:
        return tell is not None and tell() > 0
    except OSError:
        return False
