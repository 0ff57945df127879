"""What usernames declare: their errors, rows, messages and the kinds of their options."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from portico.errors import ErrorCode
from portico.schema import Column, Columns
from portico.wire import Omittable, Wire

# Errors

INVALID_USERNAME = ErrorCode(400, "INVALID_USERNAME", "Username is invalid")
INVALID_DISPLAY_USERNAME = ErrorCode(400, "INVALID_DISPLAY_USERNAME", "Display username is invalid")
INVALID_USERNAME_OR_PASSWORD = ErrorCode(401, "INVALID_USERNAME_OR_PASSWORD", "Invalid username or password")
USERNAME_IS_ALREADY_TAKEN = ErrorCode(
    400, "USERNAME_IS_ALREADY_TAKEN", "Username is already taken. Please try another."
)
USERNAME_IS_IMMUTABLE = ErrorCode(400, "USERNAME_IS_IMMUTABLE", "Username cannot be updated")
USERNAME_TOO_LONG = ErrorCode(400, "USERNAME_TOO_LONG", "Username is too long")
USERNAME_TOO_SHORT = ErrorCode(400, "USERNAME_TOO_SHORT", "Username is too short")
REFUSED = (USERNAME_TOO_SHORT, USERNAME_TOO_LONG, INVALID_USERNAME)
# Upstream refuses the same names with 400 where a user gets one and with 422 elsewhere.
UNAVAILABLE = tuple(replace(code, status=422) for code in REFUSED)
NOT_GIVEN = (*REFUSED, USERNAME_IS_ALREADY_TAKEN, INVALID_DISPLAY_USERNAME)

# Options

Normalization = Callable[[str], str] | Literal[False]
Validator = Callable[[str], bool | Awaitable[bool]]
Order = Literal["pre-normalization", "post-normalization"]


@dataclass(frozen=True, kw_only=True)
class ValidationOrder:
    """Whether names are validated as they were sent, or as they will be stored."""

    username: Order = "pre-normalization"
    """Lengths are measured in this form, too."""

    display_username: Order = "pre-normalization"


# Rows

UsernameColumn = Annotated[str | None, Column(input=True, unique=True, taken=USERNAME_IS_ALREADY_TAKEN)]


class UsernameUser(Columns):
    username: UsernameColumn = None
    """As it is looked for: in lower case, unless the options say otherwise."""
    display_username: Annotated[str | None, Column(input=True)] = None
    """As the user wrote it."""


class UsernameOnlyUser(Columns):
    """The columns where display names are switched off."""

    username: UsernameColumn = None


# Messages


class UsernameFields(Wire):
    """What sign-up takes as well; derive your own body from SignUpEmail and this to pass it in Python."""

    username: str | None = None
    display_username: str | None = None


class UsernameOnlyFields(Wire):
    """The same where display names are switched off."""

    username: str | None = None


class SignInUsername(Wire):
    username: str
    password: str
    remember_me: bool = True
    callback_url: Omittable[str] = None
    """Where to go afterwards; the reply says it again, as `url` and as Location."""


class IsUsernameAvailable(Wire):
    username: str


class Availability(Wire):
    available: bool
