"""Encrypted tokens: JWE with a shared key, upstream's form. See RFC 7516 and RFC 7518 §4.5."""

from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from portico.crypto import base64url
from portico.crypto.claims import Claims, are_current, read_claims, write_claims
from portico.crypto.keyring import Keyring, derive_key
from portico.crypto.random import random_uuid

INFO = b"BetterAuth.js Generated Encryption Key"
WRITTEN = "A256CBC-HS512"
KEY_BYTES = {WRITTEN: 64, "A256GCM": 32}
"""Content encryptions we read, and their key lengths; HKDF makes the short key a prefix of the long one."""
HEADER_NAMES = frozenset({"alg", "enc", "kid", "typ", "cty"})
CLOCK_TOLERANCE = 15
"""Seconds."""
MAX_CIPHERTEXT = 512 * 1024
"""Bytes of base64; a chunked cookie holds at most 400,000."""
PARTS = 5


class Envelope:
    """Seals claims with the current secret of a keyring and opens what any of them sealed.

    `salt` names the purpose: what was sealed under one salt cannot be opened under another.
    """

    def __init__(self, keyring: Keyring, salt: str) -> None:
        derived = [derive_key(secret, salt=salt.encode(), info=INFO, length=64) for secret in keyring.accepted]
        self._keys = {
            enc: {OctKey.import_key(raw).thumbprint(): OctKey.import_key(raw[:length]) for raw in derived}
            for enc, length in KEY_BYTES.items()
        }
        self._kid, self._key = next(iter(self._keys[WRITTEN].items()))
        self._registry = jwe.JWERegistry(algorithms=["dir", *KEY_BYTES])
        self._registry.max_ciphertext_length = MAX_CIPHERTEXT

    def seal(self, claims: Claims, lifetime: int, now: int) -> str:
        """Return `claims` as a dotted JWE that can be opened for `lifetime` seconds from `now`, in unix seconds."""
        text = write_claims({**claims, "iat": now, "exp": now + lifetime, "jti": random_uuid()})
        header = {"alg": "dir", "enc": WRITTEN, "kid": self._kid}
        return jwe.encrypt_compact(header, text, self._key, registry=self._registry)

    def unseal(self, token: str, now: int) -> dict[str, Any] | None:
        """Return the claims, or None when anything is wrong with the token."""
        for key in self._candidates(token):
            try:
                text = jwe.decrypt_compact(token, key, registry=self._registry).plaintext
            except (JoseError, ValueError):
                continue
            claims = read_claims(text or b"")
            return claims if claims is not None and are_current(claims, now, leeway=CLOCK_TOLERANCE) else None
        return None

    def _candidates(self, token: str) -> list[OctKey]:
        """Return the keys that may open `token`: the one that its header names, or all when it names none."""
        parts = token.split(".")
        header = _header(parts[0]) if len(parts) == PARTS else None
        if header is None or parts[1] or header.get("alg") != "dir" or not header.keys() <= HEADER_NAMES:
            return []
        enc, kid = header.get("enc"), header.get("kid")
        keys = self._keys.get(enc, {}) if isinstance(enc, str) else {}
        if kid is None:
            return list(keys.values())
        return [keys[kid]] if isinstance(kid, str) and kid in keys else []


def _header(text: str) -> dict[str, Any] | None:
    try:
        return read_claims(base64url.decode(text))
    except ValueError:
        return None
