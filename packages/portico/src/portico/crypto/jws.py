"""Tokens signed with key pairs, whose public halves everybody may have. See RFC 7515, 7517, 7518 and 8037."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from portico.crypto import base64url
from portico.crypto.claims import Claims, read_claims, write_claims
from portico.crypto.key_families import ALGORITHMS, FAMILIES, Algorithm

SMALLEST_MODULUS = 2048
"""Of RSA keys, in bits. See RFC 7518 §3.3."""

PrivateKey: TypeAlias = "OKPKey | ECKey | RSAKey"
JsonWebKey = Mapping[str, Any]

TOKEN_TYPES = frozenset({None, "JWT"})
"""What `typ` says of a token that is for whoever asks; others have one use, which its verifier names."""
PARTS = 3
LARGEST_TOKEN = 96 * 1024
"""In characters; far more than fits into a header."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key, in the form that is stored."""

    public: dict[str, str]
    private: dict[str, str]


def generate(algorithm: Algorithm, modulus_length: int = SMALLEST_MODULUS) -> KeyPair:
    """Return a new key pair; `modulus_length` is that of an RSA key, in bits."""
    family = FAMILIES[algorithm]
    key: PrivateKey
    if family.kty == "OKP":
        key = OKPKey.generate_key("Ed25519")
    elif family.kty == "EC":
        key = ECKey.generate_key("P-256" if algorithm == "ES256" else "P-521")
    else:
        key = RSAKey.generate_key(modulus_length)
    members = {name: str(value) for name, value in key.as_dict(private=True).items()}
    return KeyPair(
        public={name: members[name] for name in family.public},
        private={name: members[name] for name in family.private},
    )


def public_members(key: JsonWebKey) -> dict[str, Any]:
    """Return what everybody may know of a key, whatever else is in it."""
    return {name: value for name, value in key.items() if name in _PUBLIC}


class SigningKey:
    """Signs tokens with one private key."""

    def __init__(self, key_id: str, algorithm: Algorithm, private: JsonWebKey) -> None:
        """Read a private JWK.

        Raises:
            ValueError: it is no key of this algorithm.
        """
        self.key_id, self.algorithm = key_id, algorithm
        self._key = _imported(algorithm, private)
        self._registry = _Registry(algorithm)

    def sign(self, claims: Claims, header: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return `claims` as a dotted JWT; `header` adds to the algorithm and the id of the key."""
        protected = {"alg": self.algorithm, "kid": self.key_id, **header}
        return jws.serialize_compact(protected, write_claims(claims), self._key, registry=self._registry)


class VerifyingKey:
    """Verifies what the private half of one public key signed, with one algorithm."""

    def __init__(self, algorithm: Algorithm, public: JsonWebKey) -> None:
        """Read a public JWK.

        Raises:
            ValueError: it is no key of this algorithm.
        """
        self.algorithm = algorithm
        self._key = _imported(algorithm, {name: public.get(name) for name in FAMILIES[algorithm].public})
        self._registry = _Registry(algorithm)

    def opens(self, token: str) -> bool:
        """Tell whether the signature of a token is right."""
        try:
            jws.deserialize_compact(token, self._key, registry=self._registry)
        except (JoseError, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Unproven:
    """A token that was taken apart, and of which nothing is proven yet."""

    text: str
    algorithm: Algorithm
    key_id: str
    claims: dict[str, Any]

    def proven_by(self, key: VerifyingKey) -> dict[str, Any] | None:
        """Return the claims if `key` is of the token's own algorithm and its signature is right."""
        return self.claims if key.algorithm == self.algorithm and key.opens(self.text) else None


def take_apart(
    token: str, algorithms: Collection[str] = ALGORITHMS, types: Collection[str | None] = TOKEN_TYPES
) -> Unproven | None:
    """Return what a token says of itself, or None if it is no JWT that names its key, an algorithm and a type of these.

    The algorithms are those of key pairs, whatever is asked for: a public key is nobody's shared secret.
    """
    parts = token.split(".") if token.isascii() and len(token) <= LARGEST_TOKEN else []
    if len(parts) != PARTS:
        return None
    try:
        header, claims = (read_claims(base64url.decode(part)) for part in parts[:2])
    except ValueError:
        return None
    # We understand no extension: neither `crit` nor, as it changes what is signed, `b64` (RFC 7797).
    if header is None or claims is None or header.keys() & {"crit", "b64"} or header.get("typ") not in tuple(types):
        return None
    algorithm, key_id = header.get("alg"), header.get("kid")
    known: Algorithm | None = next((each for each in ALGORITHMS if each == algorithm and each in algorithms), None)
    return Unproven(token, known, key_id, claims) if known is not None and isinstance(key_id, str) else None


def verifying_key(jwk: JsonWebKey, algorithm: Algorithm) -> VerifyingKey | None:
    """Return the key of a published JWK for one algorithm; None if it is for another one or another use, or broken."""
    # No sets: a hostile key may hold what cannot be hashed.
    if jwk.get("alg") not in (None, algorithm) or jwk.get("use") not in (None, "sig"):
        return None
    try:
        return VerifyingKey(algorithm, jwk)
    except ValueError:
        return None


_PUBLIC = frozenset({"kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "kid", "x5c", "x5t", "x5t#S256", "x5u"})


class _Registry(jws.JWSRegistry):
    """Knows one algorithm."""

    def __init__(self, algorithm: Algorithm) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        """Return the algorithm without the library's advice to call EdDSA by its newer name, which no client knows."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


_IMPORT: Mapping[str, Callable[[Any], PrivateKey]] = MappingProxyType(
    {"OKP": OKPKey.import_key, "EC": ECKey.import_key, "RSA": RSAKey.import_key}
)


def _imported(algorithm: Algorithm, jwk: JsonWebKey) -> PrivateKey:
    family = FAMILIES[algorithm]
    if jwk.get("kty") != family.kty or jwk.get("crv") != family.curve:
        raise ValueError(f"this is no key for {algorithm}")
    members = {name: value for name, value in jwk.items() if name in {*family.public, *family.private}}
    if not all(isinstance(value, str) for value in members.values()):
        raise ValueError("a key holds text only")
    if "n" in members and int.from_bytes(base64url.decode(members["n"])).bit_length() < SMALLEST_MODULUS:
        raise ValueError(f"an RSA key has {SMALLEST_MODULUS} bits at least")
    try:
        return _IMPORT[family.kty](members)
    except (JoseError, TypeError, KeyError) as error:
        raise ValueError("this is no key") from error
