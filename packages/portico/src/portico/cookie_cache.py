"""The cookie cache: a session and its user in a signed or encrypted cookie, so that most requests need no store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from portico.crypto import base64url
from portico.crypto.claims import is_object, read_claims, write_claims
from portico.crypto.jwt import sign_jwt, verify_jwt
from portico.crypto.keyring import Keyring
from portico.crypto.signing import Signer

if TYPE_CHECKING:
    from portico.crypto.jwe import Envelope

Strategy = Literal["compact", "jwt", "jwe"]
JsonObject = Mapping[str, Any]

SALT = "better-auth-session"
REMEMBERED = 1024
"""Values that need not be verified again."""
_START, _EXPIRES, _SIGNATURE, _END = b'{"session":', b',"expiresAt":', b',"signature":"', b'"}'


@dataclass(slots=True)
class CachedSession:
    """What a cookie cache held, as it would stand on the wire."""

    session: dict[str, Any]
    user: dict[str, Any]
    updated_at: int
    """When the cookie was written, in unix milliseconds."""
    version: str
    expires_at: int
    """When the cookie goes stale, in unix milliseconds; the session itself may end sooner."""
    reply: bytes | None = None
    """The JSON that get-session makes of it, once it was made."""


class CookieCache:
    """Writes and reads the value of the session_data cookie.

    - `compact`: base64url of JSON with a signature; anyone can read it, only we can make it. The fastest.
    - `jwt`: the same as a JWT (HS256), for other services that hold the secret.
    - `jwe`: encrypted; nobody else can read it.
    """

    def __init__(
        self, strategy: Strategy, keyring: Keyring, max_age: int = 300, *, codec: "Codec | None" = None
    ) -> None:
        """Derive the keys; `max_age` is in seconds, and as long a revoked session may still be believed in.

        A `codec` takes the place of what the secret does for this strategy.
        """
        self._max_age = max_age
        # Upstream measures this one strategy by the cookie's own age, and takes a minute for a cookie without.
        self._max_age_of_window = min(max_age, 60) if strategy == "compact" else max_age
        self._genuine: dict[str, CachedSession] = {}
        self._codec = codec or _codec(strategy, keyring)

    def encode(self, session: JsonObject, user: JsonObject, now_ms: int, version: str, *, remember: bool = True) -> str:
        """Return the value for a session and its user, both as they stand on the wire.

        `remember` tells whether the cookie outlives the browser window.
        """
        claims = {"session": session, "user": user, "updatedAt": now_ms, "version": version}
        return self._codec.encode(claims, now_ms, self._max_age if remember else self._max_age_of_window)

    def decode(self, value: str, now_ms: int) -> CachedSession | None:
        """Return what the value holds, or None when it is stale or not ours.

        Whether the session has ended, belongs to the session_token cookie, and has the version in use, is left to ask.
        """
        known = self._genuine.get(value)
        if known is not None and known.expires_at > now_ms:
            # A browser sends the same value until it is stale, and this one was found to be genuine before.
            return known
        claims = self._codec.decode(value, now_ms)
        cached = None if claims is None else cached_in(claims)
        if cached is not None:
            if len(self._genuine) >= REMEMBERED:
                self._genuine.clear()
            self._genuine[value] = cached
        return cached

    def forget(self) -> None:
        """Believe no value any more because it was found to be genuine before: what proved it may be gone."""
        self._genuine.clear()


class Codec(Protocol):
    """One strategy; claims that are decoded are genuine, current, and have `expiresAt` or `exp`."""

    def encode(self, claims: JsonObject, now_ms: int, max_age: int) -> str: ...
    def decode(self, value: str, now_ms: int) -> dict[str, Any] | None: ...


class _Compact:
    """JSON text `{"session":{…},"expiresAt":N,"signature":"…"}`.

    The signature is over the inner object with `expiresAt` added to its end.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._signer = Signer(keyring)

    def encode(self, claims: JsonObject, now_ms: int, max_age: int) -> str:
        inner, expires = write_claims(claims), _EXPIRES + str(now_ms + max_age * 1000).encode()
        tag = self._signer.tag(inner[:-1] + expires + b"}")
        return base64url.encode(_START + inner + expires + _SIGNATURE + tag.encode() + _END)

    def decode(self, value: str, now_ms: int) -> dict[str, Any] | None:
        try:
            text = base64url.decode(value)
        except ValueError:
            return None
        signed = _spliced(text) or _rewritten(text)
        if signed is None or not self._signer.is_tag(*signed):
            return None
        claims = read_claims(signed[0])
        expires = None if claims is None else claims.get("expiresAt")
        return claims if type(expires) is int and expires > now_ms else None


class _Jwt:
    """HS256 JWT."""

    def __init__(self, keyring: Keyring) -> None:
        self._current, self._accepted = keyring.current, keyring.accepted

    def encode(self, claims: JsonObject, now_ms: int, max_age: int) -> str:
        now = now_ms // 1000
        return sign_jwt({**claims, "iat": now, "exp": now + max_age}, self._current)

    def decode(self, value: str, now_ms: int) -> dict[str, Any] | None:
        return verify_jwt(value, self._accepted, now_ms // 1000)


class _Jwe:
    """JWE."""

    def __init__(self, envelope: "Envelope") -> None:
        self._envelope = envelope

    def encode(self, claims: JsonObject, now_ms: int, max_age: int) -> str:
        return self._envelope.seal(claims, max_age, now_ms // 1000)

    def decode(self, value: str, now_ms: int) -> dict[str, Any] | None:
        return self._envelope.unseal(value, now_ms // 1000)


def _codec(strategy: Strategy, keyring: Keyring) -> Codec:
    if strategy == "compact":
        return _Compact(keyring)
    if strategy == "jwt":
        return _Jwt(keyring)
    # Its library takes longer to import than all the rest of the package; only this strategy needs it.
    from portico.crypto.jwe import Envelope  # noqa: PLC0415

    return _Jwe(Envelope(keyring, SALT))


def _spliced(text: bytes) -> tuple[bytes, str] | None:
    """Return the signed bytes and their tag, cut out of text that is laid out as upstream and we write it."""
    head, _, signature = text.rpartition(_SIGNATURE)
    inner, _, expires = head.rpartition(_EXPIRES)
    if not (inner.startswith(_START) and inner.endswith(b"}") and signature.endswith(_END) and expires.isdigit()):
        return None
    return inner[len(_START) : -1] + _EXPIRES + expires + b"}", signature[: -len(_END)].decode("latin-1")


def _rewritten(text: bytes) -> tuple[bytes, str] | None:
    """Return the signed bytes and their tag for the same JSON in another layout."""
    outer = read_claims(text) or {}
    session, tag = outer.get("session"), outer.get("signature")
    if not is_object(session) or not isinstance(tag, str):
        return None
    return write_claims({**session, "expiresAt": outer.get("expiresAt")}), tag


def cached_in(claims: JsonObject) -> CachedSession | None:
    """Return what claims that were proven hold, or None if they are no session's."""
    session, user = claims.get("session"), claims.get("user")
    updated_at, version = claims.get("updatedAt"), claims.get("version")
    if not is_object(session) or not is_object(user) or not isinstance(updated_at, int) or not isinstance(version, str):
        return None
    expires_at = claims["expiresAt"] if "expiresAt" in claims else claims["exp"] * 1000
    return CachedSession(session=session, user=user, updated_at=updated_at, version=version, expires_at=int(expires_at))
