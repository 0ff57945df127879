"""The service that knows who people are; the others ask it, with the generated client.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate accounts:auth
uvicorn accounts:app --port 3000
"""

from fastapi import FastAPI
from portico import Auth, EmailAndPassword, RateLimitOptions
from portico.hosts.fastapi import mount

auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    # The other services ask for everybody, each from one address.
    rate_limit=RateLimitOptions(custom_rules={"/get-session": False}),
)
app = FastAPI(title="Accounts")
mount(app, auth)
