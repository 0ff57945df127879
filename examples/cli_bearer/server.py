"""An API for the tool in tool.py: it takes bearer tokens, so that a program without cookies can sign in.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate server:auth
uvicorn server:app --port 3000
"""

from typing import Annotated

import portico
from fastapi import Depends, FastAPI
from portico import Auth, EmailAndPassword, SessionData
from portico.hosts.fastapi import current_session, mount
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import TwoFactor


class Api(portico.Api):
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

CurrentSession = Annotated[SessionData[portico.User, portico.Session], Depends(current_session(auth))]


@app.get("/projects")
async def projects(session: CurrentSession) -> list[str]:
    """List the caller's projects."""
    return [f"{session.user.name}'s first project"]
