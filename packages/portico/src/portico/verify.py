"""Who is signed in, read from cookies alone: for services that hold the secret and neither database nor Auth.

Importing this loads none of what a server needs. What the functions say differs, and so does its worth:

- `get_session_cookie` tells that a browser sent something. Anybody can send something: use it to choose a page, never
  to protect one.
- `get_cookie_cache` and `SessionVerifier` prove that a server with the secret said so. A session that was revoked
  since stays valid until its copy is stale, `max_age` of the cookie cache at most.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from portico.cookie_cache import CachedSession, CookieCache
from portico.cookies import SESSION_DATA, SESSION_TOKEN, Cookies
from portico.crypto.keyring import Keyring
from portico.crypto.signing import Signer
from portico.http import Headers, SupportsItems

Strategy = Literal["compact", "jwt", "jwe"]
SECURE = "__Secure-"


class HasHeaders(Protocol):
    """Any framework's request object."""

    @property
    def headers(self) -> SupportsItems: ...


Source = HasHeaders | Mapping[str, str]
"""A request of any framework, or its headers."""

Version = str | Callable[[Mapping[str, Any], Mapping[str, Any]], str]
"""The version of a cookie cache, or what tells it from session and user as they stand on the wire."""


@dataclass(frozen=True, kw_only=True)
class VerifiedSession:
    """A session as its cookie holds it: names and values as on the wire."""

    session: Mapping[str, Any]
    user: Mapping[str, Any]
    updated_at: datetime
    """When the cookie was written: what has changed since is not in it."""
    version: str


class SessionVerifier:
    """Proves sessions by the secret, without asking anybody.

    The server must have the cookie cache on, with the same strategy. Where the answer must be up to date, ask the
    server: with the client, or with `auth.api.get_session`.
    """

    def __init__(
        self,
        secret: str | None = None,
        *,
        secrets: Sequence[tuple[int, str]] = (),
        strategy: Strategy = "compact",
        version: Version | None = None,
        cookie_prefix: str = "better-auth",
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Take what the server was given.

        Args:
            secret: The server's secret.
            secrets: Its secrets while they are being rotated, as (version, secret), the current one first.
            strategy: That of its cookie cache.
            version: The version of its cookie cache, or a function of session and user; copies of any version if None.
            cookie_prefix: The prefix of its cookies.
            clock: Returns the present in UTC; for tests.

        Raises:
            ConfigError: there is no secret.
        """
        keyring = Keyring(secret, secrets)
        signer = Signer(keyring)
        self._version = version
        self._clock = clock or _utc_now
        self._cache = CookieCache(strategy, keyring)
        # A browser sends the secure cookie over https only, where it cannot have been planted by a page without.
        self._jars = [Cookies(signer, secure=secure, prefix=cookie_prefix) for secure in (True, False)]

    def verify(self, source: Source) -> VerifiedSession | None:
        """Return the session that a request carries, or None if it proves none.

        The copy must be genuine, current, and about the session of the signed token that came with it.
        """
        headers = _headers(source)
        for jar in self._jars:
            token = jar.read(headers, SESSION_TOKEN)
            value = jar.read_chunked(headers, SESSION_DATA)
            if token is None or value is None:
                continue
            now = self._clock()
            cached = self._cache.decode(value, int(now.timestamp() * 1000))
            return None if cached is None or not self._is_about(cached, token, now) else _verified(cached)
        return None

    def _is_about(self, cached: CachedSession, token: str, now: datetime) -> bool:
        ends = _date(cached.session.get("expiresAt"))
        return cached.session.get("token") == token and self._has_version(cached) and ends is not None and ends > now

    def _has_version(self, cached: CachedSession) -> bool:
        version = self._version
        if version is None or isinstance(version, str):
            return version in {None, cached.version}
        return cached.version == version(cached.session, cached.user)


def get_session_cookie(source: Source, *, cookie_prefix: str = "better-auth") -> str | None:
    """Return the session cookie as it was sent, or None; nothing about it is verified.

    Good for sending visitors without any cookie to the sign-in page early. It lets in whoever makes one up.
    """
    headers, unsigned = _headers(source), Signer(Keyring("unused: nothing is verified here"))
    for secure in (True, False):
        value = Cookies(unsigned, secure=secure, prefix=cookie_prefix).read_plain(headers, SESSION_TOKEN)
        if value:
            return value
    return None


def get_cookie_cache(
    source: Source,
    secret: str,
    *,
    strategy: Strategy = "compact",
    version: Version | None = None,
    cookie_prefix: str = "better-auth",
) -> VerifiedSession | None:
    """Return the session in a request's cookie copy, or None; `SessionVerifier` does this for many requests."""
    return SessionVerifier(secret, strategy=strategy, version=version, cookie_prefix=cookie_prefix).verify(source)


def _utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # no Auth with a clock is here


def _headers(source: Source) -> Headers:
    # Starlette's Request is a Mapping, too, of its ASGI scope; its headers are what counts.
    found: Any = getattr(source, "headers", source)
    return Headers.of(found)


def _verified(cached: CachedSession) -> VerifiedSession:
    return VerifiedSession(
        session=cached.session,
        user=cached.user,
        updated_at=datetime.fromtimestamp(cached.updated_at / 1000, UTC),
        version=cached.version,
    )


def _date(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
