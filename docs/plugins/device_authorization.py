"""Sign-in for a command line: it shows a code, and its user approves it in a browser.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate device_authorization:auth
uvicorn device_authorization:app --port 3000
"""

import portico
from portico import Auth, EmailAndPassword, Pages
from portico.hosts import asgi
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization

CLIENTS = {"acme-cli"}


def is_known(client_id: str) -> bool:
    """Tell whether a client may ask; an application of yours looks it up."""
    return client_id in CLIENTS


class Api(portico.Api):
    bearer = Bearer()
    device_authorization = DeviceAuthorization(validate_client=is_known, page=True, sign_in_page="/sign-in")


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    app_name="Acme",
    pages=Pages(css="--accent: #7a1fa2; --radius: 1rem", dark_css="--accent: #e5b8f4; --accent-text: #3c0055"),
    api=Api,
)
app = asgi.app(auth)
