"""The claims of a token: what was asked for, and what has to be added. See RFC 7519 §4.1."""

from math import isfinite
from typing import Any

from portico.crypto.claims import Claims, is_array
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
    known = {name: value for name, value in wire.items() if value is not None or name not in REGISTERED}
    _check(known)
    lifetime = DEFAULT_LIFETIME if rules.expiration_time is None else rules.expiration_time
    issued: Any = known.get("iat", now)
    added = {
        "exp": known["exp"] if "exp" in known else ends_at(lifetime, issued),
        "iss": known.get("iss", rules.issuer or origin),
        "aud": known.get("aud", rules.audience or origin),
    }
    # What is null is added in its place.
    return {**{name: value for name, value in wire.items() if name in known or name in added}, **added}


def _check(claims: dict[str, Any]) -> None:
    """Refuse what no verifier would understand."""
    for name in claims.keys() & TEXTS:
        if not isinstance(claims[name], str):
            raise TypeError(f"the claim {name} is text, not {claims[name]!r}")
    for name in claims.keys() & NUMBERS:
        value = claims[name]
        if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
            raise TypeError(f"the claim {name} is a number of seconds, not {claims[name]!r}")
    named = claims.get("aud", "")
    if not all(isinstance(each, str) for each in (named if is_array(named) else [named])):
        raise TypeError(f"the claim aud is a text or a list of texts, not {named!r}")
