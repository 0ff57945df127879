"""Two AWS Lambda functions behind one HTTP API: Portico, and a function of your own for signed-in callers.

The API hands `ANY /api/auth/{proxy+}` to `app.auth_handler` and `GET /greeting` to `app.greeting`. To try them:

export BETTER_AUTH_SECRET=$(portico secret)
export BETTER_AUTH_URL=https://api.example.com
export DATABASE_URL=sqlite:///auth.db
portico migrate app:auth
python invoke.py auth_handler events/sign_up.json
python invoke.py auth_handler events/sign_in.json
"""

import json
import os
from typing import Any

import portico
from portico import Auth, EmailAndPassword, SessionData
from portico.hosts.aws_lambda import Event, handler, session_required

# BETTER_AUTH_URL is the public address of the API.
auth = Auth(
    database=os.environ["DATABASE_URL"],
    email_and_password=EmailAndPassword(enabled=True),
)
auth_handler = handler(auth)


@session_required(auth)
def greeting(event: Event, _context: Any, caller: SessionData[portico.User, portico.Session]) -> dict[str, Any]:
    """Greet the signed-in user."""
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps({"text": f"Hello {caller.user.name}", "path": event["rawPath"]}),
    }
