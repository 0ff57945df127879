import pytest

from portico.crypto.digest import hash_token
from requirements import requirement
from upstream import CRYPTO

SAMPLES: list[tuple[str, str]] = [(each["key"], each["hash"]) for each in CRYPTO["api_key_hash"]["samples"]]


@requirement("B-85")
@pytest.mark.parametrize(("key", "hashed"), SAMPLES)
def test_stored_hashes_are_upstreams(key: str, hashed: str) -> None:
    assert hash_token(key) == hashed


@requirement("I01")
def test_any_text_can_be_hashed() -> None:
    assert len(hash_token("\ud800")) == len(hash_token("")) == 43
