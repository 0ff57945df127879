import hashlib
import hmac
from base64 import b64encode
from typing import Any

import pytest

from portico.crypto.keyring import Keyring
from portico.crypto.signing import Signer
from requirements import requirement
from upstream import CRYPTO, SECRET

SAMPLES: list[dict[str, Any]] = CRYPTO["signed_cookie"]["samples"]
SIGNER = Signer(Keyring(SECRET))


@requirement("B-58")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["value"])
def test_signatures_are_upstreams(sample: dict[str, Any]) -> None:
    signed = f"{sample['value']}.{sample['signature']}"
    assert SIGNER.sign(sample["value"]) == signed
    assert SIGNER.verify(signed) == sample["value"]


@requirement("S02")
def test_a_change_of_any_letter_makes_a_signature_worthless() -> None:
    signed = SIGNER.sign("abc.def")
    for position, letter in enumerate(signed):
        changed = signed[:position] + ("A" if letter != "A" else "B") + signed[position + 1 :]
        assert SIGNER.verify(changed) is None


@requirement("S02", "I01")
@pytest.mark.parametrize(
    "hostile",
    [
        "",
        ".",
        "..",
        "abc",
        "abc.",
        ".abc",
        "ü",
        "abc.ü",
        "abc.\ud800",
        "\udfff.abc",
        "abc.\0",
        "a" * 20_000,
        "." * 20_000,
    ],
)
def test_what_we_did_not_sign_is_nothing_and_raises_nothing(hostile: str) -> None:
    assert SIGNER.verify(hostile) is None


@requirement("S02")
@pytest.mark.parametrize("spelling", ["{0}=", "{0} ", " {0}", "{0}\n", "{1}"])
def test_a_signature_has_one_spelling(spelling: str) -> None:
    signed = SIGNER.sign("abc")
    without_padding = signed.rstrip("=")
    assert SIGNER.verify(spelling.format(signed, without_padding)) is None


@requirement("ARCH-rotation", "J02")
def test_every_listed_secret_is_accepted_and_the_first_one_signs() -> None:
    old, rotated = Signer(Keyring("old")), Signer(Keyring("old", [(2, "new"), (1, "other")]))
    assert rotated.sign("value") == Signer(Keyring("new")).sign("value")
    assert rotated.verify(old.sign("value")) == "value"
    assert rotated.verify(Signer(Keyring("other")).sign("value")) == "value"
    assert rotated.verify(Signer(Keyring("retired")).sign("value")) is None
    assert old.verify(rotated.sign("value")) is None


@requirement("ARCH-rotation", "B-38")
def test_tags_on_bytes_follow_the_same_secrets() -> None:
    old, rotated = Signer(Keyring("old")), Signer(Keyring(None, [(2, "new"), (1, "old")]))
    assert rotated.is_tag(b"message", old.tag(b"message"))
    assert not old.is_tag(b"message", rotated.tag(b"message"))
    assert not rotated.is_tag(b"other", rotated.tag(b"message"))
    assert not rotated.is_tag(b"message", "ü\ud800")


@requirement("B-58")
@pytest.mark.parametrize("length", [1, 63, 64, 65, 300])
def test_a_secret_of_any_length_keys_a_true_hmac(length: int) -> None:
    secret = "é" * length
    expected = hmac.new(secret.encode(), b"message", hashlib.sha256).digest()
    signature = Signer(Keyring(secret)).sign("message").rpartition(".")[2]
    assert signature.encode() == b64encode(expected)
