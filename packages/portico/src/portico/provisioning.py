"""New users, and the application's say about who may become one, link an account or come back by a provider."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import ValidationError

from portico.context import Context
from portico.errors import FAILED_TO_CREATE_USER, USER_INFO_REFUSED, ApiError
from portico.models import UserT
from portico.users import Users

Action = Literal["create-user", "link-account", "sign-in"]


@dataclass(frozen=True, kw_only=True)
class UserInfoSource:
    """Where what is known about a user comes from, and what is about to happen with it."""

    method: str
    """How it was got: `email-password`, `oauth`, `magic-link` and so on."""

    action: Action = "create-user"
    """A new user, an account for a user who exists, or a user who comes back by a provider."""

    provider_id: str | None = None
    """Of the methods `oauth`, `sso-oidc` and `sso-saml`."""

    profile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What that provider said, as it said it."""


@dataclass(frozen=True, kw_only=True)
class UserInfo:
    """What an application is asked to approve."""

    user: Mapping[str, Any]
    """Values of the user's row by Python name; what a provider says where that may differ from the row."""

    source: UserInfoSource


@dataclass(frozen=True, kw_only=True)
class UserInfoRefused:
    """The application's no; both texts are shown to the client."""

    error: str
    """A short code, such as `not_our_domain`."""

    error_description: str | None = None
    """For people; the code if None."""


ValidateUserInfo = Callable[[UserInfo, Context], Awaitable[UserInfoRefused | None]]
"""An async function that approves with None. If it raises, nobody is let in: 403 with the code `validation_failed`."""


async def _approve(ctx: Context, validate: ValidateUserInfo, user: Mapping[str, Any], source: UserInfoSource) -> None:
    """Ask the application.

    Raises:
        ApiError: 403, with the code that the application chose.
    """
    try:
        refused = await validate(UserInfo(user=user, source=source), ctx)
    except Exception:  # fail closed: whatever it raises is no approval
        ctx.auth.logger.exception("validate_user_info failed")
        raise ApiError(USER_INFO_REFUSED) from None
    if refused is not None:
        text = refused.error_description or refused.error
        raise ApiError(replace(USER_INFO_REFUSED, code=refused.error, message=text))


class IncompleteUserError(ApiError):
    """Columns of the application require more than is known of a new user."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(FAILED_TO_CREATE_USER)
        self.columns = columns


@asynccontextmanager
async def new_user(
    ctx: Context, users: Users[UserT], source: UserInfoSource, **values: Any
) -> AsyncGenerator[tuple[Context, UserT], None]:
    """Create a user, and with them what is done on the yielded context: the one way to a new user.

    The application is asked before the transaction, which nobody else should wait for.

    Raises:
        IncompleteUserError: a column of the application requires one more value.
        ApiError: the application refuses, or a value is taken that must be unique.
    """
    validate = ctx.auth.user_options.validate_user_info
    if validate is not None:
        with _wanting_nothing(ctx):
            shown = users.table.record(await users.made_up(ctx, **values))
        del shown["id"]
        await _approve(ctx, validate, shown, source)
    async with ctx.transaction() as inside:
        with _wanting_nothing(ctx):
            user = await users.create(inside, **values)
        yield inside, user


@contextmanager
def _wanting_nothing(ctx: Context) -> Generator[None]:
    """Refuse a user who lacks what a column of the application requires, and tell the application which."""
    try:
        yield
    except ValidationError as error:
        wanting = error.errors(include_url=False, include_input=False)
        if any(each["type"] != "missing" for each in wanting):
            raise
        columns = [str(each["loc"][0]) for each in wanting]
        # A traceback would show the values.
        hint = "no user was created: give %s a default, or fill it in a before_create hook"
        ctx.auth.logger.error(hint, ", ".join(columns))  # noqa: TRY400  # see above
        raise IncompleteUserError(columns) from None
