"""Every host, each as a function from an Auth to what serves it; the suite runs on all of them."""

from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import FastAPI

from hosts.conformance.exchange import Answer, Call, Serve, environ_of, over_asgi, through_wsgi
from portico import Auth
from portico.hosts import asgi, fastapi, wsgi


def asgi_host(auth: Auth[Any]) -> Serve:
    return partial(over_asgi, asgi.app(auth))


def fastapi_host(auth: Auth[Any]) -> Serve:
    app = FastAPI()
    fastapi.mount(app, auth)
    return partial(over_asgi, app)


def fastapi_mount_host(auth: Auth[Any]) -> Serve:
    app = FastAPI()
    app.mount("/api/auth", asgi.app(auth))
    return partial(over_asgi, app)


def wsgi_host(auth: Auth[Any]) -> Serve:
    app = wsgi.app(auth)

    async def serve(call: Call) -> Answer:
        return await to_thread.run_sync(through_wsgi, app, environ_of(call))

    return serve


HOSTS = {
    "asgi": asgi_host,
    "fastapi": fastapi_host,
    "mounted in fastapi": fastapi_mount_host,
    "wsgi": wsgi_host,
}
