from typing import Any

import pytest

from app import content, make, set_cookies, signed_up
from requirements import requirement

pytestmark = pytest.mark.anyio


@requirement("S-014", "B-42")
async def test_name_image_and_own_fields_can_be_changed_together_or_alone() -> None:
    browser = await signed_up(make(), nickname="n")
    response = await browser.post("/update-user", {"name": "Anna", "nickname": "a", "unknown": 1})
    assert (content(response), len(set_cookies(response))) == ({"status": True}, 1)
    assert content(await browser.post("/update-user", {"image": "https://x.example/i.png"})) == {"status": True}
    user = content(await browser.get("/get-session"))["user"]
    assert (user["name"], user["nickname"], user["image"]) == ("Anna", "a", "https://x.example/i.png")
    await browser.post("/update-user", {"image": None, "name": ""})
    user = content(await browser.get("/get-session"))["user"]
    assert (user["name"], user["image"]) == ("", None)


@requirement("S-014", "B-42", "G01")
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, {"message": "No fields to update"})),
        (
            {"emailVerified": True, "id": "x", "createdAt": "2020-01-01T00:00:00.000Z", "foo": 1},
            (400, {"message": "No fields to update"}),
        ),
        (
            {"email": "new@example.com"},
            (400, {"message": "Email can not be updated", "code": "EMAIL_CAN_NOT_BE_UPDATED"}),
        ),
        (
            {"name": "N", "email": "new@example.com"},
            (400, {"message": "Email can not be updated", "code": "EMAIL_CAN_NOT_BE_UPDATED"}),
        ),
        (
            {"name": "N", "twoFactorEnabled": True},
            (400, {"message": "twoFactorEnabled is not allowed to be set", "code": "FIELD_NOT_ALLOWED"}),
        ),
        (
            {"name": None},
            (400, {"message": "[body.name] Invalid input: expected string, received null", "code": "VALIDATION_ERROR"}),
        ),
        (
            {"name": 5},
            (
                400,
                {"message": "[body.name] Invalid input: expected string, received number", "code": "VALIDATION_ERROR"},
            ),
        ),
        ([], (400, {"message": "[body] Invalid input: expected record, received array", "code": "VALIDATION_ERROR"})),
    ],
)
async def test_what_is_not_for_the_user_to_change_stays(body: Any, refusal: tuple[int, Any]) -> None:
    browser = await signed_up(make())
    before = content(await browser.get("/get-session"))["user"]
    response = await browser.post("/update-user", body)
    assert (response.status, content(response)) == refusal
    assert content(await browser.get("/get-session"))["user"] == before


@requirement("S-014")
async def test_nobody_changes_a_user_without_a_session() -> None:
    auth = make()
    browser = await signed_up(auth)
    browser.cookies.clear()
    response = await browser.post("/update-user", {"name": "X"})
    assert (response.status, content(response)) == (401, {"message": "Unauthorized", "code": "UNAUTHORIZED"})
    user = await auth.users.find_by_email(auth.context(None), "ann@example.com")
    assert user is not None
    assert user.name == "Ann"
