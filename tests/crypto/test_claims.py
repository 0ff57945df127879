import json
from typing import Any

import pytest

from portico.crypto.claims import are_current, read_claims, write_claims
from requirements import requirement


@requirement("ARCH-formats")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Üser 🔐", '"Üser 🔐"'),
        ("\u2028\u2029\x7f\ufeff", '"\u2028\u2029\x7f\ufeff"'),
        ('\0\x01\x1f\b\t\n\f\r"\\/<', r'"\u0000\u0001\u001f\b\t\n\f\r\"\\/<"'),
        (5, "5"),
        (5.0, "5"),
        (-0.0, "0"),
        (0.25, "0.25"),
        (1e-7, "1e-7"),
        (1e21, "1e+21"),
        ([1e21, 1.0], "[1e+21,1]"),
        (float("nan"), "null"),
        (float("inf"), "null"),
        ([1.0, {"b": 2.0, "a": None}], '[1,{"b":2,"a":null}]'),
        ("x.0,", '"x.0,"'),
        (True, "true"),
        ("a\ud800b", '"a\\ud800b"'),
        (["\udfff", 1.0, float("nan")], '["\\udfff",1,null]'),
    ],
)
def test_claims_are_written_as_json_stringify_writes_them(value: Any, text: str) -> None:
    assert write_claims({"claim": value}) == b'{"claim":' + text.encode() + b"}"


@requirement("ARCH-formats")
def test_claims_keep_their_order() -> None:
    assert write_claims({"z": 1, "a": {"y": 2, "b": 3}}) == b'{"z":1,"a":{"y":2,"b":3}}'


@requirement("ARCH-formats")
@pytest.mark.parametrize("claims", [{}, {"a": [1, None, "ü"]}, {"name": "a\ud800b"}, {"n": 12345678901234567890}])
def test_claims_that_were_written_can_be_read(claims: dict[str, Any]) -> None:
    assert read_claims(write_claims(claims)) == claims


@requirement("I01")
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"a":NaN}',
        b'{"a":1}x',
        b'{"a":"\xff"}',
        b"{'a':1}",
        b'{"a":"\\ud800"',
        b'{"a":' + b"[" * 100_000,
        b'{"a":"\\ud800","b":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_text_that_is_no_json_object_is_no_claims(text: bytes) -> None:
    assert read_claims(text) is None


@requirement("RFC 7519")
@pytest.mark.parametrize(
    ("claims", "is_it"),
    [
        ({"exp": 101}, True),
        ({"exp": 100.5}, True),
        ({"exp": 100}, False),
        ({"exp": 99}, False),
        ({}, False),
        ({"exp": "101"}, False),
        ({"exp": True}, False),
        ({"exp": None}, False),
        ({"exp": 101, "nbf": 100}, True),
        ({"exp": 101, "nbf": 101}, False),
        ({"exp": 101, "nbf": "1"}, False),
        ({"exp": 101, "nbf": None}, False),
    ],
)
def test_claims_hold_from_nbf_until_exp(claims: dict[str, Any], is_it: bool) -> None:
    assert are_current(claims, 100) is is_it


@requirement("RFC 7519")
def test_leeway_bridges_two_clocks_both_ways() -> None:
    assert are_current({"exp": 86, "nbf": 115}, 100, leeway=15)
    assert not are_current({"exp": 85}, 100, leeway=15)
    assert not are_current({"exp": 200, "nbf": 116}, 100, leeway=15)


@requirement("RFC 7519")
def test_claims_may_last_for_ever_only_where_that_is_asked_for() -> None:
    assert are_current({}, 100, must_expire=False)
    assert not are_current({"exp": 100}, 100, must_expire=False)


@requirement("ARCH-formats")
def test_python_reads_what_was_written() -> None:
    claims = {"text": "Üser 🔐\u2028\x00", "number": 5.0}
    assert json.loads(write_claims(claims)) == claims
