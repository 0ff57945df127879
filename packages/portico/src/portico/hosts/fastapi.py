"""Serve an Auth in a FastAPI or Starlette application, and ask for its sessions in endpoints."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.openapi.models import SecurityBase as SecurityModel
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.applications import Starlette
from starlette.datastructures import URLPath
from starlette.requests import HTTPConnection
from starlette.responses import Response as StarletteResponse
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portico.auth import Auth
from portico.cookies import SESSION_TOKEN
from portico.errors import UNAUTHORIZED, ApiError, ConfigError
from portico.handler import refused
from portico.hosts import asgi
from portico.hosts.gateway import TypedAuth, session_of
from portico.http import Header
from portico.messages import SessionData
from portico.models import SessionT, UserT

ADDED = "portico.added_headers"
COOKIE = "session-cookie"
BEARER = "session-bearer"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
SESSION_NEEDED: dict[str, Any] = {
    "description": UNAUTHORIZED.message,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"message": {"type": "string"}, "code": {"enum": [UNAUTHORIZED.code]}},
                "required": ["message", "code"],
            }
        }
    },
}


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
    leaves an endpoint is answered as `auth.handler` answers it, cookies that reading a session changed are added to
    whatever is answered, and the OpenAPI document tells who answers 401.
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
    app.add_middleware(_SendCookies)
    if ApiError not in app.exception_handlers:
        app.add_exception_handler(ApiError, _refuse)
    if isinstance(app, FastAPI):
        _describe_refusals(app)


def current_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[..., Coroutine[Any, Any, SessionData[UserT, SessionT]]]:
    """Return a dependency on the session of the request; without one, the request is answered 401."""
    core = auth.api.auth
    cookie = _Scheme(COOKIE, APIKeyCookie(name=core.cookies.name_of(SESSION_TOKEN)).model)
    bearer = _Scheme(BEARER, HTTPBearer().model) if _takes_bearer(core) else cookie

    async def session(
        connection: HTTPConnection,
        _cookie: Annotated[None, Depends(cookie)],
        _bearer: Annotated[None, Depends(bearer)],
    ) -> SessionData[UserT, SessionT]:
        found = await _read(auth, connection)
        if found is None:
            raise ApiError(UNAUTHORIZED)
        return found

    return session


def optional_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[..., Coroutine[Any, Any, SessionData[UserT, SessionT] | None]]:
    """Return a dependency on the session of the request, or None."""

    async def session(connection: HTTPConnection) -> SessionData[UserT, SessionT] | None:
        return await _read(auth, connection)

    return session


class _AuthRoute(BaseRoute):
    """Every path of one Auth, matched as sent."""

    def __init__(self, auth: Auth[Any]) -> None:
        self._serve = asgi.app(auth)
        self._base = auth.site.path
        routes = [route for compiled in auth.handler.compiled.values() for route in compiled.endpoint.routes]
        self._root = frozenset(route.path for route in routes if route.root)
        self.path = self._base + "/{path:path}"
        """Where metrics and traces look for the name of a route."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        path = asgi.path_of(scope, self._base)
        is_ours = path == self._base or path.startswith(self._base + "/") or path in self._root
        return (Match.FULL if is_ours else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._serve(scope, receive, send)


class _Scheme(SecurityBase):
    """A line of the OpenAPI document; what it describes is read by `get_session`."""

    def __init__(self, name: str, model: SecurityModel) -> None:
        self.scheme_name = name
        self.model = model

    async def __call__(self) -> None:
        """Read nothing."""


class _SendCookies:
    """Adds to every response the headers that reading the session left in the scope.

    FastAPI's own way, a `Response` parameter, loses them when an endpoint returns a response or raises.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        added: list[Header] = []
        scope[ADDED] = added

        async def send_added(message: Message) -> None:
            if added and message["type"] == "http.response.start":
                fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in added]
                message = {**message, "headers": [*message.get("headers", ()), *fields]}
            await send(message)

        await self._app(scope, receive, send_added)


async def _read(auth: TypedAuth[UserT, SessionT], connection: HTTPConnection) -> SessionData[UserT, SessionT] | None:
    added: list[Header] | None = connection.scope.get(ADDED)
    if added is None or ApiError not in connection.app.exception_handlers:
        raise ConfigError("call portico.hosts.fastapi.mount(app, auth), or attach(app, auth), on this application")
    found, headers = await session_of(auth, connection)
    added += headers
    return found


def _refuse(_connection: HTTPConnection, refusal: Exception) -> StarletteResponse:
    if not isinstance(refusal, ApiError):
        raise refusal
    answer = refused(refusal)
    response = StarletteResponse(answer.body, answer.status)
    for name, value in answer.headers:
        response.headers.append(name, value)
    return response


def _takes_bearer(auth: Auth[Any]) -> bool:
    return any(plugin.id == "bearer" for plugin in auth.api.plugins)


def _describe_refusals(app: FastAPI) -> None:
    """Add the 401 to every operation of the document that needs a session."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        paths: dict[str, dict[str, Any]] = document.get("paths", {})
        for item in paths.values():
            for method in METHODS & item.keys():
                operation: dict[str, Any] = item[method]
                if any(COOKIE in scheme for scheme in operation.get("security", ())):
                    operation["responses"].setdefault("401", SESSION_NEEDED)
        return document

    setattr(app, "openapi", openapi)
