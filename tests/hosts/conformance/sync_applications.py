"""The same routes as in `applications.py` for frameworks that have sync views."""

from typing import Any

from anyio import to_thread
from django.http import HttpRequest, HttpResponse
from django.urls import path
from flask import Flask, abort

import portico
from app import User
from hosts.conformance.exchange import Answer, Call, Serve, environ_of, over_asgi, through_wsgi
from hosts.django_site import CORS, USUAL, ASGISite, WSGISite, as_sent_by_us, site
from portico import ApiError, ErrorCode
from portico.hosts import flask
from portico.hosts.django import AuthRequest, SessionRequest, session_required

OUT_OF_STOCK = ErrorCode(409, "OUT_OF_STOCK", "Out of stock")
STOCK_HEADERS = (("x-stock", "0"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
VARIES = {"vary": "Accept-Encoding"}
Found = AuthRequest[User, portico.Session]
Needed = SessionRequest[User, portico.Session]


class CrashError(Exception):
    """What no application expects."""


def flask_application(auth: Any) -> Serve:
    app = Flask("shop")

    def me() -> str:
        return str(flask.current_session(auth).user.email)

    def greeting() -> tuple[str, dict[str, str]]:
        found = flask.optional_session(auth)
        return f"Hello {found.user.name}" if found else "Hello", VARIES

    def conflict() -> str:
        flask.current_session(auth)
        abort(409)

    def stock() -> str:
        raise ApiError(OUT_OF_STOCK, headers=STOCK_HEADERS)

    def crash() -> str:
        flask.current_session(auth)
        raise CrashError("hunter2")

    for view in (me, greeting, conflict, stock, crash):
        app.add_url_rule(f"/{view.__name__}", view_func=view)
    app.add_url_rule("/guarded", "guarded", flask.session_required(auth)(me))
    flask.mount(app, auth)
    flask.cors(app, auth)

    async def serve(call: Call) -> Answer:
        answer = await to_thread.run_sync(through_wsgi, app, environ_of(call))
        answer.headers = [(name.lower(), value) for name, value in answer.headers]
        return answer

    return serve


@session_required
def me(request: Needed) -> HttpResponse:
    return HttpResponse(request.auth_session.user.email)


@session_required
async def guarded(request: Needed) -> HttpResponse:
    return HttpResponse(request.auth_session.user.email)


async def greeting(request: Found) -> HttpResponse:
    found = await request.aauth_session()
    return HttpResponse(f"Hello {found.user.name}" if found else "Hello", headers=VARIES)


@session_required
def conflict(_request: Needed) -> HttpResponse:
    return HttpResponse(status=409)


def stock(_request: HttpRequest) -> HttpResponse:
    raise ApiError(OUT_OF_STOCK, headers=STOCK_HEADERS)


@session_required
async def crash(_request: Needed) -> HttpResponse:
    raise CrashError("hunter2")


VIEWS = (
    path("me", me),
    path("guarded", guarded),
    path("greeting", greeting),
    path("conflict", conflict),
    path("stock", stock),
    path("crash", crash),
)


def django_wsgi_application(auth: Any) -> Serve:
    app = site(WSGISite, auth, *VIEWS, middleware=(CORS, *USUAL))

    async def serve(call: Call) -> Answer:
        return as_sent_by_us(await to_thread.run_sync(through_wsgi, app, environ_of(call)))

    return serve


def django_asgi_application(auth: Any) -> Serve:
    app = site(ASGISite, auth, *VIEWS, middleware=(CORS, *USUAL))

    async def serve(call: Call) -> Answer:
        return as_sent_by_us(await over_asgi(app, call))

    return serve
