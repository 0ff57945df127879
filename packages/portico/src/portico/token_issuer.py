"""Tokens of an issuer, proved by its public keys alone. See RFC 7519 §7.2 and RFC 8725."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portico.crypto.claims import are_current, is_array
from portico.crypto.key_families import ALGORITHMS, Algorithm
from portico.errors import ConfigError
from portico.key_sets import Fetch, GivenKeys, Keys, RemoteKeys, check_url, fetched
from portico.signed_copies import AUDIENCE, TYPE

if TYPE_CHECKING:
    from portico.crypto.jws import Unproven


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Whose signatures are believed, and when."""

    issuer: str
    """What `iss` must be; the origin of the server's base URL unless its options say otherwise."""

    jwks: str | Mapping[str, Any]
    """The URL of the public keys, such as `https://auth.example.com/api/auth/jwks`, or the key set itself. Keys from a
    URL are kept for ten minutes, and fetched again when a token names another one, at most every thirty seconds."""

    algorithms: Sequence[Algorithm] = ALGORITHMS
    """What tokens may be signed with; never anything with a shared secret. A key is good for its own algorithm only."""

    leeway: int = 30
    """By how much the clocks of issuer and verifier may differ, in seconds."""

    allow_http: bool = False
    """Keys may come over http from another machine: whoever is on the way can replace them."""

    fetch: Fetch | None = None
    """Returns what is at a URL, with an HTTP client of your own; it raises OSError or ValueError if that fails."""


@dataclass(frozen=True, kw_only=True)
class TokenIssuer(Issuer):
    """Whose tokens are believed, and when."""

    audience: str | Sequence[str]
    """What `aud` must be or contain; one of these."""


@dataclass(frozen=True, kw_only=True)
class CopyIssuer(Issuer):
    """Whose cookie copies of sessions are believed that a key pair signs: `Jwt(session_cookie_cache=True)`, or
    `sessionCookieCache` of a TypeScript server. Their `iss` is the origin of its base URL, whatever its options say."""


@dataclass(frozen=True, kw_only=True)
class VerifiedToken:
    """A token that is genuine, current, and for us."""

    subject: str
    """The id of the user, unless the server's options say otherwise."""
    claims: Mapping[str, Any]
    expires_at: datetime


class TokenVerifier:
    """Proves tokens of one issuer."""

    def __init__(self, issuer: TokenIssuer | CopyIssuer, clock: Callable[[], datetime]) -> None:
        """Read what is believed.

        Raises:
            ConfigError: nothing could be, or anything.
        """
        audience = issuer.audience if isinstance(issuer, TokenIssuer) else AUDIENCE
        _check(issuer, audience)
        self._issuer, self._clock = issuer, clock
        self._audience = {audience} if isinstance(audience, str) else set(audience)
        self.keys = _keys_of(issuer, clock)

    def take_apart(self, token: str) -> "Unproven | None":
        """Return what a token says of itself; None if nothing could prove it."""
        # The library behind this takes longer to import than all the rest of a verifier.
        from portico.crypto.jws import TOKEN_TYPES, take_apart  # noqa: PLC0415

        types = TOKEN_TYPES if isinstance(self._issuer, TokenIssuer) else (TYPE,)
        return take_apart(token, self._issuer.algorithms, types)

    def prove(self, token: "Unproven") -> VerifiedToken | None:
        """Return a token that proves somebody; blocks while keys are fetched."""
        key = self.keys.find(token.key_id, token.algorithm)
        claims = None if key is None else token.proven_by(key)
        now = int(self._clock().timestamp())
        if claims is None or not are_current(claims, now, leeway=self._issuer.leeway):
            return None
        subject, audience = claims.get("sub"), claims.get("aud")
        named = audience if is_array(audience) else [audience]
        is_for_us = any(isinstance(each, str) and each in self._audience for each in named)
        if claims.get("iss") != self._issuer.issuer or not is_for_us or not isinstance(subject, str) or not subject:
            return None
        try:
            ends = datetime.fromtimestamp(claims["exp"], UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return VerifiedToken(subject=subject, claims=claims, expires_at=ends)


def _check(issuer: Issuer, audience: str | Sequence[str]) -> None:
    if not issuer.issuer or not audience or (not isinstance(audience, str) and not all(audience)):
        raise ConfigError("issuer and audience say whose tokens are believed and for whom they are; name both")
    unknown = [each for each in issuer.algorithms if each not in ALGORITHMS]
    if unknown or not issuer.algorithms or isinstance(issuer.algorithms, str):
        raise ConfigError(f"algorithms is a list of {', '.join(ALGORITHMS)}, not {issuer.algorithms!r}")
    if issuer.leeway < 0:
        raise ConfigError(f"leeway counts from 0, so it is not {issuer.leeway}")


def _keys_of(issuer: Issuer, clock: Callable[[], datetime]) -> Keys:
    if isinstance(issuer.jwks, str):
        check_url(issuer.jwks, allows_http=issuer.allow_http)
        return RemoteKeys(issuer.jwks, issuer.fetch or fetched, clock)
    try:
        return GivenKeys(issuer.jwks)
    except ValueError as error:
        raise ConfigError(f"jwks is a URL or a key set: {error}") from None
