"""Signed tokens: JWT with HS256, and nothing else. See RFC 7515 and RFC 7519."""

import hmac
from collections.abc import Sequence
from typing import Any

from portico.crypto import base64url
from portico.crypto.claims import Claims, are_current, read_claims, write_claims

HEADER = base64url.encode(b'{"alg":"HS256"}')
PARTS = 3


def sign_jwt(claims: Claims, secret: str) -> str:
    """Return `claims` as a dotted JWT; the caller adds `iat` and `exp`, in unix seconds."""
    message = f"{HEADER}.{base64url.encode(write_claims(claims))}"
    return f"{message}.{_signature(message.encode(), secret)}"


def verify_jwt(
    token: str, secrets: Sequence[str], now: int, leeway: int = 0, *, must_expire: bool = True
) -> dict[str, Any] | None:
    """Return the claims, or None when anything is wrong with the token.

    `now` is in unix seconds, `leeway` is the tolerated difference between two clocks, in seconds.
    """
    claims = open_jwt(token, secrets)
    if claims is None or not are_current(claims, now, leeway=leeway, must_expire=must_expire):
        return None
    return claims


def open_jwt(token: str, secrets: Sequence[str]) -> dict[str, Any] | None:
    """Return the claims of a genuine token, even of one that is over; who calls this looks at the dates."""
    parts = token.split(".")
    if len(parts) != PARTS or not token.isascii():
        return None
    header, payload, signature = parts
    if header != HEADER and not _is_hs256(header):
        return None
    message, claimed = f"{header}.{payload}".encode(), signature.encode()
    if not any(hmac.compare_digest(_signature(message, secret).encode(), claimed) for secret in secrets):
        return None
    return _decoded(payload)


def _signature(message: bytes, secret: str) -> str:
    return base64url.encode(hmac.digest(secret.encode(), message, "sha256"))


def _is_hs256(text: str) -> bool:
    header = _decoded(text)
    # We understand no extension: neither `crit` nor, as it changes what is signed, `b64` (RFC 7797).
    return header is not None and header.get("alg") == "HS256" and not header.keys() & {"crit", "b64"}


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        return read_claims(base64url.decode(text))
    except ValueError:
        return None
