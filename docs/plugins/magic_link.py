"""A site without passwords: whoever reads the mailbox is in.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate magic_link:auth
uvicorn magic_link:app --port 3000
"""

import portico
from portico import AdvancedOptions, Auth, Request
from portico.hosts import asgi
from portico.plugins.magic_link import MagicLink, MagicLinkMail


async def send(mail: MagicLinkMail, request: Request | None) -> None:
    """Mail the link; this one only says what it would mail."""
    print(f"To {mail.email}: sign in at {mail.url}")


class Api(portico.Api):
    magic_link = MagicLink(send_magic_link=send, store_token="hashed")


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    advanced=AdvancedOptions(confirm_mailed_links=True),
    api=Api,
)
app = asgi.app(auth)
