"""Digests under which tokens, keys and codes are stored."""

import hashlib

from portico.crypto import base64url


def hash_token(text: str) -> str:
    """Return the SHA-256 of `text` in base64url without padding, upstream's form for whatever is stored hashed."""
    return base64url.encode(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
