"""Serve an Auth in an aiohttp application, and ask for its sessions in handlers. aiohttp runs on asyncio only."""

import asyncio  # noqa: TID251  # aiohttp knows no other loop, and its signals run in tasks that no task group spans
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, ParamSpec

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractResource, ResourceRoute, UrlMappingMatchInfo
from anyio import Event, move_on_after
from multidict import CIMultiDict
from yarl import URL

from portico.auth import Auth
from portico.errors import PAYLOAD_TOO_LARGE, UNAUTHORIZED, ApiError, ConfigError
from portico.hosts.gateway import AuthPaths, TypedAuth, below_mount, body_was_read, origin_form, session_of
from portico.http import NO_CONTENT, Header, Headers, Request, Response
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.responses import refused

P = ParamSpec("P")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SESSION: web.RequestKey[SessionData[Any, Any]] = web.RequestKey("session", SessionData)
USER: web.RequestKey[Any] = web.RequestKey("user", object)
ADDED: web.RequestKey[list[Header]] = web.RequestKey("added", list)
MALFORMED = Response(status=400)
SENDING = 10
"""How long work after a response waits for its last byte, in seconds."""


def mount(app: web.Application, auth: Auth[Any]) -> None:
    """Serve every path of `auth` in `app`, and `attach` it.

    The base path of `auth` is where it is served. In a sub-application the prefix may stand in `base_url` or be left
    out. Of the routes of the app, those with a longer path or that were added before win.
    """
    attach(app, auth)
    paths, serve = AuthPaths(auth), _Server(auth)
    for path in (paths.base, *paths.root):
        app.router.register_resource(_AuthResource(paths, path, serve))
    app.on_cleanup.insert(0, serve.finished)


def attach(app: web.Application, auth: Auth[Any]) -> None:
    """Start and close `auth` with `app` and answer refusals; enough where `auth` is served by another process.

    What the app does on startup before comes first, so it may create the tables. An ApiError that leaves a handler is
    answered as `auth.handler` answers it, and cookies that reading a session changed are added to whatever is answered.
    """

    async def start(_app: web.Application) -> None:
        await auth.start()

    async def close(_app: web.Application) -> None:
        await auth.close()

    app.on_startup.append(start)
    app.on_cleanup.append(close)
    app.on_response_prepare.append(_send_cookies)
    app.middlewares.append(_refuse)


def cors(app: web.Application, auth: Auth[Any]) -> None:
    """Let pages of the trusted origins of `auth` read what `app` answers, its errors included, with their cookies."""

    @web.middleware
    async def preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
        preflight = auth.cors.preflight(request.method, _headers(request))
        return _response(preflight) if preflight else await handler(request)

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        fields = auth.cors.applied(_headers(request), response.headers.items())
        response.headers.clear()
        response.headers.extend(fields)

    app.middlewares.insert(0, preflights)
    app.on_response_prepare.append(add)


def current_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[web.Request], Coroutine[Any, Any, SessionData[UserT, SessionT]]]:
    """Return a function that gives the session of a request; without one, the request is answered 401."""

    async def session(request: web.Request) -> SessionData[UserT, SessionT]:
        found = await _read(auth, request)
        if found is None:
            raise ApiError(UNAUTHORIZED)
        return found

    return session


def optional_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[web.Request], Coroutine[Any, Any, SessionData[UserT, SessionT] | None]]:
    """Return a function that gives the session of a request, or None."""

    async def session(request: web.Request) -> SessionData[UserT, SessionT] | None:
        return await _read(auth, request)

    return session


def session_required(
    auth: TypedAuth[Any, Any],
) -> Callable[[Callable[P, Awaitable[web.StreamResponse]]], Callable[P, Coroutine[Any, Any, web.StreamResponse]]]:
    """Return a decorator for handlers, functions or methods, that need a session; without one, the answer is 401.

    The handler finds it as `request[SESSION]`, and its user as `request[USER]`.
    """
    session = current_session(auth)

    def decorate(
        handler: Callable[P, Awaitable[web.StreamResponse]],
    ) -> Callable[P, Coroutine[Any, Any, web.StreamResponse]]:
        @wraps(handler)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> web.StreamResponse:
            request = _request_among(args)
            found = await session(request)
            request[SESSION], request[USER] = found, found.user
            return await handler(*args, **kwargs)

        return guarded

    return decorate


def _request_among(args: tuple[object, ...]) -> web.Request:
    for argument in args:
        if isinstance(argument, web.Request):
            return argument
        if isinstance(argument, web.View):
            return argument.request
    raise ConfigError("session_required is for handlers that take a request and for methods of a View")


