"""Serve an Auth in a Starlette application, and ask for its sessions in endpoints."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from starlette.applications import Starlette
from starlette.datastructures import URLPath
from starlette.requests import HTTPConnection
from starlette.responses import Response as StarletteResponse
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketState

from portico.auth import Auth
from portico.errors import UNAUTHORIZED, ApiError, ConfigError
from portico.hosts import asgi
from portico.hosts.gateway import AuthPaths, TypedAuth
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.responses import refused

DENIAL = "websocket.http.response"
"""What a server can do that answers a websocket like a request: otherwise it closes it, with 403 for all answers."""
POLICY_VIOLATION = 1008
P = ParamSpec("P")
ReplyT = TypeVar("ReplyT")


def mount(app: Starlette, auth: Auth[Any]) -> None:
    """Serve every path of `auth` in `app`, and `attach` it.

    The base path of `auth` is where it is served; there is no second prefix. In a sub-application that is itself
    mounted, or behind `root_path`, the prefix may stand in `base_url` or be left out, as `portico.hosts.asgi` says.
    Routes that were added before win.
    """
    attach(app, auth)
    app.router.routes.append(_AuthRoute(auth))


def attach(app: Starlette, auth: Auth[Any]) -> None:
    """Start and close `auth` with `app` and answer refusals; enough where `auth` is served by another process.

    A lifespan of the app itself stays in place and runs round the start, so it may create the tables. An ApiError that
    leaves an endpoint is answered as `auth.handler` answers it, and cookies that reading a session changed are added to
    whatever is answered.
    """
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: Any) -> AsyncGenerator[Any, None]:
        try:
            async with inner(running) as state:
                await auth.start()
                yield state
        finally:
            await auth.close()

    app.router.lifespan_context = lifespan
    _wrap(app, asgi.sending_cookies)
    if ApiError not in app.exception_handlers:
        app.add_exception_handler(ApiError, _refuse)


def cors(app: Starlette, auth: Auth[Any]) -> None:
    """Let pages of the trusted origins of `auth` read what `app` answers, its errors included, with their cookies."""
    _wrap(app, lambda whole: asgi.cors(whole, auth))


def current_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[HTTPConnection], Coroutine[Any, Any, SessionData[UserT, SessionT]]]:
    """Return a function that gives the session of a request; without one, the request is answered 401."""

    async def session(connection: HTTPConnection) -> SessionData[UserT, SessionT]:
        found = await read(auth, connection, host="starlette")
        if found is None:
            raise ApiError(UNAUTHORIZED)
        return found

    return session


def optional_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[HTTPConnection], Coroutine[Any, Any, SessionData[UserT, SessionT] | None]]:
    """Return a function that gives the session of a request, or None."""

    async def session(connection: HTTPConnection) -> SessionData[UserT, SessionT] | None:
        return await read(auth, connection, host="starlette")

    return session


def session_required(
    auth: TypedAuth[Any, Any],
) -> Callable[[Callable[P, Awaitable[ReplyT]]], Callable[P, Coroutine[Any, Any, ReplyT]]]:
    """Return a decorator for async endpoints that need a session; without one, the answer is 401.

    The endpoint finds it as `request.state.session`, and its user as `request.state.user`.
    """
    session = current_session(auth)

    def decorate(endpoint: Callable[P, Awaitable[ReplyT]]) -> Callable[P, Coroutine[Any, Any, ReplyT]]:
        @wraps(endpoint)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> ReplyT:
            connection = _connection_among((*args, *kwargs.values()))
            found = await session(connection)
            connection.state.session, connection.state.user = found, found.user
            return await endpoint(*args, **kwargs)

        return guarded

    return decorate


def _connection_among(arguments: tuple[object, ...]) -> HTTPConnection:
    for argument in arguments:
        if isinstance(argument, HTTPConnection):
            # What a state holds is known to nobody here.
            return cast(HTTPConnection, argument)
    raise ConfigError("session_required is for endpoints that take a request or a websocket")


async def read(
    auth: TypedAuth[UserT, SessionT], connection: HTTPConnection, *, host: str
) -> SessionData[UserT, SessionT] | None:
    """Return the session of a request in an application to which `host` attached an Auth."""
    if ApiError not in connection.app.exception_handlers:
        raise asgi.not_mounted(host)
    return await asgi.session_in(auth, connection.scope, connection, host=host)


class _AuthRoute(BaseRoute):
    """Every path of one Auth, matched as sent."""

    def __init__(self, auth: Auth[Any]) -> None:
        self._serve = asgi.app(auth)
        self._paths = AuthPaths(auth)
        self.path = self._paths.base + "/{path:path}"
        """Where metrics and traces look for the name of a route."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_ours = scope["type"] == "http" and asgi.path_of(scope, self._paths.base) in self._paths
        return (Match.FULL if is_ours else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._serve(scope, receive, send)


def _wrap(app: Starlette, wrapper: Callable[[asgi.ASGIApp], asgi.ASGIApp]) -> None:
    """Put `wrapper` round the whole of `app`: its middleware stands inside what answers unexpected errors."""
    build = app.build_middleware_stack
    setattr(app, "build_middleware_stack", lambda: wrapper(build()))


async def _refuse(connection: HTTPConnection, refusal: Exception) -> Any:
    if not isinstance(refusal, ApiError):
        raise refusal
    answer = refused(refusal)
    response = StarletteResponse(answer.body, answer.status)
    for name, value in answer.headers:
        response.headers.append(name, value)
    if not isinstance(connection, WebSocket):
        return response
    is_open = connection.application_state is not WebSocketState.CONNECTING
    if is_open or DENIAL not in (connection.scope.get("extensions") or {}):
        await connection.close(POLICY_VIOLATION, refusal.error.code or "")
    else:
        await connection.send_denial_response(response)
    return None
