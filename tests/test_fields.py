"""Further columns of every kind, from the body of a sign-up to the row and back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, StringConstraints
from typing_extensions import TypeAliasType

import portico
from app import BASICS, ORIGIN, content, plain, signed_up
from portico import Auth, Column, ConfigError
from portico.openapi import document
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

Shout = Annotated[str, StringConstraints(to_upper=True, max_length=5)]


class User(portico.User):
    plan: Annotated[Literal["free", "pro"], Column(input=True)]
    nickname: Annotated[Shout | None, Column(input=True)] = None
    age: Annotated[int | None, Column(input=True)] = None
    score: Annotated[float, Column(input=True)] = 0.5
    is_public: Annotated[bool, Column(input=True)] = False
    born_at: Annotated[datetime | None, Column(input=True)] = None
    settings: Annotated[dict[str, Any] | None, Column(input=True)] = None
    tags: Annotated[list[str], Column(input=True)] = Field(default_factory=list[str])
    lucky: Annotated[list[float] | None, Column(input=True)] = None
    note: Annotated[str | None, Column(input=True, returned=False)] = None
    role: Annotated[str, Column()] = "member"
    reviewer: str | None = None


class Api(portico.Api[User, portico.Session]): ...


FIELDS: dict[str, Any] = {
    "plan": Annotated[Literal["free", "pro"], Column(input=True)],
    "nickname": Annotated[Shout | None, Column(input=True)],
    "age": Annotated[int | None, Column(input=True)],
    "score": (Annotated[float, Column(input=True)], 0.5),
    "is_public": Annotated[bool, Column(input=True), Field(default=False)],
    "born_at": Annotated[datetime | None, Column(input=True)],
    "settings": Annotated[dict[str, Any] | None, Column(input=True)],
    "tags": Annotated[list[str], Column(input=True), Field(default_factory=list[str])],
    "lucky": Annotated[list[float] | None, Column(input=True)],
    "note": Annotated[str | None, Column(input=True, returned=False)],
    "role": (str, "member"),
    "reviewer": str | None,
}
"""The same columns in the form without a class."""

SENT: dict[str, Any] = {
    "plan": "pro",
    "nickname": "zoë",
    "age": 0,
    "score": 1.25,
    "isPublic": True,
    "bornAt": "2001-02-03T04:05:06.789Z",
    "settings": {"a": [1, None, {"b": "c"}]},
    "tags": ["a", '["b"]'],
    "lucky": [1, 2.5],
    "note": "secret",
}
SHOWN = {**{name: value for name, value in SENT.items() if name != "note"}, "nickname": "ZOË"}
DEFAULTS: dict[str, Any] = {
    "nickname": None,
    "age": None,
    "score": 0.5,
    "isPublic": False,
    "bornAt": None,
    "settings": None,
    "tags": [],
    "lucky": None,
    "role": "member",
    "reviewer": None,
}
CORE = {"name", "email", "emailVerified", "image", "createdAt", "updatedAt", "id"}
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}


def typed(**options: Any) -> Auth[Any]:
    return Auth(api=Api, **{**BASICS, **options})


def untyped(**options: Any) -> Auth[Any]:
    return plain(additional_fields={"user": FIELDS}, **options)


@pytest.fixture(params=[typed, untyped])
def auth(request: pytest.FixtureRequest, tmp_path: Path) -> Auth[Any]:
    made: Auth[Any] = request.param(database=f"sqlite:///{tmp_path}/auth.db", clock=Clock())
    return made


async def opened(auth: Auth[Any]) -> Auth[Any]:
    await auth.create_schema()
    return auth


def further(user: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in user.items() if name not in CORE}


async def users(auth: Auth[Any]) -> list[dict[str, Any]]:
    return await auth.store.find_many(auth.tables["user"])


@requirement("S-156", "S-262", "S-263", "B-16", "B-23")
async def test_a_field_of_every_kind_is_signed_up_with_stored_once_encoded_and_shown(
    auth: Auth[Any], tmp_path: Path
) -> None:
    browser = await signed_up(await opened(auth), **SENT)
    user = content(await browser.get("/get-session"))["user"]
    assert further(user) == {**SHOWN, "role": "member", "reviewer": None}
    with closing(sqlite3.connect(tmp_path / "auth.db")) as connection:
        connection.row_factory = sqlite3.Row
        [row] = [dict(each) for each in connection.execute("select * from user")]
    assert further(row) == {
        **SENT,
        "nickname": "ZOË",
        "isPublic": 1,
        "settings": '{"a":[1,null,{"b":"c"}]}',
        "tags": '["a","[\\"b\\"]"]',
        "lucky": "[1,2.5]",
        "role": "member",
        "reviewer": None,
    }
    await auth.close()


@requirement("S-156")
async def test_what_is_not_sent_has_the_default_of_its_column(auth: Auth[Any]) -> None:
    browser = await signed_up(await opened(auth), plan="free")
    session = content(await browser.get("/get-session"))
    assert further(session["user"]) == {"plan": "free", **DEFAULTS}
    await auth.close()


@requirement("S-156", "S-014", "S-263")
async def test_a_field_of_every_kind_is_changed_and_what_is_not_sent_stays(auth: Auth[Any]) -> None:
    browser = await signed_up(await opened(auth), plan="free")
    assert (await browser.post("/update-user", SENT)).status == 200
    shown = {**SHOWN, "role": "member", "reviewer": None}
    assert further(content(await browser.get("/get-session"))["user"]) == shown
    [stored] = await auth.store.find_many(auth.tables["user"])
    assert stored["note"] == "secret"
    assert (await browser.post("/update-user", {"lucky": None, "tags": []})).status == 200
    assert further(content(await browser.get("/get-session"))["user"]) == {**shown, "lucky": None, "tags": []}
    await auth.close()


UNFIT: list[tuple[str, Any]] = [
    ("plan", "gold"),
    ("plan", 5),
    ("plan", None),
    ("nickname", "longer"),
    ("age", "5"),
    ("age", 1.5),
    ("age", True),
    ("score", "x"),
    ("score", None),
    ("isPublic", "true"),
    ("isPublic", 1),
    ("bornAt", "yesterday"),
    ("bornAt", 5),
    ("settings", "{}"),
    ("settings", [1]),
    ("tags", "a"),
    ("tags", [1]),
    ("tags", [None]),
    ("tags", None),
    ("lucky", ["1"]),
    ("lucky", {}),
]


@requirement("S-156", "I01")
@pytest.mark.parametrize(("name", "value"), UNFIT, ids=str)
async def test_a_value_that_the_field_cannot_hold_is_refused_and_changes_nothing(name: str, value: Any) -> None:
    auth = typed()
    refused = await Browser(auth, ORIGIN).post("/sign-up/email", {**ANN, "plan": "free", name: value})
    assert (refused.status, content(refused)["code"]) == (400, "VALIDATION_ERROR")
    assert await users(auth) == []
    browser = await signed_up(auth, plan="free")
    before = await users(auth)
    refused = await browser.post("/update-user", {name: value})
    assert (refused.status, content(refused)["code"]) == (400, "VALIDATION_ERROR")
    assert await users(auth) == before


@requirement("S-156")
async def test_the_allowed_values_are_named() -> None:
    response = await Browser(typed(), ORIGIN).post("/sign-up/email", {**ANN, "plan": "gold"})
    assert content(response) == {
        "code": "VALIDATION_ERROR",
        "message": '[body.plan] Invalid option: expected one of "free"|"pro"',
    }


@requirement("B-23", "S-156")
@pytest.mark.parametrize("is_opaque", [False, True])
async def test_a_field_that_must_be_set_is_asked_for_whether_or_not_the_address_is_taken(is_opaque: bool) -> None:
    options = portico.EmailAndPassword(
        enabled=True, auto_sign_in=not is_opaque, password=BASICS["email_and_password"].password
    )
    auth = untyped(email_and_password=options)
    missing = (400, {"code": "MISSING_FIELD", "message": "plan is required"})
    for count in (0, 1):
        response = await Browser(auth, ORIGIN).post("/sign-up/email", ANN)
        assert (response.status, content(response)) == missing
        assert len(await users(auth)) == count
        await Browser(auth, ORIGIN).post("/sign-up/email", {**ANN, "plan": "pro"})


@requirement("G01")
@pytest.mark.parametrize("value", ["admin", 1, True, [], {}])
async def test_a_field_that_is_not_for_clients_is_refused_and_one_with_a_default_ignored(value: Any) -> None:
    auth = untyped()
    body = {**ANN, "plan": "pro"}
    refused = await Browser(auth, ORIGIN).post("/sign-up/email", {**body, "reviewer": value})
    assert (refused.status, content(refused)) == (
        400,
        {"code": "FIELD_NOT_ALLOWED", "message": "reviewer is not allowed to be set"},
    )
    assert await users(auth) == []
    forged: dict[str, Any] = {
        "role": value,
        "id": "x",
        "emailVerified": True,
        "createdAt": "2020-01-01T00:00:00.000Z",
        "banned": True,
    }
    browser = await signed_up(auth, plan="pro", **forged)
    [before] = await users(auth)
    assert (before["role"], before["email_verified"], before["created_at"].year > 2020) == ("member", False, True)
    assert before["id"] != "x"
    for name in ("role", "reviewer"):
        refused = await browser.post("/update-user", {"name": "Bob", name: value})
        assert (refused.status, content(refused)["message"]) == (400, f"{name} is not allowed to be set")
    ignored = await browser.post("/update-user", {"id": "x", "emailVerified": True, "updatedAt": "x"})
    assert (ignored.status, content(ignored)) == (400, {"message": "No fields to update"})
    assert await users(auth) == [before]


@requirement("E02", "S-156")
async def test_a_made_up_user_has_the_fields_of_a_new_one() -> None:
    options = portico.EmailAndPassword(enabled=True, auto_sign_in=False, password=BASICS["email_and_password"].password)
    auth = typed(email_and_password=options, clock=Clock())
    answers = [content(await Browser(auth, ORIGIN).post("/sign-up/email", {**ANN, **SENT}))["user"] for _ in range(2)]
    assert [list(each) for each in answers] == [list(answers[0])] * 2
    assert {**answers[1], "id": answers[0]["id"]} == answers[0]


@requirement("S-156")
async def test_a_value_may_be_stored_in_another_form_and_change_with_its_row() -> None:
    counted: Iterator[int] = iter(range(1, 100))
    pin = Column(input=True, transform_input=lambda text: text[::-1], transform_output=lambda text: text[::-1])
    auth = plain(
        additional_fields={
            "user": {
                "pin": Annotated[str | None, pin],
                "version": Annotated[int | None, Column(on_update=lambda: next(counted))],
            }
        }
    )
    browser = await signed_up(auth, pin="123")
    [stored] = await users(auth)
    assert (stored["pin"], stored["version"]) == ("321", None)
    assert further(content(await browser.get("/get-session"))["user"]) == {"pin": "123", "version": None}
    await browser.post("/update-user", {"pin": "456"})
    [stored] = await users(auth)
    assert (stored["pin"], stored["version"]) == ("654", 1)
    assert further(content(await browser.get("/get-session"))["user"]) == {"pin": "456", "version": 1}
    await browser.post("/update-user", {"name": "Bob"})
    assert further(content(await browser.get("/get-session"))["user"]) == {"pin": "456", "version": 2}


@requirement("S-156")
@pytest.mark.parametrize("annotation", [bytes, set[str], User, type(None) | complex, list[bytes]], ids=str)
def test_a_column_that_reading_could_not_give_back_is_a_mistake(annotation: Any) -> None:
    with pytest.raises(ConfigError, match="the column odd cannot hold"):
        plain(additional_fields={"user": {"odd": annotation}})


Mood = TypeAliasType("Mood", Literal["good", "bad"])


@requirement("S-156", "ARCH-openapi")
async def test_a_column_may_have_a_type_that_has_a_name() -> None:
    auth = plain(additional_fields={"user": {"mood": Annotated[Mood, Column(input=True)]}})
    browser = await signed_up(auth, mood="good")
    assert content(await browser.get("/get-session"))["user"]["mood"] == "good"
    refused = await browser.post("/update-user", {"mood": "fair"})
    assert (refused.status, content(refused)["code"]) == (400, "VALIDATION_ERROR")
    assert content(await browser.get("/get-session"))["user"]["mood"] == "good"


@requirement("S-156", "ARCH-openapi")
def test_the_document_says_what_each_field_is() -> None:
    schemas = document(typed())["components"]["schemas"]
    body = schemas["SignUpEmail"]
    assert {name: body["properties"][name] for name in SENT} == {
        "plan": {"type": "string", "enum": ["free", "pro"]},
        "nickname": {"type": ["string", "null"], "maxLength": 5},
        "age": {"type": ["integer", "null"]},
        "score": {"type": "number", "default": 0.5},
        "isPublic": {"type": "boolean", "default": False},
        "bornAt": {"type": ["string", "null"], "format": "date-time"},
        "settings": {"type": ["object", "null"], "additionalProperties": True},
        "tags": {"type": "array", "items": {"type": "string"}},
        "lucky": {"type": ["array", "null"], "items": {"type": "number"}},
        "note": {"type": ["string", "null"]},
    }
    assert body["required"] == ["name", "email", "password", "plan"]
    assert "required" not in schemas["UpdateUser"]
    assert schemas["User"]["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert "note" not in schemas["User"]["properties"]


@requirement("S-156", "B-09")
async def test_a_value_that_must_be_unique_is_refused_where_another_user_has_it(tmp_path: Path) -> None:
    unique = {"nickname": Annotated[str | None, Column(input=True, unique=True)]}
    auth = await opened(plain(additional_fields={"user": unique}, database=f"sqlite:///{tmp_path}/auth.db"))
    await signed_up(auth, nickname="a")
    bob = await signed_up(auth, "bob@example.com", nickname="b")
    before = await users(auth)
    refused = await Browser(auth, ORIGIN).post("/sign-up/email", {**ANN, "email": "c@example.com", "nickname": "a"})
    assert (refused.status, content(refused)["code"]) == (422, "FAILED_TO_CREATE_USER")
    refused = await bob.post("/update-user", {"nickname": "a"})
    assert (refused.status, content(refused)["code"]) == (422, "FAILED_TO_UPDATE_USER")
    assert await users(auth) == before
    await auth.close()


@requirement("CONF-types")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("user.name_of_it", r"user\.chief_id references 'user\.name_of_it': 'user' has name, email, .*, id"),
        ("user", r"user\.chief_id references 'user': "),
        ("staff", r"user\.chief_id references 'staff': it is written 'user\.id'"),
    ],
)
def test_a_reference_to_no_column_is_a_mistake(target: str, message: str) -> None:
    for good in ("user.id", "staff.number"):
        plain(additional_fields={"user": {"chief_id": Annotated[str | None, Column(references=good)]}})
    with pytest.raises(ConfigError, match=message):
        plain(additional_fields={"user": {"chief_id": Annotated[str | None, Column(references=target)]}})
