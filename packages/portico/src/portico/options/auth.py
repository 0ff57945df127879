"""The options of `Auth` itself."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from portico.options.email import EmailAndPassword, EmailVerification
from portico.options.pages import Pages
from portico.options.requests import AdvancedOptions, DynamicBaseURL, OnApiError, RateLimitOptions, TrustedOrigins
from portico.options.rows import AccountOptions, TableNames, VerificationOptions
from portico.options.session import SessionOptions
from portico.options.user import UserOptions

if TYPE_CHECKING:
    from databases import Database
    from opentelemetry.trace import TracerProvider
    from sqlalchemy.ext.asyncio import AsyncEngine

    from portico.http import Background
    from portico.oauth2.provider import OAuthProvider
    from portico.store.adapter import Adapter
    from portico.store.secondary import PlainStorage, SecondaryStorage


Log = logging.Logger | logging.LoggerAdapter[Any]
"""Where an Auth says what it warns of and what failed."""
OUR_LOG: Log = logging.getLogger("portico")


class AuthOptions(TypedDict, total=False):
    """Options of `Auth` besides `api` and `plugins`."""

    secret: str
    """Signs cookies and encrypts secrets at rest; at least 32 random characters. BETTER_AUTH_SECRET if not given."""

    secrets: Sequence[tuple[int, str]]
    """(version, secret), the current one first; older ones still verify and decrypt. BETTER_AUTH_SECRETS, written
    `2:new,1:old`, if not given."""

    base_url: str | DynamicBaseURL
    """Public origin; https makes cookies Secure. With a path, that is where the endpoints live. BETTER_AUTH_URL if
    not given. In development and tests it may be missing: then it is whatever host of this machine was asked."""

    base_path: str
    """Where the endpoints live under `base_url`; "/api/auth" by default."""

    security: Literal["default", "strict"]
    """`strict` makes the safer choice wherever upstream's default is the weaker one and you say nothing. See
    `portico.strict.PAIRS`."""

    app_name: str
    """Shown to users, in authenticator apps for instance; APP_NAME if not given, "Better Auth" without either."""

    database: "str | Adapter | AsyncEngine | Database | None"
    """Where rows live: a URL such as "sqlite:///auth.db" or "postgresql://user:password@host/name", your SQLAlchemy
    AsyncEngine or databases.Database, or an Adapter. A new MemoryStore by default, which forgets everything at exit.
    None, without secondary storage, is stateless: a session lives in an encrypted cookie as long as it lasts, for
    every process that has the secret, and nobody but its browser ends it; other rows are in memory."""

    secondary_storage: "SecondaryStorage | PlainStorage"
    """Where short-lived values live that every process shares, such as a `RedisStorage`."""

    email_and_password: EmailAndPassword
    email_verification: EmailVerification
    user: UserOptions
    session: SessionOptions
    account: AccountOptions
    verification: VerificationOptions

    social_providers: "Sequence[OAuthProvider]"
    """Where users have accounts besides yours; `GenericOAuth` fits most."""

    rate_limit: RateLimitOptions
    advanced: AdvancedOptions

    trusted_origins: Sequence[str] | TrustedOrigins
    """Origins, besides `base_url`, that may send cookies and be redirected to; see `portico.origin.Origins`. A function
    of the request, async or not, is asked anew for each request. BETTER_AUTH_TRUSTED_ORIGINS, separated by commas,
    are added."""

    on_api_error: OnApiError

    pages: Pages
    """How the pages look that browsers are shown: the error page, those that links in mails lead to, and those of
    plugins."""

    logger: Log | Literal[False]
    """Where this Auth says what it warns of and what failed, `logging.getLogger("portico")` by default: its level, its
    handlers and its filters are those of the standard library. False is for nowhere. No secret is ever told."""

    disabled_paths: Sequence[str]
    """Paths, without the base path, that answer 404 over HTTP; `auth.api` still serves them."""

    additional_fields: Mapping[str, Mapping[str, Any]]
    """Further columns by table and name, for the form without a declared Api class: an annotation such as
    `Annotated[list[str], Column(input=True)]`, or that and a default. One that may be None is None by default."""

    naming: Literal["camel", "snake"]
    """How tables and columns without a name of their own are called in the database: `camel` is upstream's way
    (`rateLimit`, `createdAt`), `snake` gives `rate_limit` and `created_at`."""

    plugin_tables: Mapping[str, TableNames]
    """Names of the tables that plugins add, by table, such as `{"twoFactor": TableNames(model_name="factors")}`. Tables
    of the core are named by `user`, `session`, `account`, `verification` and `rate_limit`."""

    hooks: Sequence[Callable[..., Any]]
    """Functions decorated with `before` or `after`; they run ahead of the plugins' hooks."""

    database_hooks: Sequence[Callable[..., Any]]
    """Functions decorated with `before_create`, `after_update` and the like; they run after the plugins' hooks."""

    clock: Callable[[], datetime]
    """Returns the present as an aware datetime in UTC."""

    instrumentation: "bool | TracerProvider"
    """Spans of OpenTelemetry round calls, hooks, handlers and queries. On where `opentelemetry-api` is installed, with
    its global provider; False turns them off, and a provider of your own gets them instead."""

    run_background: Callable[["Background"], Awaitable[None]]
    """Hands work to a queue; without it the host runs it after sending the response."""
