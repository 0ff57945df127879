import hashlib
import hmac
from typing import Any

import pytest

from portico.crypto import base64url
from portico.crypto.jwt import open_jwt, sign_jwt, verify_jwt
from requirements import requirement
from upstream import CRYPTO, SECRET

SAMPLES: list[dict[str, Any]] = CRYPTO["jwt_hs256"]["samples"]
TOKEN: str = SAMPLES[0]["token"]
CLAIMS: dict[str, Any] = SAMPLES[0]["decoded"]
NOW: int = CLAIMS["iat"]
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")


def forge(header: bytes, payload: bytes, secret: str = SECRET) -> str:
    """Return a token whose signature is right, whatever it says."""
    message = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{message}.{base64url.encode(hmac.digest(secret.encode(), message.encode(), hashlib.sha256))}"


@requirement("B-45", "ARCH-formats")
@pytest.mark.parametrize("sample", SAMPLES)
def test_tokens_are_upstreams(sample: dict[str, Any]) -> None:
    assert sign_jwt(sample["decoded"], SECRET) == sample["token"]
    assert verify_jwt(sample["token"], [SECRET], NOW) == sample["decoded"]


@requirement("RFC 7519")
def test_a_token_ends_at_its_second() -> None:
    assert verify_jwt(TOKEN, [SECRET], CLAIMS["exp"] - 1) == CLAIMS
    assert verify_jwt(TOKEN, [SECRET], CLAIMS["exp"]) is None
    assert verify_jwt(TOKEN, [SECRET], CLAIMS["exp"] + 14, leeway=15) == CLAIMS


@requirement("RFC 7519")
def test_a_token_without_end_is_refused_unless_asked_for() -> None:
    token = sign_jwt({"sub": "x"}, SECRET)
    assert verify_jwt(token, [SECRET], NOW) is None
    assert verify_jwt(token, [SECRET], NOW, must_expire=False) == {"sub": "x"}


@requirement("ARCH-rotation", "J02")
def test_any_of_the_secrets_may_have_signed() -> None:
    assert verify_jwt(TOKEN, ["new", SECRET], NOW) == CLAIMS
    assert verify_jwt(TOKEN, ["new"], NOW) is None
    assert verify_jwt(TOKEN, [], NOW) is None


@requirement("O03", "RFC 7515")
@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none"}',
        b'{"alg":"None"}',
        b'{"alg":"hs256"}',
        b'{"alg":"HS512"}',
        b'{"alg":"RS256"}',
        b'{"alg":["HS256"]}',
        b'{"alg":null}',
        b"{}",
        b"[]",
        b"null",
        b"",
        b'{"alg":"HS256","crit":["exp"]}',
        b'{"alg":"HS256","b64":false,"crit":["b64"]}',
        b'{"alg":"HS256","b64":true}',
        b'{"alg":"HS256","a":' + b"[" * 10_000,
    ],
)
def test_only_hs256_without_extensions_is_understood(header: bytes) -> None:
    assert verify_jwt(forge(header, b'{"exp":9999999999}'), [SECRET], NOW) is None


@requirement("RFC 7515")
def test_a_header_may_say_more_than_the_algorithm() -> None:
    token = forge(b'{"typ":"JWT","alg":"HS256"}', b'{"exp":9999999999}')
    assert verify_jwt(token, [SECRET], NOW) == {"exp": 9999999999}


@requirement("O03", "RFC 7519")
@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'"x"', b"{", b'{"exp":"9999999999"}', b'{"exp":NaN}', b"\xff"]
)
def test_claims_that_are_none_are_refused_in_spite_of_their_signature(payload: bytes) -> None:
    assert verify_jwt(forge(b'{"alg":"HS256"}', payload), [SECRET], NOW) is None


@requirement("I01", "RFC 7515")
@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        f"{HEADER}.{PAYLOAD}",
        f"{HEADER}.{PAYLOAD}.",
        f"{TOKEN}.",
        f".{TOKEN}",
        f"{TOKEN}=",
        f"{TOKEN} ",
        f" {TOKEN}",
        f"{TOKEN}\n",
        f"{HEADER}.{PAYLOAD}=.{SIGNATURE}",
        f"{HEADER}=.{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE}".swapcase(),
        TOKEN.replace("-", "+").replace("_", "/"),
        f"{HEADER}.{PAYLOAD}.ü",
        f"{HEADER}.\ud800.{SIGNATURE}",
        f"ü.{PAYLOAD}.{SIGNATURE}",
        "." * 10_000,
    ],
)
def test_garbage_is_refused(token: str) -> None:
    if token == TOKEN:
        pytest.skip("this signature has no letter that is spelled otherwise")
    assert verify_jwt(token, [SECRET], NOW) is None


@requirement("O03")
def test_a_change_of_any_letter_is_refused() -> None:
    for position, letter in enumerate(TOKEN):
        changed = TOKEN[:position] + ("A" if letter != "A" else "B") + TOKEN[position + 1 :]
        assert verify_jwt(changed, [SECRET], NOW) is None


@requirement("O03")
def test_a_token_whose_base64_has_garbage_is_refused_in_spite_of_its_signature() -> None:
    for payload in (f"{PAYLOAD}==", f"{PAYLOAD[:8]} {PAYLOAD[8:]}", f"{PAYLOAD}!"):
        message = f"{HEADER}.{payload}"
        signature = base64url.encode(hmac.digest(SECRET.encode(), message.encode(), hashlib.sha256))
        assert verify_jwt(f"{message}.{signature}", [SECRET], NOW) is None


@requirement("RFC 7519")
def test_a_token_that_is_over_can_still_be_opened_and_a_forged_one_cannot() -> None:
    token = sign_jwt({"sub": "x", "exp": 1}, SECRET)
    assert (verify_jwt(token, [SECRET], NOW), open_jwt(token, [SECRET])) == (None, {"sub": "x", "exp": 1})
    assert open_jwt(token, ["another"]) is None
