"""Cookie copies of sessions that a key pair signs in place of the secret: everybody can verify them by `/jwks`."""

from datetime import datetime, timedelta
from typing import Any

from portico.context import Context
from portico.cookie_cache import JsonObject
from portico.cookies import SESSION_DATA
from portico.crypto.claims import are_current
from portico.crypto.jws import SigningKey, VerifyingKey, take_apart, verifying_key
from portico.errors import ConfigError
from portico.plugins.jwt.keys import Keys
from portico.signed_copies import AUDIENCE, TYPE, is_copy

KNOWN_FOR = timedelta(minutes=1)
"""How long keys are used before they are looked up again; a key is published for longer before it signs."""


class SessionCopies:
    """Writes and reads such copies; whoever calls it has called `prepare` before."""

    def __init__(self, keys: Keys, issuer: str) -> None:
        self._keys, self._issuer = keys, issuer
        self._signing: SigningKey | None = None
        self._verifying: dict[str, VerifyingKey] = {}
        self._known_since: datetime | None = None

    async def prepare(self, ctx: Context) -> bool:
        """Look the keys up, as cookies are written and read where nothing can be waited for; tell whether one is gone.

        A browser that brings a copy asks for its session, most of the time, and then keys of a minute ago will do.
        """
        now = ctx.now()
        is_known = self._known_since is not None and timedelta() <= now - self._known_since < KNOWN_FOR
        if is_known and ctx.cookies.read_chunked(ctx.headers, SESSION_DATA) is not None:
            return False
        self._signing, published = await self._keys.in_use(ctx)
        found: dict[str, VerifyingKey] = {}
        for key in published:
            algorithm = self._keys.algorithm_of(key)
            public = None if algorithm is None else verifying_key(self._keys.shown(key), algorithm)
            if public is not None:
                found[key.id] = public
        before = self._verifying
        self._verifying, self._known_since = found, now
        return not before.keys() <= found.keys()

    def encode(self, claims: JsonObject, now_ms: int, max_age: int) -> str:
        """Return the value of the cookie."""
        if self._signing is None:
            raise ConfigError("jwt: sessions with session_cookie_cache are started and changed within endpoints only")
        now = now_ms // 1000
        added: dict[str, Any] = {
            "sid": claims["session"]["token"],
            "iat": now,
            "exp": now + max_age,
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": claims["user"]["id"],
        }
        return self._signing.sign({**claims, **added}, {"typ": TYPE})

    def decode(self, value: str, now_ms: int) -> dict[str, Any] | None:
        """Return what the value holds, or None when it is stale or not ours."""
        unproven = take_apart(value, types=(TYPE,))
        key = self._verifying.get(unproven.key_id) if unproven else None
        claims = unproven.proven_by(key) if unproven and key else None
        if claims is None or not are_current(claims, now_ms // 1000):
            return None
        is_ours = claims.get("iss") == self._issuer and claims.get("aud") == AUDIENCE
        return claims if is_ours and is_copy(claims) else None
