"""Every host, each as a function from an Auth to what serves it; the suite runs on all of them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web
from anyio import to_thread
from fastapi import FastAPI
from flask import Flask
from litestar import Litestar
from quart import Quart
from starlette.applications import Starlette

from hosts.conformance.exchange import (
    Answer,
    Call,
    NotStartedError,
    Serve,
    asgi_lifespan,
    environ_of,
    over_asgi,
    through_wsgi,
)
from hosts.conformance.through_aiohttp import through_aiohttp
from hosts.django_site import ASGISite, WSGISite, as_sent_by_us, drive_asgi, drive_wsgi, site
from hosts.lambda_events import MakeEvent, answered, balancer_event, rest_event, url_event
from portico import Auth, ConfigError
from portico.hosts import aiohttp, asgi, aws_lambda, fastapi, flask, litestar, quart, starlette, wsgi


def asgi_host(auth: Auth[Any]) -> Serve:
    return partial(over_asgi, asgi.app(auth))


def starlette_app(auth: Auth[Any]) -> Any:
    app = Starlette()
    starlette.mount(app, auth)
    return app


def starlette_host(auth: Auth[Any]) -> Serve:
    return partial(over_asgi, starlette_app(auth))


def fastapi_app(auth: Auth[Any]) -> Any:
    app = FastAPI()
    fastapi.mount(app, auth)
    return app


def fastapi_host(auth: Auth[Any]) -> Serve:
    return partial(over_asgi, fastapi_app(auth))


def fastapi_mount_host(auth: Auth[Any]) -> Serve:
    app = FastAPI()
    app.mount("/api/auth", asgi.app(auth))
    return partial(over_asgi, app)


def litestar_app(auth: Auth[Any]) -> Any:
    app = Litestar(logging_config=None)
    litestar.mount(app, auth)
    return app


def litestar_host(auth: Auth[Any]) -> Serve:
    return partial(over_asgi, litestar_app(auth))


def quart_app(auth: Auth[Any]) -> Any:
    app = Quart(__name__)
    quart.mount(app, auth)
    return app


def quart_host(auth: Auth[Any]) -> Serve:
    return partial(over_asgi, quart_app(auth))


def aiohttp_app(auth: Auth[Any], call: Call | None = None) -> web.Application:
    app = web.Application()
    aiohttp.mount(app, auth)
    if call is not None and call.is_consumed:
        app.middlewares.append(_consume)
    if call is not None and call.mount:
        outer = web.Application()
        outer.add_subapp(call.mount, app)
        return outer
    return app


@web.middleware
async def _consume(request: web.Request, handler: Any) -> Any:
    await request.content.read()
    return await handler(request)


def aiohttp_host(auth: Auth[Any]) -> Serve:
    async def serve(call: Call) -> Answer:
        return await through_aiohttp(partial(aiohttp_app, auth, call), call)

    return serve


@asynccontextmanager
async def aiohttp_lifespan(app: web.Application) -> AsyncGenerator[None]:
    runner = web.AppRunner(app)
    try:
        await runner.setup()
        yield
    except ConfigError as error:
        raise NotStartedError(str(error)) from error
    finally:
        await runner.cleanup()


def wsgi_host(auth: Auth[Any]) -> Serve:
    app = wsgi.app(auth)

    async def serve(call: Call) -> Answer:
        return await to_thread.run_sync(through_wsgi, app, environ_of(call))

    return serve


def flask_host(auth: Auth[Any]) -> Serve:
    app = Flask("shop")
    flask.mount(app, auth)

    async def serve(call: Call) -> Answer:
        return await to_thread.run_sync(through_wsgi, app, environ_of(call))

    return serve


def django_wsgi_host(auth: Auth[Any]) -> Serve:
    application = site(WSGISite, auth)

    async def serve(call: Call) -> Answer:
        return as_sent_by_us(await drive_wsgi(application, call))

    return serve


def django_asgi_host(auth: Auth[Any]) -> Serve:
    application = site(ASGISite, auth)

    async def serve(call: Call) -> Answer:
        return as_sent_by_us(await drive_asgi(application, call))

    return serve


def lambda_host(auth: Auth[Any], *, event_of: MakeEvent) -> Serve:
    async def serve(call: Call) -> Answer:
        function = aws_lambda.handler(auth, mount=call.mount)
        return answered(await to_thread.run_sync(function, event_of(call), None))

    return serve


HOSTS: dict[str, Callable[[Auth[Any]], Serve]] = {
    "asgi": asgi_host,
    "starlette": starlette_host,
    "fastapi": fastapi_host,
    "mounted in fastapi": fastapi_mount_host,
    "litestar": litestar_host,
    "quart": quart_host,
    "aiohttp": aiohttp_host,
    "wsgi": wsgi_host,
    "flask": flask_host,
    "lambda behind a rest api": partial(lambda_host, event_of=rest_event),
    "lambda with a function url": partial(lambda_host, event_of=url_event),
    "lambda behind a load balancer": partial(lambda_host, event_of=balancer_event),
    "django under wsgi": django_wsgi_host,
    "django under asgi": django_asgi_host,
}

ASYNCIO_ONLY = frozenset({"quart", "aiohttp", "django under asgi"})
"""Hosts that do not run on trio."""

BUFFERING = (django_asgi_host,)
"""Hosts that take in a whole body, to disk, before anything of a site runs."""

LIFESPANS: dict[str, Callable[[Auth[Any]], AbstractAsyncContextManager[None]]] = {
    "asgi": lambda auth: asgi_lifespan(asgi.app(auth)),
    "starlette": lambda auth: asgi_lifespan(starlette_app(auth)),
    "fastapi": lambda auth: asgi_lifespan(fastapi_app(auth)),
    "litestar": lambda auth: asgi_lifespan(litestar_app(auth)),
    "quart": lambda auth: asgi_lifespan(quart_app(auth)),
    "aiohttp": lambda auth: aiohttp_lifespan(aiohttp_app(auth)),
}
"""Hosts that are told when the server starts and stops."""
