"""A site with a second factor: an authenticator app, or codes that are sent.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate two_factor:auth
uvicorn two_factor:app --port 3000
"""

import portico
from portico import Auth, EmailAndPassword, Request
from portico.hosts import asgi
from portico.plugins.two_factor import (
    EnableTwoFactor,
    OtpEnabled,
    OtpMail,
    OtpOptions,
    TwoFactor,
    TwoFactorEnabled,
    TwoFactorUser,
    qr_code_svg,
)


async def send(mail: OtpMail, request: Request | None) -> None:
    """Send the code; this one only says what it would send."""
    print(f"To {mail.user.email}: your code is {mail.otp}")


class User(portico.User, TwoFactorUser):
    """The column that says whether it is on, typed."""


class Api(portico.Api[User, portico.Session]):
    two_factor = TwoFactor[User](issuer="Acme", otp=OtpOptions(send_otp=send, store_otp="hashed"))


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)
app = asgi.app(auth)


async def set_up(request: Request, password: str) -> str:
    """Return the HTML that the page for setting up an authenticator app shows, once."""
    match await auth.api.two_factor.enable(request, EnableTwoFactor(password=password)):
        case TwoFactorEnabled(totp_uri=uri, backup_codes=codes):
            return f"{qr_code_svg(uri)}<ol>{''.join(f'<li><code>{code}</code></li>' for code in codes)}</ol>"
        case OtpEnabled():
            return "<p>A code is sent at each sign-in.</p>"
