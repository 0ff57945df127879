"""Cookie copies of sessions that a key pair signs in place of the secret: what makes a token one.

The plugin `jwt` writes them, here and at upstream, and whoever has the public keys can prove them.
"""

from collections.abc import Mapping
from typing import Any

from portico.crypto.claims import is_object

TYPE = "better-auth.session-cache+jwt"
AUDIENCE = "better-auth:session-cache"


def is_copy(claims: Mapping[str, Any]) -> bool:
    """Tell whether claims that were proven are about the session and the user that they hold."""
    session, user = claims.get("session"), claims.get("user")
    if not is_object(session) or not is_object(user):
        return False
    return claims.get("sid") == session.get("token") and claims.get("sub") == user.get("id")
