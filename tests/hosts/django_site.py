"""Django sites of one Auth each, without a module of settings."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from anyio import to_thread
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings
from django.urls import URLPattern

from hosts.conformance.exchange import Answer, Call, environ_of, over_asgi, through_wsgi
from portico import Auth
from portico.hosts import django

CORS = "portico.hosts.django.CorsMiddleware"
SESSION = "portico.hosts.django.SessionMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
USUAL = ("django.middleware.csrf.CsrfViewMiddleware", SESSION)


def forbidden(_request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer what Django's CSRF protection refuses; its own page needs templates."""
    return HttpResponse(reason, status=403)


if not settings.configured:
    settings.configure(
        CSRF_FAILURE_VIEW="hosts.django_site.forbidden",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=(),
        SECRET_KEY="of-django",
        LOGIN_URL="/login",
        LOGGING_CONFIG=None,
    )


class WSGISite(WSGIHandler):
    """A site under WSGI, with URLs of its own."""

    urlconf: tuple[URLPattern, ...] = ()

    def resolve_request(self, request: HttpRequest) -> Any:
        setattr(request, "urlconf", self.urlconf)
        return super().resolve_request(request)


class ASGISite(ASGIHandler):
    """A site under ASGI, with URLs of its own."""

    urlconf: tuple[URLPattern, ...] = ()

    def resolve_request(self, request: HttpRequest) -> Any:
        setattr(request, "urlconf", self.urlconf)
        return super().resolve_request(request)


def site(
    kind: type[WSGISite] | type[ASGISite], auth: Auth[Any], *own: URLPattern, middleware: Sequence[str] = USUAL
) -> Any:
    """Return the application of a site that serves `auth` and has views of its own."""
    with override_settings(PORTICO_AUTH=auth, MIDDLEWARE=list(middleware)):
        made = kind()
        made.urlconf = (*own, *django.urls())
    return made


Drive = Callable[[Any, Call], Awaitable[Answer]]


async def drive_wsgi(application: Any, call: Call) -> Answer:
    return await to_thread.run_sync(through_wsgi, application, environ_of(call))


async def drive_asgi(application: Any, call: Call) -> Answer:
    return await over_asgi(application, call)


def as_sent_by_us(answer: Answer) -> Answer:
    """Return the fields as other hosts have them: Django writes cookies behind a space and in capitals."""
    answer.headers = [(name.lower(), value.strip()) for name, value in answer.headers]
    return answer
