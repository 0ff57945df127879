"""An API for the tool in tool.py, which signs in by a code that its user approves in a browser.

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
from portico.plugins.device_authorization import DeviceAuthorization


class Api(portico.Api):
    bearer = Bearer()
    device_authorization = DeviceAuthorization(validate_client=lambda client_id: client_id == "acme-cli", interval=1)


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
