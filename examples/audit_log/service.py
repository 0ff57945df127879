"""An application that keeps an audit log: it serves the plugin in audit.py.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate service:auth
uvicorn service:app --port 3000
"""

import portico
from fastapi import FastAPI
from audit import AuditLog
from portico import Auth, EmailAndPassword
from portico.hosts.fastapi import mount


class Api(portico.Api):
    audit_log = AuditLog()


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)
app = FastAPI(title="With an audit log")
mount(app, auth)
