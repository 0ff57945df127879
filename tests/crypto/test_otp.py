from base64 import b32decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from portico.crypto.otp import totp_code, totp_step, totp_uri
from requirements import requirement
from upstream import CRYPTO

STORED: list[dict[str, Any]] = list(CRYPTO["two_factor_storage"].values())
URIS: list[dict[str, Any]] = CRYPTO["totp_uris"]
SECRET = "12345678901234567890"
# RFC 6238, appendix B: seconds and code, for SHA-1.
RFC_6238 = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@requirement("RFC 6238")
@pytest.mark.parametrize(("seconds", "code"), RFC_6238)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    step = seconds // 30
    assert totp_code(SECRET, step, digits=8) == code
    assert totp_step(SECRET, code, step, digits=8) == step
    assert totp_step(SECRET, code[2:], step) == step


@requirement("M03", "S-033")
@pytest.mark.parametrize(("drift", "is_accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_one_step_early_or_late(drift: int, is_accepted: bool) -> None:
    code = totp_code(SECRET, 1000 + drift)
    assert totp_step(SECRET, code, 1000) == (1000 + drift if is_accepted else None)


@requirement("RFC 6238")
def test_a_secret_in_base32_may_have_eighty_bits_and_any_spelling() -> None:
    key = b32decode("JBSWY3DPEHPK3PXP")
    expected = HOTP(key, 6, SHA1(), enforce_key_length=False).generate(1000).decode()  # RFC 6238
    for spelling in ("base32:JBSWY3DPEHPK3PXP", "base32:jbswy3dpehpk3pxp", "base32:JBSWY3DPEHPK3PXP===="):
        assert totp_code(spelling, 1000) == expected
        assert "secret=JBSWY3DPEHPK3PXP&" in totp_uri(spelling, issuer="Acme", account="ann")


@requirement("RFC 6238")
def test_codes_work_from_the_first_second_of_unix_time() -> None:
    assert totp_step(SECRET, totp_code(SECRET, 0), 0) == 0


@requirement("I01")
@pytest.mark.parametrize(
    "code",
    [
        "",
        "0",
        "28708",
        "2870822",
        "287082 ",
        "\uff12\uff18\uff17\uff10\uff18\uff12",
        "\ud800",
        "287082\0",
        "9" * 10_000,
    ],
)
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp_code(SECRET, 1) == "287082"
    assert totp_step(SECRET, code, 1) is None


@requirement("B-77", "S-030")
@pytest.mark.parametrize("stored", STORED)
def test_uris_are_upstreams(stored: dict[str, Any]) -> None:
    secret, uri = stored["decrypted"]["secret"], stored["response"]["totpURI"]
    assert totp_uri(secret, issuer="RefApp", account="user1@example.com") == uri


@requirement("B-77", "S-030")
@pytest.mark.parametrize("sample", URIS, ids=lambda sample: sample["issuer"])
def test_uris_of_difficult_names_are_upstreams(sample: dict[str, Any]) -> None:
    encoded = sample["uri"].partition("secret=")[2].partition("&")[0]
    secret = b32decode(encoded + "=" * (-len(encoded) % 8)).decode()
    made = totp_uri(
        secret, issuer=sample["issuer"], account=sample["account"], digits=sample["digits"], period=sample["period"]
    )
    assert made == sample["uri"]
