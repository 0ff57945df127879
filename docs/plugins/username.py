"""A site whose users sign in with a name of their own.

export BETTER_AUTH_SECRET=$(portico secret)
portico migrate username:auth
uvicorn username:app --port 3000
"""

import portico
from portico import Auth, EmailAndPassword
from portico.hosts import asgi
from portico.plugins.username import Username, UsernameUser

RESERVED = {"admin", "root", "support"}


async def is_free_to_take(username: str) -> bool:
    """Refuse names that look like the site's own; it may ask a database as well."""
    return username.isascii() and username.isalnum() and username.lower() not in RESERVED


class User(portico.User, UsernameUser):
    """The two columns, typed."""


class Api(portico.Api[User, portico.Session]):
    username = Username[User](max_length=20, username_validator=is_free_to_take)


auth = Auth(
    base_url="http://localhost:3000",
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
    api=Api,
)
app = asgi.app(auth)
