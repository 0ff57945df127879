"""What users of the hosts see: sessions of the declared rows in every framework's idiom."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, assert_type
from wsgiref.types import WSGIApplication

from aiohttp import web
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

import portico
from app import User, make
from portico import Empty, Html, Redirect, SessionData
from portico.hosts import aiohttp, asgi, fastapi, litestar, quart, starlette, wsgi

auth = make()
Found = SessionData[User, portico.Session]


def helpers() -> None:
    assert_type(starlette.current_session(auth), Callable[[HTTPConnection], Coroutine[Any, Any, Found]])
    assert_type(starlette.optional_session(auth), Callable[[HTTPConnection], Coroutine[Any, Any, Found | None]])
    assert_type(fastapi.current_session(auth), Callable[..., Coroutine[Any, Any, Found]])
    assert_type(fastapi.optional_session(auth), Callable[..., Coroutine[Any, Any, Found | None]])
    assert_type(quart.current_session(auth), Callable[[], Coroutine[Any, Any, Found]])
    assert_type(quart.optional_session(auth), Callable[[], Coroutine[Any, Any, Found | None]])
    assert_type(aiohttp.current_session(auth), Callable[[web.Request], Coroutine[Any, Any, Found]])
    assert_type(aiohttp.optional_session(auth), Callable[[web.Request], Coroutine[Any, Any, Found | None]])


async def in_litestar(scope: Any) -> None:
    assert_type(await litestar.current_session(auth)(scope), Found)
    assert_type(await litestar.optional_session(auth)(scope), Found | None)


async def guards() -> None:
    @starlette.session_required(auth)
    async def page(request: Request) -> Response:
        return Response(request.state.user.email)

    @quart.session_required(auth)
    async def view(number: int) -> str:
        return str(number)

    @aiohttp.session_required(auth)
    async def handler(_request: web.Request) -> web.Response:
        return web.Response()

    assert_type(await page(Request({"type": "http"})), Response)
    assert_type(await view(1), str)
    served: Callable[[web.Request], Awaitable[web.StreamResponse]] = handler
    del served


def applications(app: asgi.ASGIApp, old: WSGIApplication) -> None:
    assert_type(asgi.app(auth), asgi.ASGIApp)
    assert_type(asgi.cors(app, auth), asgi.ASGIApp)
    assert_type(asgi.beside(app, auth), asgi.ASGIApp)
    assert_type(wsgi.cors(old, auth), WSGIApplication)


def replies() -> None:
    assert_type(Empty(), Empty)
    assert_type(Redirect("/").url, str)
    assert_type(Html("").text, str)
