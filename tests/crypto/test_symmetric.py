import json
from typing import Any
from urllib.parse import unquote

import pytest

from portico.crypto.keyring import Keyring
from portico.crypto.symmetric import Cabinet, DecryptionError, is_sealed
from portico.errors import PorticoError
from requirements import requirement
from upstream import COOKIES, CRYPTO, ROTATED, SECRET

SAMPLES: list[dict[str, Any]] = CRYPTO["symmetric_encrypt"]["samples"]
VERSIONED: list[dict[str, Any]] = CRYPTO["symmetric_encrypt"]["rotation"]["samples"]
TWO_FACTOR: dict[str, Any] = CRYPTO["two_factor_storage"]
CABINET = Cabinet(Keyring(SECRET))


@requirement("ARCH-formats")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: repr(sample["plaintext"]))
def test_what_upstream_encrypted_can_be_read(sample: dict[str, Any]) -> None:
    assert CABINET.decrypt(sample["ciphertext"]) == sample["plaintext"]


@requirement("ARCH-formats")
@pytest.mark.parametrize("text", ["", "hello", "pässwörd 🔐", "nul\0", "lone \ud800", "x" * 100_000])
def test_encrypted_text_is_hex_of_nonce_ciphertext_and_tag_and_comes_back(text: str) -> None:
    sealed = CABINET.encrypt(text)
    assert len(sealed) == 2 * (24 + len(text.encode("utf-8", "surrogatepass")) + 16)
    assert is_sealed(sealed)
    assert CABINET.decrypt(sealed) == text
    assert CABINET.encrypt(text) != sealed


@requirement("B-59")
@pytest.mark.parametrize("sample", VERSIONED, ids=lambda sample: str(sample["version"]))
def test_what_upstream_encrypted_while_rotating_can_be_read(sample: dict[str, Any]) -> None:
    cabinet = Cabinet(Keyring(SECRET, ROTATED))
    assert cabinet.decrypt(sample["ciphertext"]) == sample["plaintext"]


@requirement("B-59", "J02")
def test_with_versions_the_current_one_is_noted_and_the_older_ones_are_read() -> None:
    old, new = Cabinet(Keyring(None, [(1, "old")])), Cabinet(Keyring(None, [(2, "new"), (1, "old")]))
    assert new.encrypt("text").startswith("$ba$2$")
    assert new.decrypt(new.encrypt("text")) == "text"
    assert new.decrypt(old.encrypt("text")) == "text"
    with pytest.raises(DecryptionError):
        old.decrypt(new.encrypt("text"))


@requirement("B-59")
def test_without_the_legacy_secret_text_without_version_cannot_be_read() -> None:
    with pytest.raises(DecryptionError, match="secret="):
        Cabinet(Keyring(None, ROTATED)).decrypt(SAMPLES[1]["ciphertext"])


@requirement("I01", "J02")
@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "ü",
        "\ud800",
        "hello",
        "abc",
        "00" * 23,
        "00" * 24,
        "00" * 39,
        "00" * 40,
        SAMPLES[1]["ciphertext"][:-2],
        SAMPLES[1]["ciphertext"] + "00",
        SAMPLES[1]["ciphertext"] + "\n",
        "00" + SAMPLES[1]["ciphertext"][2:],
        SAMPLES[1]["ciphertext"].replace("0c", "0c ", 1),
        "$ba$",
        "$ba$1$",
        "$ba$x$" + SAMPLES[1]["ciphertext"],
        "$ba$-1$" + SAMPLES[1]["ciphertext"],
        "$ba$1$" + SAMPLES[1]["ciphertext"],
        f"$ba${'9' * 5000}$" + SAMPLES[1]["ciphertext"],
    ],
)
def test_damaged_text_is_refused_with_one_error(damaged: str) -> None:
    with pytest.raises(DecryptionError):
        CABINET.decrypt(damaged)


@requirement("J02")
def test_another_secret_opens_nothing() -> None:
    with pytest.raises(PorticoError):
        Cabinet(Keyring("another secret")).decrypt(SAMPLES[1]["ciphertext"])


@requirement("B-72")
@pytest.mark.parametrize(
    ("text", "is_it"),
    [("00ff", True), ("$ba$1$00ff", True), ("0ff", False), ("ya29.token", False), ("", False), ("$ba$1$", False)],
)
def test_encrypted_tokens_are_told_from_plain_ones_by_their_form(text: str, is_it: bool) -> None:
    assert is_sealed(text) is is_it


@requirement("B-77", "S-030")
@pytest.mark.parametrize("storage", TWO_FACTOR.values(), ids=TWO_FACTOR.keys())
def test_upstreams_two_factor_rows_can_be_read(storage: dict[str, Any]) -> None:
    row, decrypted = storage["row"], storage["decrypted"]
    assert CABINET.decrypt(row["secret"]) == decrypted["secret"]
    if decrypted["backupCodes"] is not None:
        assert CABINET.decrypt(row["backupCodes"]) == decrypted["backupCodes"]


@requirement("B-100")
def test_upstreams_private_jwk_can_be_read() -> None:
    sample = CRYPTO["jwks_row"]
    assert json.loads(CABINET.decrypt(json.loads(sample["row"]["privateKey"]))) == sample["privateKeyDecrypted"]


@requirement("B-60", "B-64")
def test_upstreams_state_cookie_can_be_read_with_the_key_of_its_purpose_only() -> None:
    sample = COOKIES["oauth_state_cookie"]
    sealed = sample["start"]["setCookie"][0].partition(";")[0].partition("=")[2]
    assert json.loads(Cabinet(Keyring(SECRET).for_purpose("oauth-state-cookie")).decrypt(sealed)) == sample["decrypted"]
    with pytest.raises(DecryptionError):
        CABINET.decrypt(sealed)


@requirement("B-60", "B-59")
def test_upstreams_state_cookie_can_be_read_while_secrets_are_rotated() -> None:
    keyring = Keyring(None, ROTATED).for_purpose("oauth-state-cookie")
    state = json.loads(Cabinet(keyring).decrypt(unquote(CRYPTO["rotation"]["oauth_state_rotation"])))
    assert state["callbackURL"] == "/"
