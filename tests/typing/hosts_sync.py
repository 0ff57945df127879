"""Never run. Checked by mypy and basedpyright: the types that users of the sync hosts see."""

from typing import Any, assert_type

from django.http import HttpResponse
from django.urls import path

import portico
from portico import Auth, SessionData
from portico.hosts import aws_lambda, django, flask
from portico.hosts.aws_lambda import Event, LambdaHandler
from portico.hosts.django import AuthRequest, SessionRequest


class User(portico.User):
    nickname: str | None = None


class Api(portico.Api[User, portico.Session]):
    pass


auth = Auth(secret="s", base_url="https://example.com", api=Api)


@flask.session_required(auth)
def flask_view(word: str) -> str:
    assert_type(flask.current_session(auth), SessionData[User, portico.Session])
    assert_type(flask.optional_session(auth), SessionData[User, portico.Session] | None)
    return word


@flask.login_required(auth, "/login")
async def flask_page(number: int) -> str:
    return str(number)


flask_view(word="a")
flask_page(1)


def django_view(request: AuthRequest[User, portico.Session]) -> HttpResponse:
    assert_type(request.auth_session, SessionData[User, portico.Session] | None)
    return HttpResponse()


async def django_async_view(request: AuthRequest[User, portico.Session]) -> HttpResponse:
    assert_type(await request.aauth_session(), SessionData[User, portico.Session] | None)
    return HttpResponse()


@django.session_required
def django_guarded(request: SessionRequest[User, portico.Session], word: str) -> HttpResponse:
    assert_type(request.auth_session, SessionData[User, portico.Session])
    return HttpResponse(word)


@django.login_required
async def django_page(request: SessionRequest[User, portico.Session]) -> HttpResponse:
    assert_type(request.auth_session.user, User)
    return HttpResponse()


@django.login_required(login_url="/in")
def django_other_page(_request: SessionRequest[User, portico.Session]) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    *django.urls(auth),
    path("view", django_view),
    path("async", django_async_view),
    path("guarded/<word>", django_guarded),
    path("page", django_page),
    path("other", django_other_page),
]


@aws_lambda.session_required(auth)
def lambda_function(_event: Event, _context: Any, session: SessionData[User, portico.Session]) -> dict[str, Any]:
    return {"statusCode": 200, "body": session.user.nickname}


def lambda_sessions(event: Event) -> None:
    session, headers = aws_lambda.session_of_event(auth, event)
    assert_type(session, SessionData[User, portico.Session] | None)
    assert_type(aws_lambda.with_headers(event, {}, headers), dict[str, Any])


assert_type(lambda_function, LambdaHandler)
assert_type(aws_lambda.handler(auth), LambdaHandler)
assert_type(aws_lambda.cors(lambda_function, auth), LambdaHandler)
