"""Who is signed in, read from cookies or tokens alone: for services that have neither database nor Auth.

Importing this loads none of what a server needs. What the functions say differs, and so does its worth:

- `get_session_cookie` tells that a browser sent something. Anybody can send something: use it to choose a page, never
  to protect one.
- `get_cookie_cache` and `SessionVerifier.verify` prove that a server with the secret said so. A session that was
  revoked since stays valid until its copy is stale, `max_age` of the cookie cache at most.
- `SessionVerifier.verify_token` proves the same of a token of the plugin `jwt`, by public keys and without a secret. A
  session that was revoked since stays valid until its token is over, `expiration_time` of the plugin at most.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, Protocol

from portico.cookie_cache import CachedSession, CookieCache
from portico.cookies import SESSION_DATA, SESSION_TOKEN, CookieOverride, Cookies
from portico.crypto.keyring import Keyring
from portico.crypto.signing import Signer
from portico.errors import ConfigError
from portico.http import Headers, SupportsItems
from portico.token_issuer import TokenIssuer, TokenVerifier, VerifiedToken

__all__ = [
    "SessionVerifier",
    "Source",
    "Strategy",
    "TokenIssuer",
    "VerifiedSession",
    "VerifiedToken",
    "Version",
    "get_cookie_cache",
    "get_session_cookie",
]

Strategy = Literal["compact", "jwt", "jwe"]
AS_NAMED: Mapping[str, CookieOverride] = MappingProxyType({})


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
    """Proves sessions without asking anybody: cookies by the secret, tokens by the public keys of their issuer.

    For cookies the server must have the cookie cache on, with the same strategy; for tokens it must have the plugin
    `jwt`. Where the answer must be up to date, ask the server: with the client, or with `auth.api.get_session`.
    """

    def __init__(
        self,
        secret: str | None = None,
        *,
        secrets: Sequence[tuple[int, str]] = (),
        strategy: Strategy = "compact",
        version: Version | None = None,
        cookie_prefix: str = "better-auth",
        cookies: Mapping[str, CookieOverride] = AS_NAMED,
        tokens: TokenIssuer | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Take what the server was given: the secret for its cookies, nothing but `tokens` for its tokens.

        Args:
            secret: The server's secret.
            secrets: Its secrets while they are being rotated, as (version, secret), the current one first.
            strategy: That of its cookie cache.
            version: The version of its cookie cache, or a function of session and user; copies of any version if None.
            cookie_prefix: The prefix of its cookies.
            cookies: What it changes about single cookies, of which the names count here.
            tokens: Whose tokens are believed; it may be another server, upstream's or anybody's.
            clock: Returns the present in UTC; for tests.

        Raises:
            ConfigError: there is neither a secret nor `tokens`, or nobody could be believed.
        """
        self._version = version
        self._clock = clock or _utc_now
        self._tokens = None if tokens is None else TokenVerifier(tokens, self._clock)
        self._cache: CookieCache | None = None
        self._jars: Sequence[Cookies] = ()
        if tokens is not None and secret is None and not secrets:
            return
        keyring = Keyring(secret, secrets)
        signer = Signer(keyring)
        self._cache = CookieCache(strategy, keyring)
        # A browser sends the secure cookie over https only, where it cannot have been planted by a page without.
        self._jars = _jars(signer, cookie_prefix, cookies)

    def verify(self, source: Source) -> VerifiedSession | None:
        """Return the session that a request carries, or None if it proves none.

        The copy must be genuine, current, and about the session of the signed token that came with it.

        Raises:
            ConfigError: there is no secret.
        """
        cache = self._cache
        if cache is None:
            raise ConfigError("cookies are proved by the secret of the server: pass secret=, or call verify_token()")
        headers = _headers(source)
        for jar in self._jars:
            token = jar.read(headers, SESSION_TOKEN)
            value = jar.read_chunked(headers, SESSION_DATA)
            if token is None or value is None:
                continue
            now = self._clock()
            cached = cache.decode(value, int(now.timestamp() * 1000))
            return None if cached is None or not self._is_about(cached, token, now) else _verified(cached)
        return None

    async def verify_token(self, source: Source | str) -> VerifiedToken | None:
        """Return the token of an Authorization header, or one that is given itself; None if it proves nobody.

        Keys from a URL are fetched in a thread, so that nothing else waits.

        Raises:
            KeysUnavailableError: they cannot be fetched, and were not for an hour; the token may be good.
            ConfigError: nobody's tokens are believed.
        """
        verifier = self._verifier()
        unproven = verifier.take_apart(_token(source))
        if unproven is None:
            return None
        if not verifier.keys.is_due(unproven.key_id):
            return verifier.prove(unproven)
        # Who is given the keys needs no event loop.
        from anyio.to_thread import run_sync  # noqa: PLC0415

        return await run_sync(verifier.prove, unproven)

    def verify_token_sync(self, source: Source | str) -> VerifiedToken | None:
        """Return the same to code that is not async, which waits while keys are fetched."""
        verifier = self._verifier()
        unproven = verifier.take_apart(_token(source))
        return None if unproven is None else verifier.prove(unproven)

    def _verifier(self) -> TokenVerifier:
        if self._tokens is None:
            raise ConfigError("tokens are proved by public keys: pass tokens=TokenIssuer(...)")
        return self._tokens

    def _is_about(self, cached: CachedSession, token: str, now: datetime) -> bool:
        ends = _date(cached.session.get("expiresAt"))
        return cached.session.get("token") == token and self._has_version(cached) and ends is not None and ends > now

    def _has_version(self, cached: CachedSession) -> bool:
        version = self._version
        if version is None or isinstance(version, str):
            return version in {None, cached.version}
        return cached.version == version(cached.session, cached.user)


def get_session_cookie(
    source: Source, *, cookie_prefix: str = "better-auth", cookies: Mapping[str, CookieOverride] = AS_NAMED
) -> str | None:
    """Return the session cookie as it was sent, or None; nothing about it is verified.

    Good for sending visitors without any cookie to the sign-in page early. It lets in whoever makes one up.
    """
    headers, unsigned = _headers(source), Signer(Keyring("unused: nothing is verified here"))
    for jar in _jars(unsigned, cookie_prefix, cookies):
        value = jar.read_plain(headers, SESSION_TOKEN)
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
    cookies: Mapping[str, CookieOverride] = AS_NAMED,
) -> VerifiedSession | None:
    """Return the session in a request's cookie copy, or None; `SessionVerifier` does this for many requests."""
    verifier = SessionVerifier(secret, strategy=strategy, version=version, cookie_prefix=cookie_prefix, cookies=cookies)
    return verifier.verify(source)


def _jars(signer: Signer, prefix: str, overrides: Mapping[str, CookieOverride]) -> Sequence[Cookies]:
    """Return the cookies of a server with https, and of one without."""
    names: dict[str, CookieOverride] = {
        each: {"name": override["name"]} for each, override in overrides.items() if "name" in override
    }
    return [Cookies(signer, secure=secure, prefix=prefix, custom=names) for secure in (True, False)]


def _utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # no Auth with a clock is here


def _token(source: Source | str) -> str:
    if isinstance(source, str):
        return source
    scheme, _, token = (_headers(source).get("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


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
