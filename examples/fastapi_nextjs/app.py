"""The back end of a Next.js front end: Portico answers upstream's JavaScript client, FastAPI the rest of `/api`.

The browser talks to Next.js only, which hands `/api` on to this server (web/next.config.ts). So there is one origin:
cookies are first-party, and nothing has to be allowed across origins.

export BETTER_AUTH_SECRET=$(portico secret)
export BETTER_AUTH_URL=http://localhost:3000
portico migrate app:auth
uvicorn app:app --port 8000 --no-proxy-headers
"""

from typing import Annotated

import portico
from fastapi import Depends, FastAPI
from portico import AdvancedOptions, Auth, EmailAndPassword, SessionData
from portico.hosts.fastapi import current_session, mount

# BETTER_AUTH_URL is the address of the front end: what people see.
auth = Auth(
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    # Every request comes from Next.js, which hands on the X-Forwarded-For of the proxy in front of it.
    advanced=AdvancedOptions(trusted_proxies=("127.0.0.1", "::1")),
)
app = FastAPI(title="Acme")
mount(app, auth)

CurrentSession = Annotated[SessionData[portico.User, portico.Session], Depends(current_session(auth))]


@app.get("/api/greeting")
async def greeting(session: CurrentSession) -> dict[str, str]:
    """Greet the signed-in user."""
    return {"text": f"Hello {session.user.name}, says FastAPI."}
