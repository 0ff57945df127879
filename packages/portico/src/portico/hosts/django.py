"""Serve an Auth in a Django site, under WSGI and ASGI, and give its views the session of their caller.

The setting `PORTICO_AUTH` is the Auth, or names it as "shop.accounts.auth". `SessionMiddleware` and the decorators use
it; `urls()` serves it.
"""

from collections.abc import Callable, Container, Coroutine
from functools import cached_property, partial, wraps
from http.cookies import Morsel
from threading import Thread
from typing import Any, Generic, ParamSpec, TypeGuard, TypeVar, overload
from urllib.parse import quote, urlsplit

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import URLPattern, get_script_prefix
from django.urls.resolvers import RegexPattern
from django.utils.asyncio import async_unsafe
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.module_loading import import_string

from portico.auth import Auth
from portico.errors import PAYLOAD_TOO_LARGE, UNAUTHORIZED, ApiError, ConfigError
from portico.hosts import asgi, wsgi
from portico.hosts.gateway import AuthPaths, below_mount, body_is_missing, body_was_read, session_of
from portico.http import NO_CONTENT, Header, Headers, Request, Response
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.pages import sign_in_url
from portico.responses import refused

CALLER = "_portico_caller"
TOO_EARLY = "this is an async view: await request.aauth_session() first, as for request.auser()"
Found = tuple[SessionData[Any, Any] | None, list[Header]]
P = ParamSpec("P")
ReplyT = TypeVar("ReplyT")


class AuthRequest(HttpRequest, Generic[UserT, SessionT]):
    """For annotations: a request that `SessionMiddleware` has seen."""

    auth_session: SessionData[UserT, SessionT] | None
    """The session of the caller, looked up on first use."""
    aauth_session: Callable[[], Coroutine[Any, Any, SessionData[UserT, SessionT] | None]]
    """The same for async views; once awaited, `auth_session` may be used as well."""


class SessionRequest(HttpRequest, Generic[UserT, SessionT]):
    """For annotations: the request of a view behind `session_required` or `login_required`."""

    auth_session: SessionData[UserT, SessionT]


def urls(auth: Auth[Any] | None = None) -> list[URLPattern]:
    """Return what serves every path of `auth`, or of the Auth of the settings, for `urlpatterns` of the root URLconf.

    Its base path stands in them. Where the site is served below a prefix, `portico.hosts.asgi` says what `base_url` is.
    The views check the origin of a request themselves, so Django's CSRF protection leaves them out, and take part in no
    transaction of Django. Under ASGI, Django takes in every body whole, to disk, before a view may refuse it; where
    that matters, let `portico.hosts.asgi.beside` answer these paths ahead of Django.
    """
    served = configured() if auth is None else auth
    return [URLPattern(_AuthPattern(AuthPaths(served)), _view(served))]


