import json
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from portico.crypto import base64url
from portico.crypto.jwe import INFO, Envelope
from portico.crypto.keyring import Keyring, derive_key
from requirements import requirement
from upstream import COOKIES, CRYPTO, ROTATED, SECRET

SAMPLES: list[dict[str, Any]] = CRYPTO["jwe"]["samples"]
SALT = "better-auth-session"
NOW: int = SAMPLES[0]["decoded"]["iat"]
KEY = bytes.fromhex(SAMPLES[0]["derivedKeyHex"])
ENVELOPE = Envelope(Keyring(SECRET), SALT)


def encrypt(header: dict[str, Any], claims: bytes, key: bytes) -> str:
    """Return a token that another implementation might make."""
    algorithms = ["dir", "A256CBC-HS512", "A256GCM", "A128CBC-HS256", "DEF"]
    return jwe.encrypt_compact(header, claims, OctKey.import_key(key), algorithms=algorithms)


def header_of(token: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(base64url.decode(token.partition(".")[0]))
    return header


@requirement("S-161", "ARCH-formats")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["salt"])
def test_what_upstream_sealed_can_be_opened_under_its_salt_only(sample: dict[str, Any]) -> None:
    assert derive_key(SECRET, salt=sample["salt"].encode(), info=INFO, length=64).hex() == sample["derivedKeyHex"]
    assert Envelope(Keyring(SECRET), sample["salt"]).unseal(sample["token"], NOW) == sample["decoded"]
    assert Envelope(Keyring(SECRET), "another").unseal(sample["token"], NOW) is None


@requirement("B-71", "ARCH-formats")
def test_upstreams_account_cookie_can_be_opened() -> None:
    sample = COOKIES["account_data_cookie"]
    value = sample["setCookie"][1].partition(";")[0].partition("=")[2]
    envelope = Envelope(Keyring(SECRET), "better-auth-account")
    assert envelope.unseal(value, sample["payload"]["iat"]) == sample["payload"]


@requirement("S-161", "ARCH-formats")
def test_what_we_seal_has_upstreams_header_and_claims() -> None:
    token = ENVELOPE.seal({"hello": "wörld"}, 300, NOW)
    assert header_of(token) == SAMPLES[0]["header"]
    assert base64url.decode(token.partition(".")[0]) == (
        b'{"alg":"dir","enc":"A256CBC-HS512","kid":"a4sLmH9QBmzQpeodyYjzmXVXPGz9AujNLlDhVAKC24Q"}'
    )
    claims = ENVELOPE.unseal(token, NOW)
    assert claims is not None
    assert list(claims) == ["hello", "iat", "exp", "jti"]
    assert claims == {"hello": "wörld", "iat": NOW, "exp": NOW + 300, "jti": claims["jti"]}
    assert ENVELOPE.seal({"hello": "wörld"}, 300, NOW) != token


@requirement("S-161")
def test_a_token_is_good_for_15_seconds_past_its_end() -> None:
    token = ENVELOPE.seal({}, 300, NOW)
    assert ENVELOPE.unseal(token, NOW + 314) is not None
    assert ENVELOPE.unseal(token, NOW + 315) is None


@requirement("B-59", "J02")
def test_what_upstream_sealed_while_rotating_can_be_opened_with_the_right_secret_only() -> None:
    token = CRYPTO["rotation"]["jwe_rotation"]
    claims = Envelope(Keyring(None, ROTATED), SALT).unseal(token, NOW)
    assert claims is not None
    assert claims["user"]["email"]
    assert ENVELOPE.unseal(token, NOW) is None


@requirement("B-59", "J02")
def test_the_current_secret_seals_and_the_older_ones_open() -> None:
    rotated = Envelope(Keyring(SECRET, [(1, "new")]), SALT)
    assert header_of(rotated.seal({}, 60, NOW))["kid"] != header_of(ENVELOPE.seal({}, 60, NOW))["kid"]
    assert rotated.unseal(SAMPLES[0]["token"], NOW) == SAMPLES[0]["decoded"]
    assert ENVELOPE.unseal(rotated.seal({}, 60, NOW), NOW) is None


@requirement("S-161")
def test_a_token_that_names_no_key_is_tried_with_all_of_them() -> None:
    token = encrypt({"alg": "dir", "enc": "A256CBC-HS512"}, b'{"exp":9999999999}', KEY)
    assert Envelope(Keyring(SECRET, [(1, "new")]), SALT).unseal(token, NOW) == {"exp": 9999999999}
    assert Envelope(Keyring("other"), SALT).unseal(token, NOW) is None


