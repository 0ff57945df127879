"""Opens the cookies of both servers with the shared secret, without any of the product's own code."""

import hmac
import json
import warnings
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jws
from joserfc.errors import BadSignatureError, SecurityWarning
from joserfc.jwk import import_key

from parity.servers import SECRET

UNRESERVED = "!'()*-._~"
"""What encodeURIComponent leaves alone, besides letters and digits."""


def signed(value: str) -> dict[str, Any]:
    """Split a signed value and say whether its signature is right; works on the percent-encoded form and the plain."""
    plain = unquote(value)
    content, _, signature = plain.rpartition(".")
    expected = b64encode(hmac.digest(SECRET.encode(), content.encode(), "sha256")).decode()
    return {
        "signed": content,
        "signature": "valid" if hmac.compare_digest(signature, expected) else "invalid",
        "encoding": "percent" if value == quote(plain, safe=UNRESERVED) else "plain" if value == plain else "other",
    }


def session_data(value: str, *, salt: bytes = b"better-auth-session") -> dict[str, Any]:
    """Open a cached session, whatever its strategy; or an account, whose salt is another."""
    dots = value.count(".")
    try:
        return _jwe(value, salt) if dots == 4 else _jwt(value) if dots == 2 else _compact(value)
    except (ValueError, KeyError, TypeError):
        return {"strategy": "unreadable"}


def _compact(value: str) -> dict[str, Any]:
    raw = _decoded(value).decode()
    content = json.loads(raw)
    signature = content.pop("signature")
    payload = _serialized({**content["session"], "expiresAt": content["expiresAt"]})
    expected = _encoded(hmac.digest(SECRET.encode(), payload.encode(), "sha256"))
    return {
        "strategy": "compact",
        **content,
        "signature": "valid" if hmac.compare_digest(signature, expected) else "invalid",
        "serialization": raw == _serialized({**content, "signature": signature}),
    }


def opened(token: str) -> tuple[dict[str, Any], bool]:
    """Return the claims of a token, and whether its signature is right."""
    header, payload, signature = token.split(".")
    expected = _encoded(hmac.digest(SECRET.encode(), f"{header}.{payload}".encode(), "sha256"))
    return json.loads(_decoded(payload)), hmac.compare_digest(signature, expected)


def public_keys(rows: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the public keys among the rows, by their ids."""
    return {row["id"]: json.loads(row["publicKey"]) for row in rows.get("jwks", ())}


def opened_by_row(token: str, keys: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Return header and claims of a token that a key pair signed, and whether the key that it names proves them."""
    header, payload, _ = token.split(".")
    said: dict[str, Any] = json.loads(_decoded(header))
    jwk = keys.get(str(said.get("kid")))
    is_genuine = False
    if jwk is not None:
        with warnings.catch_warnings():
            # EdDSA has a newer name, which upstream does not use.
            warnings.simplefilter("ignore", SecurityWarning)
            with suppress(BadSignatureError):
                jws.deserialize_compact(token, import_key(jwk), algorithms=[str(said["alg"])])
                is_genuine = True
    return said, json.loads(_decoded(payload)), is_genuine


def _jwt(value: str) -> dict[str, Any]:
    header, payload, signature = value.split(".")
    expected = _encoded(hmac.digest(SECRET.encode(), f"{header}.{payload}".encode(), "sha256"))
    return {
        "strategy": "jwt",
        "header": json.loads(_decoded(header)),
        "payload": json.loads(_decoded(payload)),
        "signature": "valid" if hmac.compare_digest(signature, expected) else "invalid",
    }


def _jwe(value: str, salt: bytes) -> dict[str, Any]:
    """Open what `dir` and A256CBC-HS512 made. See RFC 7518 §5.2."""
    header, _, vector, text, tag = value.split(".")
    derivation = HKDF(SHA256(), 64, salt, b"BetterAuth.js Generated Encryption Key")
    key = derivation.derive(SECRET.encode())
    authenticated = header.encode() + _decoded(vector) + _decoded(text) + (len(header) * 8).to_bytes(8, "big")
    expected = hmac.digest(key[:32], authenticated, "sha512")[:32]
    if not hmac.compare_digest(_decoded(tag), expected):
        return {"strategy": "unreadable"}
    cipher = Cipher(AES(key[32:]), CBC(_decoded(vector))).decryptor()
    padded = cipher.update(_decoded(text)) + cipher.finalize()
    thumbprint = sha256(_serialized({"k": _encoded(key), "kty": "oct"}).encode()).digest()
    return {
        "strategy": "jwe",
        "header": json.loads(_decoded(header)),
        "payload": json.loads(padded[: -padded[-1]]),
        "kid": _encoded(thumbprint),
    }


def _serialized(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
