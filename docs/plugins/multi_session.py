"""Several accounts in one browser, as at a shared desk.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate multi_session:auth
uvicorn multi_session:app --port 3000
"""

import portico
from portico import Auth, EmailAndPassword
from portico.hosts import asgi
from portico.plugins.multi_session import MultiSession


class Api(portico.Api):
    multi_session = MultiSession(maximum_sessions=3)


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)
app = asgi.app(auth)
