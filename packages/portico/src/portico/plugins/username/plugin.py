"""Usernames: a second name to sign in with, unique in the form in which it is stored."""

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from portico import admission, mail_links
from portico.context import Context
from portico.endpoint import Plugin, Route, endpoint, extends
from portico.errors import EMAIL_NOT_VERIFIED, PASSWORD_TOO_LONG, ApiError, ConfigError, ErrorCode
from portico.hooks import before
from portico.messages import Challenge, SignedIn
from portico.models import SessionT, UserT
from portico.plugins.username.declarations import (
    INVALID_DISPLAY_USERNAME,
    INVALID_USERNAME_OR_PASSWORD,
    NOT_GIVEN,
    REFUSED,
    UNAVAILABLE,
    USERNAME_IS_ALREADY_TAKEN,
    USERNAME_IS_IMMUTABLE,
    Availability,
    IsUsernameAvailable,
    Normalization,
    SignInUsername,
    UsernameFields,
    UsernameOnlyFields,
    UsernameOnlyUser,
    UsernameUser,
    ValidationOrder,
    Validator,
)
from portico.store.hooks import before_create, before_update
from portico.wire import javascript_length

PLAIN = re.compile(r"[A-Za-z0-9_.]+")
LONGEST = 255
"""Characters of a username; every database keeps so many in a unique column."""
AS_SENT = ValidationOrder()
SIGN_UP = "/sign-up/email"
UPDATE = "/update-user"


