"""Serve an Auth in a Flask application, and ask for its sessions in views, sync and async ones."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, current_app, g, redirect, request
from flask import Response as FlaskResponse
from werkzeug.exceptions import HTTPException, NotFound

from portico.auth import Auth
from portico.errors import UNAUTHORIZED, ApiError
from portico.hosts import asgi, wsgi
from portico.hosts.gateway import AuthPaths, TypedAuth, session_of
from portico.http import Header, Headers
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.pages import sign_in_url
from portico.responses import refused

ATTACHED = "portico"
FRONT = "portico_front"
FOUND = "portico_sessions"
ADDED = "portico_headers"
P = ParamSpec("P")


def mount(app: Flask, auth: Auth[Any]) -> None:
    """Serve every path of `auth` in `app`, and `attach` it.

    Its paths are answered ahead of Flask, as they were sent: what is below the base path of `auth` is its own, and
    Flask's routes, `before_request` and `after_request` do not see it. An Auth without a base path leaves the routes of
    the app alone. Below a prefix, such as that of DispatcherMiddleware, `portico.hosts.asgi` says what `base_url` is.
    """
    attach(app, auth)
    _front(app).serve(app, auth)


def attach(app: Flask, auth: Auth[Any]) -> None:
    """Answer refusals and send cookies in `app`; enough where `auth` is served by another process.

    An ApiError that leaves a view is answered as `auth.handler` answers it, unless the app has a handler for it, and
    cookies that reading a session changed are added to whatever is answered.
    """
    if ATTACHED in app.extensions:
        return
    app.extensions[ATTACHED] = True
    app.after_request(_send_cookies)
    if ApiError not in app.error_handler_spec[None][None]:
        app.register_error_handler(ApiError, _refuse)


def cors(app: Flask, auth: Auth[Any]) -> None:
    """Let the origins that `auth` trusts read what `app` answers, its own routes as well as those of `auth`."""
    _front(app).cover(auth)


def current_session(auth: TypedAuth[UserT, SessionT]) -> SessionData[UserT, SessionT]:
    """Return the session of the current request; without one, the request is answered 401.

    Raises:
        ApiError: there is none.
    """
    found = optional_session(auth)
    if found is None:
        raise ApiError(UNAUTHORIZED)
    return found


def optional_session(auth: TypedAuth[UserT, SessionT]) -> SessionData[UserT, SessionT] | None:
    """Return the session of the current request, or None; it is looked up once for a request."""
    if ATTACHED not in current_app.extensions:
        raise asgi.not_mounted("flask")
    core = auth.api.auth
    known: dict[Auth[Any], Any] = g.setdefault(FOUND, {})
    if core in known:
        found: SessionData[UserT, SessionT] | None = known[core]
        return found
    # An async view has a thread and a loop of its own, so it may wait like this as well.
    found, headers = core.run(session_of, auth, Headers(request.headers.items()))
    known[core] = found
    added: list[Header] = g.setdefault(ADDED, [])
    added += headers
    return found


def session_required(auth: TypedAuth[Any, Any]) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Return a decorator for views that need a session; without one, the request is answered 401."""
    return _guard(auth, lambda: _refuse(ApiError(UNAUTHORIZED)))


def login_required(
    auth: TypedAuth[Any, Any], login_url: str, *, field: str = "next"
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Return a decorator for pages that need a session; without one, the browser is sent to `login_url`.

    That page finds the way back, a path, in the query field `field`.
    """

    def leave() -> Any:
        return redirect(sign_in_url(login_url, wsgi.target_of(request.environ), field))

    return _guard(auth, leave)


def _guard(auth: TypedAuth[Any, Any], refuse: Callable[[], Any]) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    def decorate(view: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            if optional_session(auth) is None:
                return refuse()
            return current_app.ensure_sync(view)(*args, **kwargs)

        return guarded

    return decorate


class _Front:
    """What stands between the server and Flask: the paths of each Auth, and the cross-origin headers of everything."""

    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner
        self._served: list[tuple[Callable[[WSGIEnvironment], bool], WSGIApplication]] = []
        self._entrance: WSGIApplication = self._dispatch

    def serve(self, app: Flask, auth: Auth[Any]) -> None:
        paths = AuthPaths(auth)

        def is_ours(environ: WSGIEnvironment) -> bool:
            return wsgi.path_of(environ, paths.base) in paths and (bool(paths.base) or not _has_route(app, environ))

        self._served.append((is_ours, wsgi.app(auth)))

    def cover(self, auth: Auth[Any]) -> None:
        self._entrance = wsgi.cors(self._entrance, auth)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._entrance(environ, start_response)

    def _dispatch(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        serve = next((serve for is_ours, serve in self._served if is_ours(environ)), self._inner)
        return serve(environ, start_response)


def _front(app: Flask) -> _Front:
    front: _Front | None = app.extensions.get(FRONT)
    if front is None:
        front = app.extensions[FRONT] = _Front(app.wsgi_app)
        setattr(app, "wsgi_app", front)
    return front


def _has_route(app: Flask, environ: WSGIEnvironment) -> bool:
    adapter = app.create_url_adapter(app.request_class(environ))
    try:
        if adapter is not None:
            adapter.match()
    except NotFound:
        return False
    except HTTPException:
        # A redirect of the router, or a method that the route does not have.
        return True
    return True


def _send_cookies(response: FlaskResponse) -> FlaskResponse:
    added: list[Header] = g.pop(ADDED, [])
    for name, value in added:
        if name == "set-cookie":
            response.headers.add(name, value)
        else:
            response.headers[name] = value
    return response


def _refuse(refusal: ApiError) -> FlaskResponse:
    answer = refused(refusal)
    return FlaskResponse(answer.body, answer.status, list(answer.headers))
