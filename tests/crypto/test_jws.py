import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from portico.crypto import base64url
from portico.crypto.jws import (
    SigningKey,
    generate,
    public_members,
    take_apart,
    verifying_key,
)
from portico.crypto.key_families import ALGORITHMS, Algorithm
from requirements import requirement
from upstream import CRYPTO

SAMPLE: dict[str, Any] = CRYPTO["jwks_row"]
HEADER: dict[str, Any] = SAMPLE["header"]
(PUBLIC,) = SAMPLE["jwks"]["keys"]
CLAIMS = {"sub": "ann", "exp": 1_900_000_000}


def resigned(header: dict[str, Any]) -> str:
    """Return the sample's token under another header, signed with its key."""
    key = OKPKey.import_key(SAMPLE["privateKeyDecrypted"])
    encoded = base64url.encode(json.dumps(header).encode())
    message = f"{encoded}.{SAMPLE['token'].split('.')[1]}"
    return f"{message}.{base64url.encode(key.raw_value.sign(message.encode()))}"  # type: ignore[union-attr]  # private


def proven(token: str, jwk: dict[str, Any], **limits: Any) -> dict[str, Any] | None:
    unproven = take_apart(token, **limits)
    key = verifying_key(jwk, unproven.algorithm) if unproven else None
    return unproven.proven_by(key) if unproven and key else None


@requirement("ARCH-formats", "B-100")
def test_upstreams_token_is_verified_and_made_again_to_the_byte() -> None:
    assert proven(SAMPLE["token"], PUBLIC) == SAMPLE["claims"]
    key = SigningKey(HEADER["kid"], "EdDSA", SAMPLE["privateKeyDecrypted"])
    assert key.sign(SAMPLE["claims"]) == SAMPLE["token"]


@requirement("S-121", "J01")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_signs_what_its_public_half_verifies(algorithm: Algorithm) -> None:
    pair = generate(algorithm)
    token = SigningKey("k1", algorithm, pair.private).sign(CLAIMS, {"typ": "JWT"})
    assert json.loads(base64url.decode(token.split(".")[0])) == {"alg": algorithm, "kid": "k1", "typ": "JWT"}
    published = {"alg": algorithm, **pair.public, "kid": "k1"}
    assert proven(token, published) == CLAIMS
    assert proven(token, pair.public) == CLAIMS
    assert not pair.public.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert public_members(pair.private) == {name: pair.private[name] for name in pair.private if name in pair.public}
    other = {"alg": algorithm, **generate(algorithm).public, "kid": "k1"}
    assert proven(token, other) is None


@requirement("S-122")
@pytest.mark.parametrize(
    ("algorithm", "members"),
    [
        ("EdDSA", "crv,x,kty|crv,d,x,kty"),
        ("ES256", "kty,x,y,crv|kty,x,y,crv,d"),
        ("ES512", "kty,x,y,crv|kty,x,y,crv,d"),
        ("PS256", "kty,n,e|kty,n,e,d,p,q,dp,dq,qi"),
        ("RS256", "kty,n,e|kty,n,e,d,p,q,dp,dq,qi"),
    ],
)
def test_keys_have_the_members_and_the_order_that_upstream_writes(algorithm: Algorithm, members: str) -> None:
    pair = generate(algorithm)
    assert f"{','.join(pair.public)}|{','.join(pair.private)}" == members


@requirement("S-121", "J01")
@pytest.mark.parametrize("own", ALGORITHMS)
@pytest.mark.parametrize("claimed", ALGORITHMS)
def test_a_key_of_one_algorithm_proves_nothing_for_another(own: Algorithm, claimed: Algorithm) -> None:
    pair = generate(own)
    is_same = own == claimed
    published = {**pair.public, "alg": own}
    assert (verifying_key(published, claimed) is not None) == is_same
    token = SigningKey("k1", own, pair.private).sign(CLAIMS)
    assert (take_apart(token, [claimed]) is not None) == is_same


@requirement("S-121", "J01")
def test_a_public_key_is_no_shared_secret() -> None:
    for alg in ("HS256", "HS512"):
        for secret in (json.dumps(PUBLIC, separators=(",", ":")).encode(), base64url.decode(PUBLIC["x"])):
            key = OctKey.import_key(secret)
            forged = jws.serialize_compact({"alg": alg, "kid": HEADER["kid"]}, b"{}", key, algorithms=[alg])
            assert take_apart(forged, [alg, *ALGORITHMS]) is None


@requirement("S-121", "J01")
@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "ES256K"},
        {**HEADER, "alg": ["EdDSA"]},
        {**HEADER, "kid": 1},
        {"alg": "EdDSA"},
        {"kid": HEADER["kid"]},
        {**HEADER, "crit": ["exp"], "exp": 1},
        {**HEADER, "b64": False},
        {**HEADER, "typ": "logout+jwt"},
        {**HEADER, "typ": ["JWT"]},
        {**HEADER, "typ": "better-auth.session-cache+jwt"},
    ],
)
def test_a_token_for_something_else_is_not_even_looked_at(header: dict[str, Any]) -> None:
    assert proven(resigned(HEADER), PUBLIC) == SAMPLE["claims"]
    assert take_apart(resigned(header)) is None


@requirement("S-121", "J01")
def test_a_type_is_taken_where_its_verifier_asks_for_it() -> None:
    token = resigned({**HEADER, "typ": "logout+jwt"})
    assert proven(token, PUBLIC, types={"logout+jwt"}) == SAMPLE["claims"]
    assert take_apart(SAMPLE["token"], types={"logout+jwt"}) is None


@requirement("S-121", "J01")
def test_nobody_else_can_change_or_make_one() -> None:
    header, payload, signature = SAMPLE["token"].split(".")
    forged = base64url.encode(b'{"sub":"somebody else"}')
    for token in (f"{header}.{forged}.{signature}", f"{header}.{payload}.", f"{header}.{payload}.{signature[:-2]}AA"):
        assert proven(token, PUBLIC) is None
    for broken in (
        "",
        "a.b.c",
        "..",
        f"{header}.{payload}",
        f"{header}.é.{signature}",
        "a" * 200_000,
        f"{header}.W10.x",
    ):
        assert take_apart(broken) is None


@requirement("S-122", "J01")
@pytest.mark.parametrize(
    "jwk",
    [
        {**PUBLIC, "use": "enc"},
        {**PUBLIC, "use": ["sig"]},
        {**PUBLIC, "alg": ["EdDSA"]},
        {**PUBLIC, "crv": "Ed448"},
        {**PUBLIC, "kty": "EC"},
        {**PUBLIC, "x": "short"},
        {**PUBLIC, "x": 1},
        {**PUBLIC, "x": None},
        {},
    ],
)
def test_a_broken_key_is_none(jwk: dict[str, Any]) -> None:
    assert verifying_key(jwk, "EdDSA") is None


@requirement("S-122", "J01")
def test_a_key_that_can_be_guessed_is_none() -> None:
    short = {"kty": "RSA", "n": base64url.encode(b"\xc1" * 128), "e": "AQAB"}
    assert verifying_key(short, "RS256") is None
    with pytest.raises(ValueError, match="2048"):
        SigningKey("k1", "RS256", short)
