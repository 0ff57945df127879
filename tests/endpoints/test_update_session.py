from typing import Annotated, Any

import pytest

import portico
from app import ORIGIN, content, make, plain, set_cookies, signed_up
from portico import ApiError, Auth, Column, CookieCacheOptions, SessionOptions
from portico.endpoints.session import UpdateSession
from portico.store.hooks import before_update
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

FIELDS: dict[str, Any] = {
    "session": {
        "theme": Annotated[str | None, Column(input=True)],
        "text_size": Annotated[int | None, Column(input=True)],
        "note": Annotated[str | None, Column(input=True, returned=False)],
        "role": Annotated[str | None, Column()],
    }
}
NOTHING = (400, {"message": "No fields to update"})


class Choose(UpdateSession):
    theme: str | None = None


def themed(clock: Clock | None = None, **options: Any) -> Auth[portico.AnyApi]:
    return plain(additional_fields=FIELDS, clock=clock or Clock(), **options)


@requirement("B-39")
async def test_fields_of_the_application_are_changed_together_or_alone() -> None:
    clock = Clock()
    browser = await signed_up(themed(clock))
    before = content(await browser.get("/get-session"))
    clock.advance(60)
    response = await browser.post("/update-session", {"theme": "dark", "textSize": 3, "note": "n", "unknown": 1})
    session = {**before["session"], "theme": "dark", "textSize": 3, "updatedAt": "2030-01-02T03:05:05.678Z"}
    assert (response.status, content(response)) == (200, {"session": session})
    assert [line.partition("=")[0] for line in set_cookies(response)] == ["better-auth.session_token"]
    assert content(await browser.post("/update-session", {"theme": None})) == {"session": {**session, "theme": None}}
    assert content(await browser.get("/get-session")) == {**before, "session": {**session, "theme": None}}
    [stored] = await browser.auth.sessions.find_many(browser.auth.context(None))
    assert (stored.theme, stored.text_size, stored.note, stored.role) == (None, 3, "n", None)


@requirement("B-39", "S-159")
async def test_without_a_database_the_cookie_is_changed() -> None:
    clock = Clock()
    browser = await signed_up(themed(clock, database=None))
    there = Browser(themed(clock, database=None), ORIGIN, dict(browser.cookies))
    before = content(await there.get("/get-session"))
    clock.advance(60)
    session = {**before["session"], "theme": "dark", "updatedAt": "2030-01-02T03:05:05.678Z"}
    assert content(await there.post("/update-session", {"theme": "dark"})) == {"session": session}
    assert content(await there.get("/get-session")) == {**before, "session": session}


@requirement("B-39", "G01")
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, NOTHING),
        ({"unknown": 1}, NOTHING),
        ({"id": "x", "token": "x", "userId": "x", "expiresAt": "2040-01-01T00:00:00.000Z", "ipAddress": "x"}, NOTHING),
        ({"text_size": 3}, NOTHING),
        (
            {"theme": "dark", "role": "admin"},
            (400, {"message": "role is not allowed to be set", "code": "FIELD_NOT_ALLOWED"}),
        ),
        (
            {"textSize": "big"},
            (
                400,
                {
                    "message": "[body.textSize] Invalid input: expected number, received string",
                    "code": "VALIDATION_ERROR",
                },
            ),
        ),
        (
            ["theme"],
            (400, {"message": "[body] Invalid input: expected record, received array", "code": "VALIDATION_ERROR"}),
        ),
    ],
)
async def test_nothing_else_of_a_session_can_be_changed(body: Any, refusal: tuple[int, Any]) -> None:
    browser = await signed_up(themed())
    before = content(await browser.get("/get-session"))
    response = await browser.post("/update-session", body)
    assert (response.status, content(response), set_cookies(response)) == (*refusal, [])
    assert content(await browser.get("/get-session")) == before


@requirement("B-39")
async def test_a_server_without_fields_of_its_own_has_nothing_to_update() -> None:
    browser = await signed_up(make())
    response = await browser.post("/update-session", {"theme": "dark"})
    assert (response.status, content(response)) == NOTHING


@requirement("B-39")
async def test_nobody_changes_a_session_without_having_one() -> None:
    auth = themed()
    response = await Browser(auth, ORIGIN).post("/update-session", {"theme": "dark"})
    assert (response.status, content(response)) == (401, {"message": "Unauthorized", "code": "UNAUTHORIZED"})
    with pytest.raises(ApiError, match="Unauthorized"):
        await auth.api.update_session(None, Choose(theme="dark"))


@requirement("B-39")
async def test_server_code_changes_the_session_of_its_caller() -> None:
    auth = themed()
    browser = await signed_up(auth)
    updated = await auth.api.update_session(browser.headers, Choose(theme="dark"))
    found = await auth.api.get_session(browser.headers)
    assert found is not None
    assert (updated.session.theme, found.session) == ("dark", updated.session)


@requirement("B-39")
async def test_a_session_that_is_not_remembered_stays_so() -> None:
    auth = themed()
    await signed_up(auth)
    browser = Browser(auth, ORIGIN)
    await browser.post("/sign-in/email", {"email": "ann@example.com", "password": "password123", "rememberMe": False})
    response = await browser.post("/update-session", {"theme": "dark"})
    assert [("Max-Age" in line) for line in set_cookies(response)] == [False, False]


@requirement("B-39", "B-38")
async def test_the_cookie_copy_is_written_again() -> None:
    auth = themed(session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
    browser = await signed_up(auth)
    await browser.post("/update-session", {"theme": "dark"})
    await auth.sessions.delete(auth.context(None))
    assert content(await browser.get("/get-session"))["session"]["theme"] == "dark"
    refused = await browser.post("/update-session", {"theme": "light"})
    assert (refused.status, content(refused)["code"], browser.cookies) == (401, "UNAUTHORIZED", {})


@requirement("B-39", "S09")
async def test_a_session_that_ends_meanwhile_is_not_brought_back() -> None:
    @before_update("session")
    async def sign_out_elsewhere(ctx: Any, changes: Any) -> None:
        await ctx.auth.sessions.delete(ctx)

    auth = themed(database_hooks=[sign_out_elsewhere])
    browser = await signed_up(auth)
    response = await browser.post("/update-session", {"theme": "dark"})
    assert (response.status, content(response)) == (
        401,
        {"message": "Failed to get session", "code": "FAILED_TO_GET_SESSION"},
    )
    assert browser.cookies == {}
    assert await auth.sessions.find_many(auth.context(None)) == []
