"""Serve an Auth as a WSGI application, on the event loop of its own thread.

A mount prefix (SCRIPT_NAME) and `base_url` combine as in `portico.hosts.asgi`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from threading import Thread
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from portico.auth import Auth
from portico.errors import PAYLOAD_TOO_LARGE, ApiError
from portico.handler import refused
from portico.hosts.gateway import below_mount, body_was_read, finish, origin_form
from portico.http import NO_CONTENT, Header, Headers, Request, Response

REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
TARGETS = ("REQUEST_URI", "RAW_URI")
"""Where a server may tell the request target as sent."""
TRUNCATED = Response(status=400)
logger = logging.getLogger("portico")


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
        headers = Headers(_fields(environ))
        preflight = auth.cors.preflight(environ["REQUEST_METHOD"], headers)
        if preflight is not None:
            _start(start_response, preflight)
            return [preflight.body]

        def start_readable(status: str, fields: list[Header], *error: Any) -> Callable[[bytes], object]:
            return start_response(status, auth.cors.applied(headers, fields), *error)

        return app(environ, start_readable)

    return serve


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
            Thread(target=self._auth.run, args=(finish, self._auth, self._response), name="portico-background").start()


def _respond(auth: Auth[Any], environ: WSGIEnvironment) -> Response:
    try:
        body = _read(environ, auth.advanced.max_body_size)
    except ApiError as refusal:
        return refused(refusal)
    if body is None:
        return TRUNCATED
    request = Request(
        method=environ["REQUEST_METHOD"],
        path=_path(environ, auth.site.path),
        query=environ.get("QUERY_STRING", ""),
        headers=Headers(_fields(environ)),
        body=body,
        peer=environ.get("REMOTE_ADDR", ""),
    )
    return auth.run(auth.handler, request)


def _path(environ: WSGIEnvironment, base: str) -> str:
    mount = environ.get("SCRIPT_NAME", "").encode("latin-1")
    decoded = mount + environ.get("PATH_INFO", "").encode("latin-1")
    path = quote_from_bytes(decoded)
    for target in TARGETS:
        sent = origin_form(environ.get(target, ""))
        # What a server has rewritten is no longer what was sent.
        if unquote_to_bytes(sent) == decoded:
            path = sent
            break
    return below_mount(path, mount.decode(errors="replace"), base) if mount else path


def _fields(environ: WSGIEnvironment) -> Iterator[Header]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-").lower(), environ[name]


def _read(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """Return the body, or None when it did not arrive whole."""
    source: InputStream = environ["wsgi.input"]
    try:
        expected = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if expected > limit:
        raise ApiError(PAYLOAD_TOO_LARGE)
    is_begun = _is_begun(source)
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
        logger.warning("%d of %d bytes of body arrived: the client left", len(body), expected)
        return None
    if expected > 0 and not body:
        mistake = body_was_read(expected)
        if is_begun:
            raise mistake
        # A client that leaves looks the same here, and must not be able to raise what a developer gets to see.
        logger.error("%s; or the client left", mistake)
        return None
    return body


def _is_begun(source: InputStream) -> bool:
    """Whether somebody has read from this body, as far as a stream can tell: that of a socket cannot."""
    tell = getattr(source, "tell", None)
    try:
        return tell is not None and tell() > 0
    except OSError:
        return False