def is_plain(username: str) -> bool:
    """Tell whether a username has nothing but letters of English, digits, `_` and `.`."""
    return PLAIN.fullmatch(username) is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class Username(Plugin[UserT, SessionT]):
    """A second name to sign in with, chosen at sign-up."""

    id: ClassVar[str] = "username"
    columns = MappingProxyType({"user": UsernameUser})
    extensions = (extends(SIGN_UP, body=UsernameFields), extends(UPDATE, body=UsernameFields))

    min_length: int = 3
    max_length: int = 30
    """In characters as JavaScript counts them: two for an emoji."""

    username_validator: Validator = is_plain
    """Whether a username may be given or signed in with, also as an async function."""

    display_username_validator: Validator | None = None
    """Whether a display name may be given; None takes every one."""

    username_normalization: Normalization = str.lower
    """Makes what is stored and looked for of a username, and must leave that as it is; with False, users whose names
    differ in case alone are different users."""

    display_username_normalization: Normalization = False
    """Makes what is stored of a display name, and must leave that as it is, too."""

    validation_order: ValidationOrder = AS_SENT

    immutable_username: bool = False
    """Who has a username keeps it; who has none may still choose one."""

    display_username: bool = True
    """Whether users have a display name. Without one, mix `UsernameOnlyUser` into your User."""

    def __post_init__(self) -> None:
        """Declare one column instead of two where the options want that."""
        if not self.display_username:
            extensions = tuple(replace(each, body=UsernameOnlyFields) for each in self.extensions)
            object.__setattr__(self, "extensions", extensions)
            object.__setattr__(self, "columns", MappingProxyType({"user": UsernameOnlyUser}))

    def setup(self, auth: Any) -> None:
        """Check the options."""
        if not 1 <= self.min_length <= self.max_length <= LONGEST:
            raise ConfigError(
                f"Username(min_length={self.min_length!r}, max_length={self.max_length!r}): these are numbers of "
                f"characters from 1 to {LONGEST}, the smaller one first"
            )

    # Endpoints

    @endpoint(
        "POST",
        "/sign-in/username",
        errors=(EMAIL_NOT_VERIFIED, INVALID_USERNAME_OR_PASSWORD, PASSWORD_TOO_LONG, *UNAVAILABLE),
        signals=("session",),
    )
    async def sign_in(self, ctx: Context, body: SignInUsername) -> SignedIn[UserT] | Challenge:
        """Sign in with username and password."""
        if not body.username or not body.password:
            raise ApiError(INVALID_USERNAME_OR_PASSWORD)
        user = await self.users.find(ctx, username=await self._accepted(body.username, UNAVAILABLE))
        if not await self.auth.accounts.password_matches(ctx, user, body.password) or user is None:
            raise ApiError(INVALID_USERNAME_OR_PASSWORD)
        mail_links.require_verified(ctx, user, body.callback_url)
        admitted = await admission.admit(ctx, user, remember=body.remember_me)
        return admission.lead_on(ctx, admitted, body.callback_url)

    @endpoint(
        Route("POST", "/is-username-available"),
        Route("POST", "/username/is-available"),
        Route("GET", "/username/is-available", input="query"),
        errors=UNAVAILABLE,
    )
    async def is_available(self, ctx: Context, body: IsUsernameAvailable) -> Availability:
        """Tell whether a username is free."""
        if not body.username:
            raise ApiError(UNAVAILABLE[-1])
        holder = await self.users.find(ctx, username=await self._accepted(body.username, UNAVAILABLE))
        return Availability(available=holder is None)

    # Before a user gets a name, over HTTP or by a server call

    @before(SIGN_UP, errors=NOT_GIVEN)
    async def check_sign_up(self, ctx: Context) -> Context | None:
        """Refuse bad and taken names; one of the two stands for the other one if only one is given."""
        body = ctx.fields
        shown = body.get("displayUsername")
        if "username" not in body and isinstance(shown, str) and await self._refusal_of(shown, REFUSED) is None:
            body = {**body, "username": shown}
        username = body.get("username")
        if isinstance(username, str) and await self._is_held(ctx, await self._accepted(username, REFUSED)):
            raise ApiError(USERNAME_IS_ALREADY_TAKEN)
        await self._require_displayable(shown)
        if self.display_username and username and shown in (None, ""):
            body = {**body, "displayUsername": username}
        return self._with_stored(ctx, body)

    @before(UPDATE, errors=(*NOT_GIVEN, USERNAME_IS_IMMUTABLE))
    async def check_update(self, ctx: Context) -> Context | None:
        """Refuse bad and taken names, and another name for who must keep theirs."""
        body = ctx.fields
        username = body.get("username")
        stored = await self._accepted(username, REFUSED) if isinstance(username, str) else None
        if self.immutable_username and "username" in body:
            caller = await self._caller(ctx)
            own = getattr(caller, "username", None)
            if own and own != stored:
                raise ApiError(USERNAME_IS_IMMUTABLE)
        if stored is not None and await self._is_held(ctx, stored, by_others=True):
            raise ApiError(USERNAME_IS_ALREADY_TAKEN)
        await self._require_displayable(body.get("displayUsername"))
        return self._with_stored(ctx, body)

    # Before a row is written, by whatever way

    @before_create("user")
    async def complete_new_user(self, ctx: Context, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store the names in their form; the database refuses a taken one."""
        await self._check_written(ctx, values)
        if self.display_username and values.get("username") and not values.get("display_username"):
            values = {**values, "display_username": values["username"]}
        return self._stored(values, "display_username")

    @before_update("user")
    async def complete_changes(self, ctx: Context, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store the names in their form; the database refuses a taken one."""
        await self._check_written(ctx, values)
        return self._stored(values, "display_username")

    async def _check_written(self, ctx: Context, values: Mapping[str, Any]) -> None:
        if ctx.endpoint is not None and ctx.endpoint.path in (SIGN_UP, UPDATE):
            # There, the names were looked at as they were sent, before anything else was.
            return
        if isinstance(values.get("username"), str):
            await self._accepted(values["username"], REFUSED)
        await self._require_displayable(values.get("display_username"))

    # Rules

    async def _accepted(self, username: str, refusals: tuple[ErrorCode, ...]) -> str:
        """Return a username as it is stored, or refuse it."""
        refusal = await self._refusal_of(username, refusals)
        if refusal is not None:
            raise ApiError(refusal)
        return _normalized(username, self.username_normalization)

    async def _refusal_of(self, username: str, refusals: tuple[ErrorCode, ...]) -> ErrorCode | None:
        too_short, too_long, invalid = refusals
        if self.validation_order.username == "post-normalization":
            username = _normalized(username, self.username_normalization)
        if javascript_length(username) < self.min_length:
            return too_short
        if javascript_length(username) > self.max_length:
            return too_long
        return None if await _passes(self.username_validator, username) else invalid

    async def _require_displayable(self, display_username: Any) -> None:
        """Refuse a bad display name; what is no text is refused by its column."""
        validator = self.display_username_validator
        if validator is None or not self.display_username or not isinstance(display_username, str):
            return
        if self.validation_order.display_username == "post-normalization":
            display_username = _normalized(display_username, self.display_username_normalization)
        if not await _passes(validator, display_username):
            raise ApiError(INVALID_DISPLAY_USERNAME)

    def _with_stored(self, ctx: Context, body: Mapping[str, Any]) -> Context | None:
        """Return the call with its names in the form in which replies show them."""
        stored = self._stored(body, "displayUsername")
        return replace(ctx, body={**body, **stored}) if stored else None

    def _stored(self, values: Mapping[str, Any], display: str) -> dict[str, Any]:
        """Return the names among `values` as they are stored; `display` is the key of the display name."""
        forms: dict[str, Normalization] = {"username": self.username_normalization}
        if self.display_username:
            forms[display] = self.display_username_normalization
        given = {key: values[key] for key in forms if isinstance(values.get(key), str)}
        return {key: _normalized(name, forms[key]) for key, name in given.items()}

    async def _is_held(self, ctx: Context, stored: str, *, by_others: bool = False) -> bool:
        """Tell whether a name is somebody's, or somebody's other than the caller."""
        holder = await self.users.find(ctx, username=stored)
        if holder is None:
            return False
        caller = await self._caller(ctx) if by_others else None
        return caller is None or caller.id != holder.id

    async def _caller(self, ctx: Context) -> UserT | None:
        """Return the user who changes their own name, as the store knows them, if one keeps sessions."""
        found = await admission.find(ctx.child(), authoritative=not self.auth.is_stateless, refresh=False)
        return admission.opened(found).user if found else None


def _normalized(name: str, normalization: Normalization) -> str:
    return name if normalization is False else normalization(name)


async def _passes(validator: Validator, name: str) -> bool:
    verdict = validator(name)
    return bool(await verdict if isinstance(verdict, Awaitable) else verdict)
