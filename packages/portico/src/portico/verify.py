"""Who is signed in, read from cookies or tokens alone: for services that have neither database nor Auth.

Importing this loads none of what a server needs. What the functions say differs, and so does its worth:

- `get_session_cookie` tells that a browser sent something. Anybody can send something: use it to choose a page, never
  to protect one.
- `get_cookie_cache` and `SessionVerifier.verify` prove that a server with the secret said so. A session that was
  revoked since stays valid until its copy is stale, `max_age` of the cookie cache at most.
- `SessionVerifier.verify_copy` proves the same of a copy that the plugin `jwt` signs with a key pair, without a secret.
- `SessionVerifier.verify_token` proves the same of a token of the plugin `jwt`, by public keys and without a secret. A
  session that was revoked since stays valid until its token is over, `expiration_time` of the plugin at most.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from portico.cookie_cache import CachedSession, CookieCache, cached_in
from portico.cookies import SESSION_DATA, SESSION_TOKEN, CookieOverride, Cookies
from portico.crypto.keyring import Keyring
from portico.crypto.signing import Signer
from portico.errors import ConfigError
from portico.http import Headers, SupportsItems
from portico.signed_copies import is_copy
from portico.token_issuer import CopyIssuer, TokenIssuer, TokenVerifier, VerifiedToken

if TYPE_CHECKING:
    from portico.crypto.jws import Unproven

__all__ = [
    "CopyIssuer",
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
NO_KEYRING = Keyring("unused: nothing is verified with it")
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
        copies: CopyIssuer | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Take what the server was given: the secret for its cookies, nothing but `tokens` for its tokens, and nothing
        but `copies` for cookies that a key pair signs.

        Args:
            secret: The server's secret.
            secrets: Its secrets while they are being rotated, as (version, secret), the current one first.
            strategy: That of its cookie cache.
            version: The version of its cookie cache, or a function of session and user; copies of any version if None.
            cookie_prefix: The prefix of its cookies.
            cookies: What it changes about single cookies, of which the names count here.
            tokens: Whose tokens are believed; it may be another server, upstream's or anybody's.
            copies: Whose cookie copies are believed that a key pair signs.
            clock: Returns the present in UTC; for tests.

        Raises:
            ConfigError: there is no secret, no `tokens` and no `copies`, or nobody could be believed.
        """
        self._version = version
        self._clock = clock or _utc_now
        self._tokens = None if tokens is None else TokenVerifier(tokens, self._clock)
        self._copies = None if copies is None else TokenVerifier(copies, self._clock)
        has_secret = secret is not None or bool(secrets)
        keyring = Keyring(secret, secrets) if has_secret or (tokens is None and copies is None) else NO_KEYRING
        self._cache = CookieCache(strategy, keyring) if has_secret else None
        # A browser sends the secure cookie over https only, where it cannot have been planted by a page without.
        self._jars = _jars(Signer(keyring), cookie_prefix, cookies)

    def verify(self, source: Source) -> VerifiedSession | None:
        """Return the session that a request carries, or None if it proves none.

        The copy must be genuine, current, and about the session of the signed token that came with it.

        Raises:
            ConfigError: there is no secret.
        """
        cache = self._cache
        if cache is None:
            raise ConfigError(
                "cookies are proved by the secret of the server: pass secret=, or call verify_copy() or verify_token()"
            )
        token, value = self._brought(source)
        cached = cache.decode(value, int(self._clock().timestamp() * 1000))
        return None if cached is None or not self._is_about(cached, token) else _verified(cached)

    async def verify_copy(self, source: Source) -> VerifiedSession | None:
        """Return the session in a copy that a key pair signed, or None if the request proves none.

        The copy must be genuine, current, and about the session whose token came with it; that token's own signature
        is looked at only where there is a secret.

        Raises:
            KeysUnavailableError: the keys cannot be fetched, and were not for an hour; the copy may be good.
            ConfigError: nobody's copies are believed.
        """
        verifier = self._copy_verifier()
        token, value = self._brought(source)
        return self._copied(await _proven(verifier, verifier.take_apart(value)), token)

    def verify_copy_sync(self, source: Source) -> VerifiedSession | None:
        """Return the same to code that is not async, which waits while keys are fetched."""
        verifier = self._copy_verifier()
        token, value = self._brought(source)
        unproven = verifier.take_apart(value)
        return self._copied(None if unproven is None else verifier.prove(unproven), token)

    async def verify_token(self, source: Source | str) -> VerifiedToken | None:
        """Return the token of an Authorization header, or one that is given itself; None if it proves nobody.

        Keys from a URL are fetched in a thread, so that nothing else waits.

        Raises:
            KeysUnavailableError: they cannot be fetched, and were not for an hour; the token may be good.
            ConfigError: nobody's tokens are believed.
        """
        verifier = self._verifier()
        return await _proven(verifier, verifier.take_apart(_token(source)))

    def verify_token_sync(self, source: Source | str) -> VerifiedToken | None:
        """Return the same to code that is not async, which waits while keys are fetched."""
        verifier = self._verifier()
        unproven = verifier.take_apart(_token(source))
        return None if unproven is None else verifier.prove(unproven)

    def _verifier(self) -> TokenVerifier:
        if self._tokens is None:
            raise ConfigError("tokens are proved by public keys: pass tokens=TokenIssuer(...)")
        return self._tokens

    def _copy_verifier(self) -> TokenVerifier:
        if self._copies is None:
            raise ConfigError("copies that a key pair signs are proved by public keys: pass copies=CopyIssuer(...)")
        return self._copies

    def _brought(self, source: Source) -> tuple[str, str]:
        """Return the token of the session cookie and the copy that came with it; empty without both."""
        headers = _headers(source)
        for jar in self._jars:
            token = (
                jar.read(headers, SESSION_TOKEN) if self._cache else _unsigned(jar.read_plain(headers, SESSION_TOKEN))
            )
            value = jar.read_chunked(headers, SESSION_DATA)
            if token and value is not None:
                return token, value
        return "", ""

    def _copied(self, copy: VerifiedToken | None, token: str) -> VerifiedSession | None:
        cached = cached_in(copy.claims) if copy is not None and is_copy(copy.claims) else None
        return None if cached is None or not self._is_about(cached, token) else _verified(cached)

    def _is_about(self, cached: CachedSession, token: str) -> bool:
        ends = _date(cached.session.get("expiresAt"))
        is_live = ends is not None and ends > self._clock()
        return cached.session.get("token") == token and self._has_version(cached) and is_live

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
    headers, unsigned = _headers(source), Signer(NO_KEYRING)
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


async def _proven(verifier: TokenVerifier, unproven: "Unproven | None") -> VerifiedToken | None:
    """Return a token that proves somebody; keys are fetched in a thread, so that nothing else waits."""
    if unproven is None:
        return None
    if not verifier.keys.is_due(unproven.key_id):
        return verifier.prove(unproven)
    # Who is given the keys needs no event loop.
    from anyio.to_thread import run_sync  # noqa: PLC0415

    return await run_sync(verifier.prove, unproven)


def _unsigned(value: str | None) -> str | None:
    """Return the token of a session cookie, whoever made it."""
    return None if value is None else value.rpartition(".")[0]


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
