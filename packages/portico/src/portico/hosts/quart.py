"""Serve an Auth in a Quart application, and ask for its sessions in views. Quart runs on asyncio only."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from quart import Quart, g, has_websocket_context, request, websocket
from quart import Response as QuartResponse

from portico.auth import Auth
from portico.errors import UNAUTHORIZED, ApiError
from portico.hosts import asgi
from portico.hosts.gateway import TypedAuth
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.responses import refused

P = ParamSpec("P")
ReplyT = TypeVar("ReplyT")


def mount(app: Quart, auth: Auth[Any]) -> None:
    """Serve every path of `auth` in `app`, and `attach` it.

    The base path of `auth` is where it is served; there is no second prefix. Behind `root_path`, the prefix may stand
    in `base_url` or be left out, as `portico.hosts.asgi` says. These paths win over routes of the app, and are matched
    as sent, ahead of Quart's router and its hooks.
    """
    attach(app, auth)
    setattr(app, "asgi_app", asgi.beside(_handler(app), auth))


def attach(app: Quart, auth: Auth[Any]) -> None:
    """Start and close `auth` with `app` and answer refusals; enough where `auth` is served by another process.

    What the app does before serving comes first, so it may create the tables. An ApiError that leaves a view is
    answered as `auth.handler` answers it, and cookies that reading a session changed are added to whatever is answered.
    """

    async def lifespan() -> AsyncGenerator[None, None]:
        try:
            await auth.start()
            yield
        finally:
            await auth.close()

    app.while_serving(lifespan)
    if ApiError not in app.error_handler_spec[None][None]:
        app.register_error_handler(ApiError, _refuse)
    setattr(app, "asgi_app", asgi.sending_cookies(_handler(app)))


def cors(app: Quart, auth: Auth[Any]) -> None:
    """Let pages of the trusted origins of `auth` read what `app` answers, its errors included, with their cookies.

    Call it after `mount`: it covers what is served by then.
    """
    setattr(app, "asgi_app", asgi.cors(_handler(app), auth))


def current_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[], Coroutine[Any, Any, SessionData[UserT, SessionT]]]:
    """Return a function that gives the session of the current request; without one, it is answered 401."""

    async def session() -> SessionData[UserT, SessionT]:
        found = await _read(auth)
        if found is None:
            raise ApiError(UNAUTHORIZED)
        return found

    return session


def optional_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[], Coroutine[Any, Any, SessionData[UserT, SessionT] | None]]:
    """Return a function that gives the session of the current request, or None."""

    async def session() -> SessionData[UserT, SessionT] | None:
        return await _read(auth)

    return session


def session_required(
    auth: TypedAuth[Any, Any],
) -> Callable[[Callable[P, Awaitable[ReplyT]]], Callable[P, Coroutine[Any, Any, ReplyT]]]:
    """Return a decorator for async views that need a session; without one, the answer is 401.

    The view finds it as `g.session`, and its user as `g.user`.
    """
    session = current_session(auth)

    def decorate(view: Callable[P, Awaitable[ReplyT]]) -> Callable[P, Coroutine[Any, Any, ReplyT]]:
        @wraps(view)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> ReplyT:
            found = await session()
            g.session, g.user = found, found.user
            return await view(*args, **kwargs)

        return guarded

    return decorate


async def _read(auth: TypedAuth[UserT, SessionT]) -> SessionData[UserT, SessionT] | None:
    connection = websocket if has_websocket_context() else request
    return await asgi.session_in(auth, cast(asgi.Scope, connection.scope), connection, host="quart")


def _handler(app: Quart) -> asgi.ASGIApp:
    return cast(asgi.ASGIApp, app.asgi_app)


def _refuse(refusal: ApiError) -> QuartResponse:
    answer = refused(refusal)
    response = QuartResponse(answer.body, answer.status)
    del response.headers["content-type"]
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response
