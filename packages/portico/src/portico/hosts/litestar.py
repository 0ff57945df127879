"""Serve an Auth in a Litestar application, and ask for its sessions in dependencies and guards."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from litestar import Litestar
from litestar.connection import ASGIConnection, Request
from litestar.handlers import BaseRouteHandler
from litestar.response import Response as LitestarResponse
from litestar.types import Receive, Scope, Send

from portico.auth import Auth
from portico.errors import UNAUTHORIZED, ApiError
from portico.hosts import asgi
from portico.hosts.gateway import TypedAuth
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.responses import refused

AnyConnection = ASGIConnection[Any, Any, Any, Any]


def mount(app: Litestar, auth: Auth[Any]) -> None:
    """Serve every path of `auth` in `app`, and `attach` it.

    The base path of `auth` is where it is served; there is no second prefix. Behind `root_path`, the prefix may stand
    in `base_url` or be left out, as `portico.hosts.asgi` says. These paths win over routes of the app, and are matched
    as sent, ahead of Litestar's router and the app's middleware.
    """
    attach(app, auth)
    _handle(app, asgi.beside(_handler(app), auth))


def attach(app: Litestar, auth: Auth[Any]) -> None:
    """Start and close `auth` with `app` and answer refusals; enough where `auth` is served by another process.

    What the app does on startup comes first, so it may create the tables. An ApiError that leaves an endpoint is
    answered as `auth.handler` answers it, and cookies that reading a session changed are added to whatever is answered.
    """
    app.on_startup.append(auth.start)
    app.on_shutdown.append(auth.close)
    handlers: dict[Any, Any] = cast(Any, app).exception_handlers
    handlers.setdefault(ApiError, _refuse)
    _handle(app, asgi.sending_cookies(_handler(app)))


def cors(app: Litestar, auth: Auth[Any]) -> None:
    """Let pages of the trusted origins of `auth` read what `app` answers, its errors included, with their cookies.

    Call it after `mount`: it covers what is served by then.
    """
    _handle(app, asgi.cors(_handler(app), auth))


def current_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[Scope], Coroutine[Any, Any, SessionData[UserT, SessionT]]]:
    """Return what `Provide` takes to give handlers the session; without one, the request is answered 401."""

    async def session(scope: Scope) -> Any:
        found = await _read(auth, scope)
        if found is None:
            raise ApiError(UNAUTHORIZED)
        return found

    return session


def optional_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[Scope], Coroutine[Any, Any, SessionData[UserT, SessionT] | None]]:
    """Return what `Provide` takes to give handlers the session, or None."""

    async def session(scope: Scope) -> Any:
        return await _read(auth, scope)

    return session


def session_required(
    auth: TypedAuth[Any, Any],
) -> Callable[[AnyConnection, BaseRouteHandler], Coroutine[Any, Any, None]]:
    """Return a guard: without a session, the request is answered 401.

    Behind it, `request.auth` is the session with its user, and `request.user` the user.
    """
    session = current_session(auth)

    async def guard(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
        found = await session(connection.scope)
        connection.scope["auth"], connection.scope["user"] = found, found.user

    return guard


async def _read(auth: TypedAuth[UserT, SessionT], scope: Scope) -> SessionData[UserT, SessionT] | None:
    connection: AnyConnection = ASGIConnection(scope)
    return await asgi.session_in(auth, cast(asgi.Scope, scope), connection, host="litestar")


def _handler(app: Litestar) -> asgi.ASGIApp:
    return cast(asgi.ASGIApp, app.asgi_handler)


def _handle(app: Litestar, handler: asgi.ASGIApp) -> None:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await handler(cast(asgi.Scope, scope), cast(asgi.Receive, receive), cast(asgi.Send, send))

    app.asgi_handler = handle


def _refuse(request: Request[Any, Any, Any], refusal: ApiError) -> LitestarResponse[bytes]:
    answer = refused(refusal)
    # A response of Litestar has no header twice, such as Set-Cookie.
    cast(asgi.Scope, request.scope).setdefault(asgi.ADDED, []).extend(refusal.headers)
    return LitestarResponse(answer.body, status_code=answer.status, media_type="application/json")
