"""What the plugin declares: its row, its messages, and what some of its options hold."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Required, TypeAlias

from pydantic import Strict
from typing_extensions import TypedDict

from portico.context import Context
from portico.crypto.key_families import Algorithm
from portico.schema import Column, Row
from portico.wire import Omittable, Timestamp, Wire

Lifetime: TypeAlias = str | Annotated[timedelta, Strict()] | Annotated[datetime, Strict()]
"""How long a token is good for: text such as `15m` or `2 days`, a duration, or the moment at which it ends."""

# Rows


class Jwk(Row):
    """A key pair; its id is the `kid` of the tokens that it signed."""

    public_key: str
    """A JWK as JSON."""
    private_key: Annotated[str, Column(returned=False)]
    """A JWK as JSON, or the encrypted text of one as a JSON string."""
    created_at: Timestamp
    expires_at: Timestamp | None = None
    """When it stops to sign."""
    alg: str | None = None
    crv: str | None = None


# Options


@dataclass(frozen=True, kw_only=True)
class KeyRotation:
    """How keys are replaced; another way to say `rotation_interval`, `grace_period` and `keep_previous_keys`."""

    enabled: bool = True

    rotation_interval: int = 30 * 24 * 60 * 60
    """How long a key signs, in seconds."""

    grace_period: int = 30 * 24 * 60 * 60
    """How long its tokens are verified afterwards, in seconds."""

    keep_previous_keys: int | None = None
    """Of the keys in their grace period, at most so many are published."""


@dataclass(frozen=True, kw_only=True)
class NewJwk:
    """A key pair that is about to be kept."""

    public_key: str
    private_key: str
    created_at: datetime
    expires_at: datetime | None
    alg: Algorithm
    crv: str | None


@dataclass(frozen=True, kw_only=True)
class JwksAdapter:
    """Keeps keys elsewhere than in the table."""

    get_jwks: Callable[[Context], Awaitable[Sequence[Jwk] | None]] | None = None
    """Returns every key that there is."""

    create_jwk: Callable[[NewJwk, Context], Awaitable[Jwk]] | None = None
    """Keeps a new key, and returns it with its id. That of two processes one makes a key is for it to see to."""


@dataclass(frozen=True, kw_only=True)
class Unsigned:
    """A token that is to be signed elsewhere."""

    claims: Mapping[str, Any]
    header: Mapping[str, str]
    """What the header must say besides `alg` and `kid`, such as `typ`."""
    key_id: str | None
    """The key that was asked for, if one was."""
    algorithm: Algorithm | None
    """The algorithm that was asked for, if one was."""


# Messages


class PublicKey(TypedDict, total=False):
    """One key in a JSON Web Key Set. See RFC 7517 §4."""

    kty: Required[str]
    kid: Required[str]
    alg: Required[str]
    crv: str
    x: str
    y: str
    n: str
    e: str


class JsonWebKeySet(Wire):
    keys: list[PublicKey]


class Token(Wire):
    token: str
    """A signed JWT."""


class TokenRules(Wire):
    """What a token says where its payload does not; together they take the place of those options."""

    issuer: Omittable[str] = None
    audience: Omittable[str | list[str]] = None
    expiration_time: Omittable[Lifetime] = None


class OverrideOptions(Wire):
    jwt: Omittable[TokenRules] = None


class SignJwt(Wire):
    payload: dict[str, Any]
    """Claims. Of `exp`, `iss` and `aud`, what is missing is added as the options say."""
    override_options: Omittable[OverrideOptions] = None


class VerifyJwt(Wire):
    token: str
    issuer: Omittable[str] = None
    """Whose token it must be, if not ours."""


class VerifiedJwt(Wire):
    payload: dict[str, Any] | None
    """None if the token proves nothing."""
