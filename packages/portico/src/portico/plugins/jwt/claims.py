"""The claims of a token: what was asked for, and what has to be added. See RFC 7519 §4.1."""

from typing import Any

from portico.crypto.claims import Claims
from portico.errors import ConfigError
from portico.plugins.jwt.declarations import TokenRules
from portico.plugins.jwt.lifetime import ends_at
from portico.wire import to_wire

DEFAULT_LIFETIME = "15m"
TEXTS = frozenset({"sub", "iss", "jti"})
NUMBERS = frozenset({"exp", "nbf", "iat"})
REGISTERED = TEXTS | NUMBERS | {"aud"}


def completed_claims(claims: Claims, rules: TokenRules, origin: str, now: int) -> dict[str, Any]:
    """Return the claims with those that every token has; `origin` is ours, and `now` is in unix seconds.

    Raises:
        ConfigError: there is nobody to name as the issuer.
        TypeError: a registered claim is of the wrong type.
    """
    if not origin and not (rules.issuer and rules.audience):
        raise ConfigError("jwt: a call that says no host has no issuer: give DynamicBaseURL a fallback, or issuer=")
    wire = to_wire(dict(claims))
    given = {name: value for name, value in wire.items() if value is not None or name not in REGISTERED}
    _check(given)
    issued: Any = given.get("iat", now)
    given.setdefault("exp", ends_at(rules.expiration_time or DEFAULT_LIFETIME, issued))
    given.setdefault("iss", rules.issuer or origin)
    given.setdefault("aud", rules.audience or origin)
    return given


def _check(claims: dict[str, Any]) -> None:
    """Refuse what no verifier would understand."""
    for name in claims.keys() & TEXTS:
        if not isinstance(claims[name], str):
            raise TypeError(f"the claim {name} is text, not {claims[name]!r}")
    for name in claims.keys() & NUMBERS:
        if not isinstance(claims[name], int | float) or isinstance(claims[name], bool):
            raise TypeError(f"the claim {name} is a number of seconds, not {claims[name]!r}")
