"""Base64 for URLs and cookies, without padding. See RFC 4648 §5."""

from binascii import a2b_base64, b2a_base64

_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")
# One letter alone cannot end a text; "!" is no base64 at all.
_PADDING = ("", "!", "==", "=")


def encode(raw: bytes) -> str:
    """Return `raw` as text."""
    return b2a_base64(raw, newline=False).rstrip(b"=").translate(_FROM_STANDARD).decode()


def decode(text: str) -> bytes:
    """Return the bytes that `text` stands for; raise ValueError when it holds anything else."""
    if "+" in text or "/" in text or "=" in text:
        raise ValueError("this is standard base64, not the one for URLs")
    standard = text.replace("-", "+").replace("_", "/")
    return a2b_base64(standard + _PADDING[len(text) % 4], strict_mode=True)
