"""A body is not what an endpoint expects: values of other types, JSON that is none, and JSON that is too much."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from anyio import fail_after

from app import ORIGIN
from portico import Headers, Request, Response
from requirements import requirement
from threats.everything import FORM, JSON, Door, Visitor, everything, schema_of, set_cookies

pytestmark = [pytest.mark.anyio, requirement("I01")]

SITE = everything()
DOORS = [door for door in SITE.distinct_doors if door.has_body]
READING = [door for door in DOORS if door.endpoint.body is not None]
SECONDS = 5
"""For everything that is sent to one endpoint."""

CONFUSED: list[Any] = [
    {"$ne": None},
    {"operator": "in", "value": ["a"]},
    {"toString": "x", "length": 10},
    {"__proto__": {"isAdmin": True}, "constructor": {"prototype": {}}},
    {},
    [],
    ["ann@example.com"],
    [{"$ne": None}],
    -1,
    1e308,
    10**30,
    True,
    "true",
    None,
]
KINDS: Mapping[type, str] = {dict: "object", list: "array", str: "string", bool: "boolean", float: "number"}

MALFORMED = {
    "nothing but a space": b" ",
    "a word": b"undefined",
    "NaN": b"NaN",
    "NaN inside": b'{"email":NaN}',
    "Infinity": b'{"email":Infinity}',
    "minus Infinity": b'{"email":-Infinity}',
    "an open object": b'{"email":"a@b.co"',
    "a comma too many": b'{"email":"a@b.co",}',
    "single quotes": b"{'email':'a@b.co'}",
    "a comment": b'{/**/"email":"a@b.co"}',
    "two values": b'{"email":"a@b.co"}{"email":"a@b.co"}',
    "a raw NUL": b'{"email":"a\x00@b.co"}',
    "NUL behind": b'{"email":"a@b.co"}\x00',
    "a raw line end": b'{"email":"a\n@b.co"}',
    "half a surrogate": b'{"email":"\\ud800@b.co"}',
    "surrogates the wrong way": b'{"email":"\\udc00\\ud800@b.co"}',
    "a surrogate in a name": b'{"\\ud800":"a@b.co"}',
    "an encoded surrogate": b'{"email":"\xed\xa0\x80@b.co"}',
    "half a letter": b'{"email":"\xc3"}',
    "an overlong letter": b'{"email":"\xc0\xae"}',
    "UTF-16": '{"email":"a@b.co"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"email":"a@b.co"}'.encode("utf-16-le"),
    "UTF-32": '{"email":"a@b.co"}'.encode("utf-32"),
    "two marks": b'\xef\xbb\xbf\xef\xbb\xbf{"email":"a@b.co"}',
    "deep arrays": b"[" * 100_000,
    "deep arrays with an end": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep objects with an end": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "depth inside": b'{"email":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a form": b"email=a@b.co",
    "XML": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
    "a pickle": b"\x80\x04K\x01.",
    "a bomb": gzip.compress(b"0" * 10_000_000, 1),
}
"""No JSON, or more than is read."""

NO_OBJECT = {
    "null": b"null",
    "true": b"true",
    "a number": b"5",
    "a large number": b"1" + b"0" * 4000,
    "a text": b'"email"',
    "an array": b"[]",
    "an array of objects": b'[{"email":"a@b.co","password":"password123"}]',
    "a long array": b"[" + b"0," * 20_000 + b"0]",
}
"""JSON that is no object."""


def kinds_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> set[str]:
    """Return the types of JSON that a field takes; none if it takes any."""
    if "$ref" in schema:
        return kinds_of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    kinds: set[str] = set()
    for each in schema.get("anyOf", ()):
        kinds |= kinds_of(each, definitions)
    values: list[Any] = [schema["const"]] if "const" in schema else schema.get("enum", [])
    stated: set[str] = {schema["type"]} if "type" in schema else set()
    return kinds | stated | {kind_of(value) for value in values}


def kind_of(value: Any) -> str:
    if value is None:
        return "null"
    return "integer" if type(value) is int else KINDS[type(value)]


def sent(door: Door, visitor: Visitor, body: bytes, *headers: tuple[str, str], kind: str = JSON) -> Request:
    fields = Headers([("content-type", kind), visitor.cookie, ("origin", ORIGIN), *headers])
    return replace(door.request(), headers=fields, body=body)


def kinds_by_field(door: Door) -> dict[str, set[str]]:
    """Return the types of JSON that each field of the body takes; a field that takes any is left out."""
    schema: Mapping[str, Any] = schema_of(door.endpoint.body) if door.endpoint.body else {}
    definitions = schema.get("$defs", {})
    properties: Mapping[str, Any] = schema.get("properties", {})
    found = {name: kinds_of(wanted, definitions) for name, wanted in properties.items()}
    return {name: kinds for name, kinds in found.items() if kinds}


def confusions(door: Door) -> Iterator[tuple[str, Any]]:
    """Yield each field of the body with each value that is of none of its types."""
    for name, kinds in kinds_by_field(door).items():
        taken = kinds | {"integer"} if "number" in kinds else kinds
        yield from ((name, value) for value in CONFUSED if kind_of(value) not in taken)


def assert_is_refusal(response: Response, told: object) -> None:
    assert 400 <= response.status < 500, told
    assert set_cookies(response) == [], told
    if response.body:
        said = set(json.loads(response.body))
        assert said <= {"message", "code"} or said == {"error", "error_description"}, told


@pytest.mark.parametrize("door", READING, ids=str)
async def test_a_value_of_another_type_is_refused_and_changes_nothing(door: Door) -> None:
    visitor = await SITE.first_visitor()
    before = await SITE.remembered()
    with fail_after(SECONDS):
        for name, value in confusions(door):
            body = {**visitor.body(door), name: value}
            response = await SITE.answer(sent(door, visitor, json.dumps(body).encode()))
            assert_is_refusal(response, (name, value))
    assert await SITE.remembered() == before


@pytest.mark.parametrize("door", READING, ids=str)
async def test_a_number_that_no_language_can_hold_is_refused_where_text_is_wanted(door: Door) -> None:
    visitor = await SITE.first_visitor()
    before = await SITE.remembered()
    for name, kinds in kinds_by_field(door).items():
        if "string" in kinds:
            for number in (b"1e400", b"-1e400", b"1" + b"0" * 5000, b"-0", b"1E-400"):
                body = json.dumps({**visitor.body(door), name: "here"}).encode().replace(b'"here"', number)
                assert_is_refusal(await SITE.answer(sent(door, visitor, body)), (name, number))
    assert await SITE.remembered() == before


@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_what_is_no_json_is_refused_and_changes_nothing(door: Door) -> None:
    visitor = await SITE.first_visitor()
    before = await SITE.remembered()
    with fail_after(SECONDS):
        for told, body in MALFORMED.items():
            packed = [("content-encoding", "gzip")] if told == "a bomb" else []
            response = await SITE.answer(sent(door, visitor, body, *packed))
            assert_is_refusal(response, told)
    assert await SITE.remembered() == before


@pytest.mark.parametrize("door", READING, ids=str)
async def test_json_that_is_no_object_is_refused_where_fields_are_read(door: Door) -> None:
    visitor = await SITE.first_visitor()
    before = await SITE.remembered()
    with fail_after(SECONDS):
        for told, body in NO_OBJECT.items():
            assert_is_refusal(await SITE.answer(sent(door, visitor, body)), told)
    assert await SITE.remembered() == before


FORMS = [
    b"email[$ne]=&password[$ne]=",
    b"email[]=ann@example.com&password[]=password123",
    b"email=a@b.co&email=ann@example.com",
    b"&&&===&;;",
    b"%",
    b"%00=%00&email=%00",
    b"email=%ed%a0%80",
    b"email=%ff&\xff=\xff",
    b"\xff\xfe",
    b"a&" * 20_000,
    b"a=" + b"%41" * 20_000,
    b"__proto__=x&constructor=x",
    b'{"email":"ann@example.com"}',
]


@pytest.mark.parametrize("door", [door for door in DOORS if FORM in door.endpoint.media], ids=str)
async def test_a_form_that_none_would_send_is_refused_and_changes_nothing(door: Door) -> None:
    visitor = await SITE.first_visitor()
    before = await SITE.remembered()
    with fail_after(SECONDS):
        for body in FORMS:
            assert_is_refusal(await SITE.answer(sent(door, visitor, body, kind=FORM)), body[:50])
    assert await SITE.remembered() == before


QUERIES = [
    "token[$ne]=&callbackURL=/x",
    "token[]=x&callbackURL[]=/x",
    "token=x&token=y&callbackURL=/x&callbackURL=/y",
    "token",
    "token=%00&callbackURL=/%00",
    "token=%ff&callbackURL=/x",
    "token=\xff&callbackURL=/\xff",
    "token=%ed%a0%80&callbackURL=/x",
    "token=%&callbackURL=%",
    "__proto__[x]=y&constructor=z",
    "&&&===&;;?#?",
    "&".join(f"token=x&name{number}=y" for number in range(500)),
    "token=" + "x" * 20_000,
]
"""As they are sent, in Latin-1."""


@pytest.mark.parametrize("door", SITE.distinct_doors, ids=str)
async def test_a_query_that_none_would_send_is_answered_and_changes_nothing(door: Door) -> None:
    visitor = await SITE.first_visitor()
    before = await SITE.remembered()
    # Without a body, which would be obeyed whatever the query says.
    request = replace(door.request(visitor.cookie, ("origin", "https://evil.test")), body=b"")
    with fail_after(SECONDS):
        for query in QUERIES:
            assert (await SITE.answer(replace(request, query=query))).status < 500, query[:50]
    assert await SITE.remembered() == before
