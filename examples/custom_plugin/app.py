"""An application by invitation only: it serves the plugin in portico_invitations.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate app:auth
uvicorn app:app --port 3000
"""

import portico
from fastapi import FastAPI
from portico import Auth, EmailAndPassword
from portico.hosts.fastapi import mount
from portico_invitations import InvitationOnly


class Api(portico.Api):
    invitations = InvitationOnly(founders=("ann@example.com",))


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)
app = FastAPI(title="By invitation")
mount(app, auth)
