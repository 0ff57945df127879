"""What somebody writes who has installed `portico`; checked against the installed wheel, never run."""

from collections.abc import Sequence
from typing import assert_type

import portico
from portico import Auth, Challenge, EmailAndPassword, Request, Response, SessionData, SignedIn
from portico.endpoints.sign_in import SignInEmail
from portico.plugins.two_factor import TwoFactor, TwoFactorUser


class User(portico.User, TwoFactorUser):
    nickname: str | None = None


class Api(portico.Api[User, portico.Session]):
    two_factor = TwoFactor[User](issuer="Acme")


auth = Auth(base_url="https://example.com", email_and_password=EmailAndPassword(enabled=True), api=Api)


async def use() -> None:
    assert_type(await auth.handler(Request(method="GET", path="/api/auth/ok")), Response)
    assert_type(await auth.api.get_session(None), SessionData[User, portico.Session] | None)
    assert_type(await auth.api.sign_in_email(None, SignInEmail(email="", password="")), SignedIn[User] | Challenge)
    assert_type(await auth.api.list_sessions(None), Sequence[portico.Session])
