"""The algorithms of key pairs that tokens are signed with, and what their keys hold. See RFC 7518 and RFC 8037."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Algorithm = Literal["EdDSA", "ES256", "ES512", "PS256", "RS256"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


@dataclass(frozen=True, slots=True)
class Family:
    """The kind of key that an algorithm signs with."""

    kty: str
    curve: str | None
    public: tuple[str, ...]
    private: tuple[str, ...]
    """Names of the members of a whole key, in the order in which upstream writes them."""


_OKP = Family("OKP", "Ed25519", ("crv", "x", "kty"), ("crv", "d", "x", "kty"))
_RSA = Family("RSA", None, ("kty", "n", "e"), ("kty", "n", "e", "d", "p", "q", "dp", "dq", "qi"))
FAMILIES: Mapping[Algorithm, Family] = MappingProxyType(
    {
        "EdDSA": _OKP,
        "ES256": Family("EC", "P-256", ("kty", "x", "y", "crv"), ("kty", "x", "y", "crv", "d")),
        "ES512": Family("EC", "P-521", ("kty", "x", "y", "crv"), ("kty", "x", "y", "crv", "d")),
        "PS256": _RSA,
        "RS256": _RSA,
    }
)
