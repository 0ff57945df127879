"""Sign in with a username."""

from portico.plugins.username.declarations import (
    # Errors
    INVALID_DISPLAY_USERNAME,
    INVALID_USERNAME,
    INVALID_USERNAME_OR_PASSWORD,
    USERNAME_IS_ALREADY_TAKEN,
    USERNAME_IS_IMMUTABLE,
    USERNAME_TOO_LONG,
    USERNAME_TOO_SHORT,
    # Messages
    Availability,
    IsUsernameAvailable,
    SignInUsername,
    UsernameFields,
    UsernameOnlyFields,
    # Rows
    UsernameOnlyUser,
    UsernameUser,
    # Options
    ValidationOrder,
)
from portico.plugins.username.plugin import Username

__all__ = [
    # Plugin
    "Username",
    "ValidationOrder",
    # Rows
    "UsernameOnlyUser",
    "UsernameUser",
    # Messages
    "Availability",
    "IsUsernameAvailable",
    "SignInUsername",
    "UsernameFields",
    "UsernameOnlyFields",
    # Errors
    "INVALID_DISPLAY_USERNAME",
    "INVALID_USERNAME",
    "INVALID_USERNAME_OR_PASSWORD",
    "USERNAME_IS_ALREADY_TAKEN",
    "USERNAME_IS_IMMUTABLE",
    "USERNAME_TOO_LONG",
    "USERNAME_TOO_SHORT",
]
