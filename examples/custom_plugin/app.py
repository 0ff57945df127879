"""An application by invitation only: it serves the plugin in plugin.py.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate app:auth
uvicorn app:app --port 3000
"""

import portico
from fastapi import FastAPI
from plugin import Invitations
from portico import Auth, EmailAndPassword
from portico.hosts.fastapi import mount


class Api(portico.Api):
    invitations = Invitations(founders=("ann@example.com",))


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)
app = FastAPI(title="By invitation")
mount(app, auth)
