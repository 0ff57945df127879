import logging
from collections.abc import Sequence
from typing import Any

import pytest

from app import CHEAP, ORIGIN, content, make, set_cookies
from portico import (
    ApiError,
    Auth,
    Context,
    EmailAndPassword,
    Response,
    UserInfo,
    UserInfoRefused,
    UserOptions,
    before_create,
)
from portico.endpoints.sign_up import SignUpEmail
from portico.errors import USER_INFO_REFUSED
from portico.testing import Browser, Clock
from postbox import Postbox
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-provisioning", "S-001")]

ANN = {"name": "Ann", "email": "Ann@Example.com", "password": "password123"}
OPAQUE: Sequence[dict[str, Any]] = ({"require_email_verification": True}, {"auto_sign_in": False})


async def counts(auth: Auth[Any]) -> list[int]:
    return [await auth.store.count(auth.tables[name]) for name in ("user", "account", "session", "verification")]


async def sign_up(auth: Auth[Any], **body: Any) -> Response:
    return await Browser(auth, ORIGIN).post("/sign-up/email", {**ANN, **body})


async def nobody(info: UserInfo, ctx: Context) -> UserInfoRefused:
    return UserInfoRefused(error="not_our_domain", error_description="Only people of example.org")


async def tersely(info: UserInfo, ctx: Context) -> UserInfoRefused:
    return UserInfoRefused(error="not_our_domain")


async def broken(info: UserInfo, ctx: Context) -> UserInfoRefused | None:
    raise LookupError("the directory is down")


async def with_a_code_of_its_own(info: UserInfo, ctx: Context) -> UserInfoRefused | None:
    raise ApiError(USER_INFO_REFUSED)


async def test_the_application_sees_the_user_to_be_and_where_they_come_from() -> None:
    seen: list[tuple[UserInfo, Context]] = []

    async def anybody(info: UserInfo, ctx: Context) -> None:
        seen.append((info, ctx))

    auth = make(Clock(), user=UserOptions(validate_user_info=anybody))
    response = await sign_up(auth, nickname="annie", emailVerified=True, rememberMe=False)
    assert response.status == 200
    [(info, ctx)] = seen
    moment = ctx.now()
    assert info.user == {
        "name": "Ann",
        "email": "ann@example.com",
        "email_verified": False,
        "image": None,
        "created_at": moment,
        "updated_at": moment,
        "nickname": "annie",
        "two_factor_enabled": False,
        "username": None,
        "display_username": None,
    }
    source = info.source
    assert (source.action, source.method, source.provider_id) == ("create-user", "email-password", None)
    assert ctx.request is not None
    # Signing in again is no new information.
    await Browser(auth, ORIGIN).post("/sign-in/email", {"email": ANN["email"], "password": ANN["password"]})
    assert len(seen) == 1


@pytest.mark.undescribed("the application chooses the code")
@pytest.mark.parametrize(
    ("validate", "code", "message"),
    [
        (nobody, "not_our_domain", "Only people of example.org"),
        (tersely, "not_our_domain", "not_our_domain"),
        (broken, "validation_failed", "User validation failed"),
        (with_a_code_of_its_own, "validation_failed", "User validation failed"),
    ],
)
async def test_a_refusal_is_a_403_and_leaves_nothing(
    validate: Any, code: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    auth = make(user=UserOptions(validate_user_info=validate))
    with caplog.at_level(logging.ERROR):
        response = await sign_up(auth)
    assert (response.status, content(response)) == (403, {"message": message, "code": code})
    assert (set_cookies(response), await counts(auth)) == ([], [0, 0, 0, 0])
    assert "password123" not in caplog.text
    with pytest.raises(ApiError) as refused:
        await auth.api.sign_up_email(None, SignUpEmail(name="Ann", email="ann@example.com", password="password123"))
    assert refused.value.error.code == code


@requirement("B-25", "E02")
@pytest.mark.parametrize("password", OPAQUE, ids=str)
@pytest.mark.parametrize("validate", [nobody, broken])
async def test_where_sign_up_tells_nothing_it_tells_of_no_refusal(password: dict[str, Any], validate: Any) -> None:
    postbox = Postbox()
    options: dict[str, Any] = {**postbox.options(password=password), "clock": Clock()}
    accepted = await sign_up(make(**options))
    refusing: dict[str, Any] = {**options, "user": UserOptions(validate_user_info=validate)}
    auth = make(**refusing)
    postbox.mails.clear()
    refused = await sign_up(auth)
    assert (refused.status, refused.headers) == (accepted.status, accepted.headers)
    replies = [content(accepted), content(refused)]
    ids = {reply["user"].pop("id") for reply in replies}
    assert (replies[0], len(ids)) == (replies[1], 2)
    assert (await counts(auth), postbox.mails, postbox.told) == ([0, 0, 0, 0], [], [])


@requirement("E02")
async def test_a_hook_that_forbids_is_hidden_in_the_same_way_and_other_refusals_are_not() -> None:
    from portico import ErrorCode  # noqa: PLC0415  # nothing else here needs it

    async def opaque(status: int) -> Response:
        @before_create("user")
        async def forbid(ctx: Any, values: Any) -> None:
            raise ApiError(ErrorCode(status, "NO", "no"))

        options = EmailAndPassword(enabled=True, auto_sign_in=False, password=CHEAP)
        return await sign_up(make(email_and_password=options, database_hooks=[forbid]))

    assert (await opaque(403)).status == 200


@pytest.mark.undescribed("a hook chooses the status")
async def test_a_hook_that_refuses_otherwise_is_heard() -> None:
    from portico import ErrorCode  # noqa: PLC0415  # as above

    @before_create("user")
    async def refuse(ctx: Any, values: Any) -> None:
        raise ApiError(ErrorCode(409, "NO", "no"))

    options = EmailAndPassword(enabled=True, auto_sign_in=False, password=CHEAP)
    assert (await sign_up(make(email_and_password=options, database_hooks=[refuse]))).status == 409
