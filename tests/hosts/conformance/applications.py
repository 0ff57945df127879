"""One application per framework, each with the same routes in the framework's own idiom, open to trusted origins."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

from aiohttp import web
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from litestar import Litestar, Request, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException as LitestarError
from litestar.response import Response as LitestarResponse
from quart import Quart, Response, abort, g
from starlette.applications import Starlette
from starlette.exceptions import HTTPException as StarletteError
from starlette.requests import Request as StarletteRequest
from starlette.routing import Route

import portico
from app import User
from hosts.conformance.exchange import Answer, Call, Serve, over_asgi
from hosts.conformance.sync_applications import django_asgi_application, django_wsgi_application, flask_application
from hosts.conformance.through_aiohttp import through_aiohttp
from portico import ApiError, ErrorCode, SessionData
from portico.hosts import aiohttp, fastapi, litestar, quart, starlette

OUT_OF_STOCK = ErrorCode(409, "OUT_OF_STOCK", "Out of stock")
STOCK_HEADERS = (("x-stock", "0"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
VARIES = {"vary": "Accept-Encoding"}
Found = SessionData[User, portico.Session]


class CrashError(Exception):
    """What no application expects."""


def asgi_serve(app: Any) -> Serve:
    async def serve(call: Call) -> Answer:
        answer = Answer()
        # A framework raises it again for the server's log, when it has answered.
        with suppress(CrashError):
            await over_asgi(app, call, into=answer)
        return answer

    return serve


def starlette_application(auth: Any) -> Serve:
    current, optional = starlette.current_session(auth), starlette.optional_session(auth)

    async def me(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse((await current(request)).user.email)

    @starlette.session_required(auth)
    async def guarded(request: StarletteRequest) -> PlainTextResponse:
        assert request.state.session.user is request.state.user
        return PlainTextResponse(request.state.user.email)

    async def greeting(request: StarletteRequest) -> PlainTextResponse:
        found = await optional(request)
        return PlainTextResponse(f"Hello {found.user.name}" if found else "Hello", headers=VARIES)

    async def conflict(request: StarletteRequest) -> PlainTextResponse:
        await current(request)
        raise StarletteError(409)

    async def stock(_request: StarletteRequest) -> PlainTextResponse:
        raise ApiError(OUT_OF_STOCK, headers=STOCK_HEADERS)

    async def crash(request: StarletteRequest) -> PlainTextResponse:
        await current(request)
        raise CrashError("hunter2")

    endpoints = {"me": me, "guarded": guarded, "greeting": greeting, "conflict": conflict, "stock": stock}
    routes = [Route(f"/{name}", endpoint) for name, endpoint in {**endpoints, "crash": crash}.items()]
    app = Starlette(routes=routes)
    starlette.mount(app, auth)
    starlette.cors(app, auth)
    return asgi_serve(app)


def fastapi_application(auth: Any) -> Serve:
    app = FastAPI(default_response_class=PlainTextResponse)
    current, optional = fastapi.current_session(auth), fastapi.optional_session(auth)

    @app.get("/me")
    @app.get("/guarded")
    async def me(found: Annotated[Found, Depends(current)]) -> str:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        return found.user.email

    @app.get("/greeting")
    async def greeting(found: Annotated[Found | None, Depends(optional)]) -> PlainTextResponse:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        return PlainTextResponse(f"Hello {found.user.name}" if found else "Hello", headers=VARIES)

    @app.get("/conflict", dependencies=[Depends(current)])
    async def conflict() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        raise HTTPException(409)

    @app.get("/stock")
    async def stock() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        raise ApiError(OUT_OF_STOCK, headers=STOCK_HEADERS)

    @app.get("/crash", dependencies=[Depends(current)])
    async def crash() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        raise CrashError("hunter2")

    fastapi.mount(app, auth)
    fastapi.cors(app, auth)
    return asgi_serve(app)


def litestar_application(auth: Any) -> Serve:
    current, optional = Provide(litestar.current_session(auth)), Provide(litestar.optional_session(auth))

    @get("/me", dependencies={"found": current}, media_type="text/plain")
    async def me(found: NamedDependency[Found]) -> str:
        return found.user.email

    @get("/guarded", guards=[litestar.session_required(auth)], media_type="text/plain")
    async def guarded(request: Request[User, Found, Any]) -> str:
        assert request.auth.user is request.user
        return str(request.user.email)

    @get("/greeting", dependencies={"found": optional})
    async def greeting(found: NamedDependency[Found | None]) -> LitestarResponse[str]:
        return LitestarResponse(f"Hello {found.user.name}" if found else "Hello", headers=VARIES)

    @get("/conflict", guards=[litestar.session_required(auth)])
    async def conflict() -> None:
        raise LitestarError(status_code=409)

    @get("/stock")
    async def stock() -> None:
        raise ApiError(OUT_OF_STOCK, headers=STOCK_HEADERS)

    @get("/crash", guards=[litestar.session_required(auth)])
    async def crash() -> None:
        raise CrashError("hunter2")

    app = Litestar([me, guarded, greeting, conflict, stock, crash], logging_config=None, debug=False)
    litestar.mount(app, auth)
    litestar.cors(app, auth)
    return asgi_serve(app)


def quart_application(auth: Any) -> Serve:
    app = Quart(__name__)
    current, optional = quart.current_session(auth), quart.optional_session(auth)

    @app.get("/me")
    async def me() -> str:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        return str((await current()).user.email)

    @app.get("/guarded")
    @quart.session_required(auth)
    async def guarded() -> str:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        assert g.session.user is g.user
        return str(g.user.email)

    @app.get("/greeting")
    async def greeting() -> tuple[str, dict[str, str]]:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        found = await optional()
        return f"Hello {found.user.name}" if found else "Hello", VARIES

    @app.get("/conflict")
    async def conflict() -> Response:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        await current()
        abort(409)

    @app.get("/stock")
    async def stock() -> Response:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        raise ApiError(OUT_OF_STOCK, headers=STOCK_HEADERS)

    @app.get("/crash")
    async def crash() -> Response:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        await current()
        raise CrashError("hunter2")

    quart.mount(app, auth)
    quart.cors(app, auth)
    return asgi_serve(app)


def aiohttp_application(auth: Any) -> web.Application:
    current, optional = aiohttp.current_session(auth), aiohttp.optional_session(auth)

    async def me(request: web.Request) -> web.Response:
        return web.Response(text=(await current(request)).user.email)

    @aiohttp.session_required(auth)
    async def guarded(request: web.Request) -> web.Response:
        assert request[aiohttp.SESSION].user is request[aiohttp.USER]
        return web.Response(text=request[aiohttp.USER].email)

    async def greeting(request: web.Request) -> web.Response:
        found = await optional(request)
        return web.Response(text=f"Hello {found.user.name}" if found else "Hello", headers=VARIES)

    async def conflict(request: web.Request) -> web.Response:
        await current(request)
        raise web.HTTPConflict

    async def stock(_request: web.Request) -> web.Response:
        raise ApiError(OUT_OF_STOCK, headers=STOCK_HEADERS)

    async def crash(request: web.Request) -> web.Response:
        await current(request)
        raise CrashError("hunter2")

    app = web.Application()
    for handler in (me, guarded, greeting, conflict, stock, crash):
        app.router.add_get(f"/{handler.__name__}", handler)
    aiohttp.mount(app, auth)
    aiohttp.cors(app, auth)
    return app


def aiohttp_serve(auth: Any) -> Serve:
    async def serve(call: Call) -> Answer:
        return await through_aiohttp(partial(aiohttp_application, auth), call)

    return serve


APPLICATIONS: dict[str, Callable[[Any], Serve]] = {
    "starlette": starlette_application,
    "fastapi": fastapi_application,
    "litestar": litestar_application,
    "quart": quart_application,
    "aiohttp": aiohttp_serve,
    "flask": flask_application,
    "django under wsgi": django_wsgi_application,
    "django under asgi": django_asgi_application,
}
