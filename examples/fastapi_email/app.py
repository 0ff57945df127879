"""A FastAPI application with sign-up, sign-in and a page for signed-in users.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate app:auth
uvicorn app:app --port 3000
"""

from typing import Annotated

import portico
from fastapi import Depends, FastAPI
from portico import Auth, Column, EmailAndPassword, SessionData
from portico.hosts.fastapi import current_session, mount
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import TwoFactor, TwoFactorUser


class User(portico.User, TwoFactorUser):
    nickname: Annotated[str | None, Column(input=True)] = None


class Api(portico.Api[User, portico.Session]):
    bearer = Bearer()
    two_factor = TwoFactor(issuer="Acme")


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)
app = FastAPI(title="Acme")
mount(app, auth)

CurrentSession = Annotated[SessionData[User, portico.Session], Depends(current_session(auth))]


@app.get("/hello")
async def hello(session: CurrentSession) -> str:
    """Greet the signed-in user."""
    return f"Hello {session.user.nickname or session.user.name}"