class _AuthResource(AbstractResource):
    """The base path of an Auth with everything below, or one of its root documents, matched as sent."""

    def __init__(self, paths: AuthPaths, path: str, serve: "_Server") -> None:
        super().__init__()
        self._paths = paths
        self._path = path
        self._prefix = ""
        self._route = ResourceRoute("*", serve.answer, self)

    @property
    def canonical(self) -> str:
        """Where the router looks for this resource: the prefix may be part of the base URL."""
        return self._path if self._path.startswith(self._prefix + "/") else self._prefix + self._path

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        path = origin_form(_target(request))
        if self._prefix:
            path = below_mount(path, self._prefix, self._paths.base)
        if path not in self._paths:
            return None, set()
        return UrlMappingMatchInfo({"path": path}, self._route), set()

    def url_for(self, **kwargs: str) -> URL:
        return URL(self.canonical)

    def add_prefix(self, prefix: str) -> None:
        self._prefix = prefix + self._prefix

    def get_info(self) -> Any:
        return {"path": self.canonical}

    def raw_match(self, path: str) -> bool:
        return path == self.canonical

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter((self._route,))


class _Server:
    """Answers requests, and owns what the answers left behind."""

    def __init__(self, auth: Auth[Any]) -> None:
        self._auth = auth
        self._behind: dict[asyncio.Task[None], Event] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await _body(request, self._auth.advanced.max_body_size)
        except ApiError as refusal:
            return _response(refused(refusal))
        except web.RequestPayloadError:
            return _response(MALFORMED)
        answer = await self._auth.handler(
            Request(
                method=request.method,
                path=request.match_info["path"],
                query=_target(request).partition("?")[2],
                headers=_headers(request),
                body=body,
                peer=request.remote or "",
                scheme=request.scheme,
            )
        )
        if not answer.background:
            return _response(answer)
        sent = Event()
        # A task of its own: the next request on this connection must not tell how long the work took.
        task = asyncio.create_task(self._finish(answer, sent))
        self._behind[task] = sent
        task.add_done_callback(self._behind.pop)
        return _response(answer, sent)

    async def finished(self, _app: web.Application) -> None:
        """Wait for the work behind every response."""
        while self._behind:
            for sent in self._behind.values():
                sent.set()
            await asyncio.wait(self._behind)

    async def _finish(self, answer: Response, sent: Event) -> None:
        # A client that left and middleware that answers something else must not stop the work.
        with move_on_after(SENDING):
            await sent.wait()
        await self._auth.finish(answer)


class _Told(web.Response):
    """A response that tells when its last byte was handed to the connection."""

    def __init__(self, sent: Event, **options: Any) -> None:
        super().__init__(**options)
        self._sent = sent

    async def write_eof(self, data: bytes = b"") -> None:
        try:
            await super().write_eof(data)
        finally:
            self._sent.set()


async def _read(auth: TypedAuth[UserT, SessionT], request: web.Request) -> SessionData[UserT, SessionT] | None:
    if not any(_refuse in app.middlewares for app in request.match_info.apps):
        raise ConfigError("call portico.hosts.aiohttp.mount(app, auth), or attach(app, auth), on this application")
    found, headers = await session_of(auth, _headers(request))
    request.setdefault(ADDED, []).extend(headers)
    return found


@web.middleware
async def _refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as refusal:
        return _response(refused(refusal))


async def _send_cookies(request: web.Request, response: web.StreamResponse) -> None:
    added: list[Header] = request.pop(ADDED, [])
    response.headers.extend(added)


def _response(answer: Response, sent: Event | None = None) -> web.Response:
    fields = CIMultiDict(answer.headers)
    if answer.status != NO_CONTENT:
        # aiohttp leaves it out of the answer to HEAD.
        fields["content-length"] = str(len(answer.body))
    if sent is None:
        return web.Response(status=answer.status, headers=fields, body=answer.body)
    return _Told(sent, status=answer.status, headers=fields, body=answer.body)


def _target(request: web.Request) -> str:
    """Return the request target as sent, a character per byte."""
    return request.raw_path.encode("utf-8", "surrogateescape").decode("latin-1")


def _headers(request: web.Request) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)


async def _body(request: web.Request, limit: int) -> bytes:
    expected = request.content_length or 0
    if expected > limit:
        raise ApiError(PAYLOAD_TOO_LARGE)
    if request.content.at_eof() and expected:
        # Somebody read it; what `request.read()` returned is kept.
        body = await request.read()
        if not body:
            raise body_was_read(expected)
        return body
    received = bytearray()
    async for chunk in request.content.iter_any():
        received += chunk
        if len(received) > limit:
            raise ApiError(PAYLOAD_TOO_LARGE)
    return bytes(received)
