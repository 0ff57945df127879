"""The service that knows who people are, and gives them tokens that the others verify without asking it.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate accounts:auth
uvicorn accounts:app --port 3000
"""

from fastapi import FastAPI
from portico import AnyApi, Auth, EmailAndPassword, SessionData
from portico.hosts.fastapi import mount
from portico.plugins.jwt import Jwt


def claims(session: SessionData) -> dict[str, str]:
    """Return what a token says of its user: as little as the other services need, as anybody can read it."""
    return {"email": session.user.email}


auth: Auth[AnyApi] = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    plugins=[
        Jwt(
            audience="http://localhost:3001",
            define_payload=claims,
            expiration_time="10m",
            rotation_interval=30 * 24 * 60 * 60,
        )
    ],
)
app = FastAPI(title="Accounts")
mount(app, auth)