def with_lifespan(application: asgi.ASGIApp, auth: Auth[Any] | None = None) -> asgi.ASGIApp:
    """Return the ASGI application of a site with a lifespan, which Django has not: it starts and closes `auth`."""
    lifespan = asgi.app(configured() if auth is None else auth)

    async def serve(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        await (lifespan if scope["type"] == "lifespan" else application)(scope, receive, send)

    return serve


def configured() -> Auth[Any]:
    """Return the Auth of the settings.

    Raises:
        ConfigError: there is none; the message says what to write.
    """
    named: Any = getattr(settings, "PORTICO_AUTH", None)
    try:
        found: object = import_string(named) if isinstance(named, str) else named
    except ImportError as error:
        raise ConfigError(f"settings.PORTICO_AUTH is {named!r}, and that cannot be imported: {error}") from error
    if not _is_auth(found):
        raise ConfigError(f'settings.PORTICO_AUTH must name an Auth, such as "shop.accounts.auth", not {named!r}')
    return found


def _is_auth(value: object) -> TypeGuard[Auth[Any]]:
    return isinstance(value, Auth)


def _is_async(function: Callable[..., Any]) -> bool:
    return bool(iscoroutinefunction(function))  # pyright: ignore[reportDeprecated]  # inspect's sees no marks on 3.11


class _Middleware:
    """A middleware that fits a sync chain and an async one, so that Django needs no thread to call it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.auth = configured()
        self._get_response = get_response
        self._is_async = _is_async(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._acall(request)
        answer = self.enter(request)
        return self.leave(request, self._get_response(request) if answer is None else answer)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.enter(request)
        return self.leave(request, await self._get_response(request) if answer is None else answer)

    def enter(self, request: HttpRequest) -> HttpResponseBase | None:
        """Prepare a request, or answer it."""
        raise NotImplementedError

    def leave(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response to send."""
        raise NotImplementedError


class SessionMiddleware(_Middleware):
    """Gives each request `auth_session` and `aauth_session`.

    Cookies that reading them changed are added to whatever is answered, and an ApiError that leaves a view is answered
    as the Auth would answer it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self._kinds: dict[type[HttpRequest], type[HttpRequest]] = {}

    def enter(self, request: HttpRequest) -> None:
        """Prepare the look-up; nothing is read until somebody asks."""
        kind = type(request)
        caller = _Caller(self.auth, request)
        setattr(request, CALLER, caller)
        request.__class__ = self._kinds.get(kind) or self._kinds.setdefault(kind, _with_session(kind))
        setattr(request, "aauth_session", caller.aread)

    def leave(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add what a response says that depends on a session."""
        caller = _caller_of(request)
        if caller.is_known:
            patch_vary_headers(response, ("Cookie", "Authorization"))
        for name, value in caller.added:
            if name == "set-cookie":
                _set_cookie(response, value)
        if caller.added:
            patch_cache_control(response, no_store=True, private=True)
        return response

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer a refusal; middleware that is listed below this one comes first."""
        return _Answer(refused(exception)) if isinstance(exception, ApiError) else None


def _with_session(kind: type[HttpRequest]) -> type[HttpRequest]:
    """Return the class of requests that look their session up when `auth_session` is read.

    A lazy object in its place is never None, so that `request.auth_session is not None` would let everybody in.
    """

    class WithSession(kind):  # type: ignore[valid-type, misc]  # which class it is, Django decides
        @cached_property
        def auth_session(self) -> SessionData[Any, Any] | None:
            return _caller_of(self).read()

    WithSession.__name__ = WithSession.__qualname__ = kind.__name__
    return WithSession


class CorsMiddleware(_Middleware):
    """Lets pages of the trusted origins read what the site answers, with their cookies; belongs first in the list."""

    def enter(self, request: HttpRequest) -> HttpResponseBase | None:
        """Answer the question that a browser asks ahead of a request."""
        preflight = self.auth.cors.preflight(request.method or "", Headers.of(request.headers))
        return None if preflight is None else _Answer(preflight)

    def leave(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say who may read a response."""
        for name, value in self.auth.cors.applied(Headers.of(request.headers), list(response.items())):
            response[name] = value
        return response


def session_required(view: Callable[P, Any]) -> Callable[P, Any]:
    """Let a view, sync or async, answer callers with a session only; everybody else is answered 401."""

    def refuse(_request: HttpRequest) -> HttpResponseBase:
        raise ApiError(UNAUTHORIZED)

    return _guarded(view, refuse)


@overload
def login_required(view: Callable[P, Any]) -> Callable[P, Any]: ...
@overload
def login_required(
    *, login_url: str | None = None, redirect_field_name: str = "next"
) -> Callable[[Callable[P, Any]], Callable[P, Any]]: ...
def login_required(
    view: Callable[..., Any] | None = None, *, login_url: str | None = None, redirect_field_name: str = "next"
) -> Callable[..., Any]:
    """Let a page, sync or async, answer callers with a session only; everybody else is sent to `settings.LOGIN_URL`."""

    def redirect(request: HttpRequest) -> HttpResponseBase:
        page = resolve_url(login_url or settings.LOGIN_URL)
        is_elsewhere = urlsplit(page).netloc not in {"", request.get_host()}
        target = request.build_absolute_uri() if is_elsewhere else request.get_full_path()
        return HttpResponseRedirect(sign_in_url(page, target, redirect_field_name))

    def decorate(guarded: Callable[..., Any]) -> Callable[..., Any]:
        return _guarded(guarded, redirect)

    return decorate if view is None else decorate(view)


def _guarded(view: Callable[P, Any], refuse: Callable[[HttpRequest], HttpResponseBase]) -> Callable[P, Any]:
    def admit(found: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        if found is None:
            return refuse(_request_of(args))
        setattr(_request_of(args), "auth_session", found)
        return view(*args, **kwargs)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        return admit(_caller_of(_request_of(args)).read(), *args, **kwargs)

    @wraps(view)
    async def guarded_async(*args: P.args, **kwargs: P.kwargs) -> Any:
        answer = admit(await _caller_of(_request_of(args)).aread(), *args, **kwargs)
        return answer if isinstance(answer, HttpResponseBase) else await answer

    return guarded_async if _is_async(view) else guarded


def _request_of(args: tuple[Any, ...]) -> HttpRequest:
    # A method of a view class has its request second, and a framework on top of Django has one of its own.
    request: HttpRequest = next(each for each in args if hasattr(each, "META"))
    return request


class _Caller:
    """The session of one request, looked up once."""

    def __init__(self, auth: Auth[Any], request: HttpRequest) -> None:
        self._auth = auth
        self._request = request
        self._found: SessionData[Any, Any] | None = None
        self.is_known = False
        self.added: list[Header] = []

    def read(self) -> SessionData[Any, Any] | None:
        if not self.is_known:
            self._keep(self._wait())
        return self._found

    async def aread(self) -> SessionData[Any, Any] | None:
        if not self.is_known:
            self._keep(await _awaited(self._auth, self._request, self._look_up))
        return self._found

    @async_unsafe(TOO_EARLY)
    def _wait(self) -> Found:
        if isinstance(self._request, ASGIRequest):
            return async_to_sync(self._look_up)()
        return self._auth.run(self._look_up)

    async def _look_up(self) -> Found:
        return await session_of(self._auth, Headers.of(self._request.headers))

    def _keep(self, read: Found) -> None:
        self._found, self.added = read
        self.is_known = True


def _caller_of(request: HttpRequest) -> _Caller:
    caller: _Caller | None = getattr(request, CALLER, None)
    if caller is None:
        raise ConfigError('add "portico.hosts.django.SessionMiddleware" to settings.MIDDLEWARE')
    return caller


async def _awaited(auth: Auth[Any], request: HttpRequest, call: Callable[[], Coroutine[Any, Any, ReplyT]]) -> ReplyT:
    if isinstance(request, ASGIRequest):
        return await call()
    # Under WSGI, Django makes a loop for this one view and drops it; connections of the store must outlive that.
    return auth.run(call)


class _AuthPattern(RegexPattern):
    """Matches what lies below the base path of an Auth; the whole of it is the view's argument `rest`."""

    def __init__(self, paths: AuthPaths) -> None:
        super().__init__("")
        self._paths = paths

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        known = below_mount("/" + quote(path, errors="replace"), get_script_prefix(), self._paths.base)
        return ("", (), {"rest": path}) if known in self._paths else None


def _view(auth: Auth[Any]) -> Callable[..., Any]:
    async def serve(request: HttpRequest, rest: str) -> HttpResponseBase:
        try:
            body = _body_of(request, auth)
        except ApiError as refusal:
            return _Answer(refused(refusal))
        if body is None:
            return _Answer(wsgi.TRUNCATED)
        call = Request(
            method=request.method or "",
            path=_path_of(request, rest, auth.site.path),
            query=_query_of(request),
            headers=Headers.of(request.headers),
            body=body,
            peer=request.META.get("REMOTE_ADDR", ""),
            scheme=request.scheme or "",
        )
        response = await _awaited(auth, request, partial(auth.handler, call))
        return _Answer(response, _work(auth, request, response))

    setattr(serve, "csrf_exempt", True)
    # For Django's LoginRequiredMiddleware, and for ATOMIC_REQUESTS.
    setattr(serve, "login_required", False)
    setattr(serve, "_non_atomic_requests", set(connections))
    return serve


def _path_of(request: HttpRequest, rest: str, base: str) -> str:
    # A prefix that only the settings tell is not in the path under ASGI.
    mount = request.path.removesuffix(rest).rstrip("/") or get_script_prefix()
    if isinstance(request, ASGIRequest):
        path = asgi.sent_path(request.scope)
    else:
        path = wsgi.as_sent(request.META, request.path.encode(errors="replace"))
    return below_mount(path, mount, base) if mount else path


def _query_of(request: HttpRequest) -> str:
    if isinstance(request, ASGIRequest):
        query: bytes = request.scope.get("query_string", b"")
        return query.decode("latin-1")
    return str(request.META.get("QUERY_STRING", ""))


def _body_of(request: HttpRequest, auth: Auth[Any]) -> bytes | None:
    """Return the body, or None when it did not arrive whole.

    DATA_UPLOAD_MAX_MEMORY_SIZE is about `request.body`, and is answered with a page.
    """
    limit = auth.advanced.max_body_size
    try:
        expected = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if expected > limit:
        raise ApiError(PAYLOAD_TOO_LARGE)
    body: bytes | None
    if hasattr(request, "_body"):
        body = request.body
    elif getattr(request, "_read_started", False):
        if expected:
            raise body_was_read(expected)
        body = b""
    elif isinstance(request, WSGIRequest):
        # Django takes a body without a length for none.
        source = request if expected else request.environ["wsgi.input"]
        body = wsgi.body_of(request.environ, source, auth)
    else:
        body = request.read(limit + 1)
        if expected and not body:
            raise body_is_missing(expected, Headers.of(request.headers))
    if body is not None and len(body) > limit:
        raise ApiError(PAYLOAD_TOO_LARGE)
    return body


def _work(auth: Auth[Any], request: HttpRequest, response: Response) -> Callable[[], None] | None:
    """Return what runs when the server is done with a response."""
    if not response.background:
        return None
    if isinstance(request, ASGIRequest):
        # Django closes a response in a thread, and waits for it.
        return lambda: async_to_sync(auth.finish)(response)
    return Thread(target=auth.run, args=(auth.finish, response), name="portico-background").start


class _Answer(HttpResponse):
    """A response of an Auth."""

    def __init__(self, response: Response, work: Callable[[], None] | None = None) -> None:
        super().__init__(response.body, status=response.status)
        self._work = work
        del self["content-type"]
        for name, value in response.headers:
            if name == "set-cookie":
                _set_cookie(self, value)
            else:
                self[name] = f"{self[name]}, {value}" if name in self else value
        if response.status != NO_CONTENT:
            self["content-length"] = str(len(response.body))

    def close(self) -> None:
        super().close()
        work, self._work = self._work, None
        if work is not None:
            work()


class _Line(Morsel[str]):
    """A cookie whose header line is final: `Morsel` would write it anew, and knows not every attribute."""

    def __init__(self, line: str) -> None:
        super().__init__()
        name, _, rest = line.partition("=")
        value, *attributes = rest.split("; ")
        self.set(name, value, value)
        for attribute in attributes:
            key, _, setting = attribute.partition("=")
            if self.isReservedKey(key):
                self[key] = setting or "True"
        self._line = line

    def OutputString(self, attrs: Container[str] | None = None) -> str:  # noqa: N802  # the name of the standard library
        return self._line


def _set_cookie(response: HttpResponseBase, line: str) -> None:
    cookie = _Line(line)
    response.cookies[cookie.key] = cookie
