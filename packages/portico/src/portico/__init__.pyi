"""The public names, each with its home. Type checkers read them here, and `__init__.py` finds them by this file."""

from .api import AnyApi, Api
from .auth import Auth
from .context import Caller, Context
from .crypto.password import Argon2id, CustomHasher, PasswordHasher, Scrypt
from .endpoint import Endpoint, Plugin, Route, endpoint, extends, resource
from .errors import (
    ApiError,
    ConfigError,
    ErrorCode,
    KeysUnavailableError,
    NotUniqueError,
    OAuthError,
    OAuthErrorCode,
    PorticoError,
    StoreBusyError,
    UnstorableError,
)
from .hooks import after, before, middleware
from .http import Content, Empty, Headers, Html, Redirect, Request, Response
from .mails import ChangeEmailMail, DeleteAccountMail, ResetPasswordMail, VerificationMail
from .messages import Challenge, SessionData, SignedIn, Status, Success
from .models import Account, Session, User, Verification
from .oauth2.generic import GenericOAuth
from .oauth2.provider import OAuthProvider, OAuthTokens, ProviderUser, RefreshingProvider
from .options import (
    AccountLinking,
    AccountOptions,
    AdvancedOptions,
    ChangeEmail,
    CookieCacheOptions,
    DatabaseOptions,
    DeleteUser,
    DynamicBaseURL,
    EmailAndPassword,
    EmailVerification,
    ErrorPage,
    IdentifiersByPrefix,
    OnApiError,
    Pages,
    RateLimitOptions,
    SessionOptions,
    TableNames,
    UserOptions,
    VerificationOptions,
)
from .provisioning import UserInfo, UserInfoRefused, UserInfoSource
from .rate_limit import RateLimit, RateLimitStore
from .schema import Column, Columns, HookContext, Row
from .store.adapter import Adapter, Join, Sort, Where
from .store.hooks import (
    after_create,
    after_delete,
    after_update,
    before_create,
    before_delete,
    before_update,
)
from .store.memory import MemoryStore
from .store.redis import RedisStorage
from .store.secondary import MemorySecondaryStorage, PlainStorage, SecondaryStorage
from .wire import Also, OAuthWire, Wire

__all__ = [
    # An Auth and its API
    "AnyApi",
    "Api",
    "Auth",
    # Options
    "AccountLinking",
    "AccountOptions",
    "AdvancedOptions",
    "Argon2id",
    "ChangeEmail",
    "CookieCacheOptions",
    "DatabaseOptions",
    "CustomHasher",
    "DeleteUser",
    "DynamicBaseURL",
    "EmailAndPassword",
    "EmailVerification",
    "ErrorPage",
    "IdentifiersByPrefix",
    "PasswordHasher",
    "RateLimit",
    "OnApiError",
    "Pages",
    "RateLimitOptions",
    "RateLimitStore",
    "Scrypt",
    "SessionOptions",
    "TableNames",
    "UserInfo",
    "UserInfoRefused",
    "UserInfoSource",
    "UserOptions",
    "VerificationOptions",
    # Providers of accounts
    "GenericOAuth",
    "OAuthProvider",
    "OAuthTokens",
    "ProviderUser",
    "RefreshingProvider",
    # Mails
    "ChangeEmailMail",
    "DeleteAccountMail",
    "ResetPasswordMail",
    "VerificationMail",
    # Calls, requests and responses
    "Caller",
    "Content",
    "Context",
    "Empty",
    "Headers",
    "Html",
    "Redirect",
    "Request",
    "Response",
    # Rows and messages
    "Account",
    "Also",
    "Challenge",
    "Column",
    "Columns",
    "OAuthWire",
    "Row",
    "Session",
    "SessionData",
    "SignedIn",
    "Status",
    "Success",
    "User",
    "Verification",
    "Wire",
    # Plugins, endpoints and hooks
    "Endpoint",
    "HookContext",
    "Plugin",
    "Route",
    "after",
    "after_create",
    "after_delete",
    "after_update",
    "before",
    "before_create",
    "before_delete",
    "before_update",
    "endpoint",
    "extends",
    "middleware",
    "resource",
    # Stores
    "Adapter",
    "Join",
    "MemorySecondaryStorage",
    "MemoryStore",
    "PlainStorage",
    "RedisStorage",
    "SecondaryStorage",
    "Sort",
    "Where",
    # Errors
    "ApiError",
    "ConfigError",
    "ErrorCode",
    "KeysUnavailableError",
    "NotUniqueError",
    "OAuthError",
    "OAuthErrorCode",
    "PorticoError",
    "StoreBusyError",
    "UnstorableError",
]
