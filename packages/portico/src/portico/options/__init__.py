"""Options of the core."""

from portico.options.auth import OUR_LOG, AuthOptions, Log
from portico.options.email import EmailAndPassword, EmailVerification
from portico.options.pages import Pages
from portico.options.requests import (
    AdvancedOptions,
    DynamicBaseURL,
    ErrorPage,
    OnApiError,
    RateLimitOptions,
    RateLimitStorage,
    TrustedOrigins,
)
from portico.options.rows import (
    AccountLinking,
    AccountOptions,
    DatabaseOptions,
    IdentifiersByPrefix,
    StoreIdentifier,
    TableNames,
    VerificationOptions,
)
from portico.options.session import CacheStrategy, CookieCacheOptions, SessionOptions
from portico.options.user import ChangeEmail, DeleteUser, UserOptions

__all__ = [
    "OUR_LOG",
    "AccountLinking",
    "AccountOptions",
    "AdvancedOptions",
    "AuthOptions",
    "CacheStrategy",
    "ChangeEmail",
    "CookieCacheOptions",
    "DatabaseOptions",
    "DeleteUser",
    "DynamicBaseURL",
    "EmailAndPassword",
    "EmailVerification",
    "ErrorPage",
    "IdentifiersByPrefix",
    "Log",
    "OnApiError",
    "Pages",
    "RateLimitOptions",
    "RateLimitStorage",
    "SessionOptions",
    "StoreIdentifier",
    "TableNames",
    "TrustedOrigins",
    "UserOptions",
    "VerificationOptions",
]
