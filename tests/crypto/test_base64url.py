import pytest

from portico.crypto import base64url
from requirements import requirement

pytestmark = requirement("RFC 4648")


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"foob", "Zm9vYg"), (b"\xfb\xff\xfe", "-__-")],
)
def test_bytes_become_letters_for_urls_without_padding(raw: bytes, text: str) -> None:
    assert base64url.encode(raw) == text
    assert base64url.decode(text) == raw


@pytest.mark.parametrize(
    "text", ["Z", "Zg==", "+//+", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9v!", "Zm9vü", "\ud800", "Zm9vZ", "\0"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its subclasses are binascii's and codecs' own
        base64url.decode(text)