@requirement("S-161")
def test_a256gcm_is_read_and_never_written() -> None:
    token = encrypt({"alg": "dir", "enc": "A256GCM"}, b'{"exp":9999999999}', KEY[:32])
    assert ENVELOPE.unseal(token, NOW) == {"exp": 9999999999}
    named = encrypt({"alg": "dir", "enc": "A256GCM", "kid": SAMPLES[0]["kid"]}, b'{"exp":9999999999}', KEY[:32])
    assert ENVELOPE.unseal(named, NOW) == {"exp": 9999999999}
    assert header_of(ENVELOPE.seal({}, 60, NOW))["enc"] == "A256CBC-HS512"


@requirement("S-161")
def test_a_header_may_have_every_name_that_we_know() -> None:
    header = {"alg": "dir", "enc": "A256CBC-HS512", "kid": SAMPLES[0]["kid"], "typ": "JWT", "cty": "json"}
    assert ENVELOPE.unseal(encrypt(header, b'{"exp":9999999999}', KEY), NOW) == {"exp": 9999999999}


@requirement("O03", "I01")
@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({"alg": "dir", "enc": "A128CBC-HS256"}, KEY[:32]),
        ({"alg": "dir", "enc": "A256CBC-HS512", "zip": "DEF"}, KEY),
        ({"alg": "dir", "enc": "A256CBC-HS512", "kid": "another"}, KEY),
        ({"alg": "dir", "enc": "A256CBC-HS512"}, KEY[::-1]),
    ],
)
def test_other_algorithms_keys_and_compression_are_refused(header: dict[str, Any], key: bytes) -> None:
    assert ENVELOPE.unseal(encrypt(header, b'{"exp":9999999999}', key), NOW) is None


@requirement("RFC 7519")
@pytest.mark.parametrize(
    "claims", [b"", b"[]", b"{}", b"no json", b'{"exp":"9999999999"}', b'{"exp":9999999999,"nbf":9999999998}']
)
def test_genuine_text_that_is_no_current_claims_is_refused(claims: bytes) -> None:
    assert ENVELOPE.unseal(encrypt({"alg": "dir", "enc": "A256CBC-HS512"}, claims, KEY), NOW) is None


HEADER, _, IV, CIPHERTEXT, TAG = SAMPLES[0]["token"].split(".")


@requirement("I01")
@pytest.mark.parametrize(
    "token",
    [
        "",
        "....",
        ".....",
        "ü....",
        "\ud800....",
        f"{HEADER}....",
        f"{HEADER}..{IV}.{CIPHERTEXT}",
        f"{HEADER}..{IV}.{CIPHERTEXT}.{TAG}.",
        f"{HEADER}.AAAA.{IV}.{CIPHERTEXT}.{TAG}",
        f"{HEADER}..{IV}.{CIPHERTEXT}.",
        f"{HEADER}...{CIPHERTEXT}.{TAG}",
        f"{HEADER}..{IV[:-2]}.{CIPHERTEXT}.{TAG}",
        f"{HEADER}..{IV}..{TAG}",
        f"{HEADER}..{IV}.ü.{TAG}",
        f"{HEADER}..{IV}.{CIPHERTEXT}.{TAG[::-1]}",
        f"{HEADER}..{IV}.{CIPHERTEXT[::-1]}.{TAG}",
        *(
            f"{base64url.encode(header)}..{IV}.{CIPHERTEXT}.{TAG}"
            for header in (
                b"{}",
                b"[]",
                b'{"alg":"dir"}',
                b'{"alg":["dir"],"enc":"A256CBC-HS512"}',
                b'{"alg":"dir","enc":["A256CBC-HS512"]}',
                b'{"alg":"dir","enc":"A256CBC-HS512","kid":{}}',
                b'{"alg":"dir","enc":"A256CBC-HS512","crit":["x"],"x":1}',
                b'{"alg":"A256KW","enc":"A256CBC-HS512"}',
                b'{"alg":"dir","enc":"A256CBC-HS512"}',
            )
        ),
    ],
)
def test_garbage_is_refused(token: str) -> None:
    assert ENVELOPE.unseal(token, NOW) is None


@requirement("S-161")
def test_a_value_as_large_as_all_chunks_of_a_cookie_fits() -> None:
    token = ENVELOPE.seal({"image": "i" * 290_000}, 60, NOW)
    claims = ENVELOPE.unseal(token, NOW)
    assert claims is not None
    assert len(claims["image"]) == 290_000
