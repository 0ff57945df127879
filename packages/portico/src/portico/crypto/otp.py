"""Codes of authenticator apps. See RFC 6238."""

import hmac
from base64 import b32decode, b32encode
from urllib.parse import quote, quote_plus

from pyotp.totp import TOTP

DIGITS = 6
PERIOD = 30
BASE32 = "base32:"
"""Begins a secret that was not made here: upstream keeps what is imported in the form in which apps know it."""


class _Totp(TOTP):
    def byte_secret(self) -> bytes:
        # Of any length: what is imported may have the 80 bits that many services give to apps.
        return b32decode(self.secret + "=" * (-len(self.secret) % 8))


def totp_code(secret: str, step: int, *, digits: int = DIGITS) -> str:
    """Return the code of one time step, which is unix seconds divided by the period, rounded down."""
    return _Totp(_base32(secret), digits=digits).generate_otp(step)


def totp_step(secret: str, code: str, now_step: int, *, digits: int = DIGITS) -> int | None:
    """Return the time step that `code` belongs to; one step of drift each way (RFC 6238 §5.2).

    Whoever accepts the code notes the step: each works once.
    """
    claimed = code.encode("utf-8", "surrogatepass")
    found: int | None = None
    # Every step is compared, so that the time taken does not tell which one it was.
    for step in range(max(now_step - 1, 0), now_step + 2):
        if hmac.compare_digest(totp_code(secret, step, digits=digits).encode(), claimed):
            found = step
    return found


def totp_uri(secret: str, *, issuer: str, account: str, digits: int = DIGITS, period: int = PERIOD) -> str:
    """Return the otpauth: URI that an authenticator app reads from a QR code."""
    label = f"{_component(issuer)}:{_component(account)}"
    return (
        f"otpauth://totp/{label}?secret={_base32(secret)}&issuer={_form_value(issuer)}&digits={digits}&period={period}"
    )


def _base32(secret: str) -> str:
    if secret.startswith(BASE32):
        return secret.removeprefix(BASE32).upper().rstrip("=")
    # Upstream encodes the letters of the secret, not what they stand for.
    return b32encode(secret.encode()).decode().rstrip("=")


def _component(text: str) -> str:
    """Percent-encode as JavaScript's encodeURIComponent does."""
    return quote(text, safe="!'()*", errors="replace")


def _form_value(text: str) -> str:
    """Percent-encode as JavaScript's URLSearchParams does."""
    return quote_plus(text, safe="*", errors="replace").replace("~", "%7E")
