"""Options of how requests are received, limited and answered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from portico.options.rows import DatabaseOptions, TableNames

if TYPE_CHECKING:
    from portico.context import Context
    from portico.cookies import CookieOverride
    from portico.http import Request
    from portico.rate_limit import RateLimitStore, Rule

TrustedOrigins = Callable[["Request | None"], "Sequence[str] | Awaitable[Sequence[str]]"]
RateLimitStorage = Literal["memory", "database", "secondary-storage"]


@dataclass(frozen=True, kw_only=True)
class RateLimitOptions(TableNames):
    """Limits on how often one client may call one path over HTTP; server calls have none. And the names of the table
    of counts."""

    enabled: bool | None = None
    """None: unless PORTICO_ENV is `development` or `test`."""

    window: int = 10
    """In seconds."""

    max: int = 100
    """Requests in one window; sign-in, sign-up and mail have stricter limits of their own."""

    custom_rules: "Mapping[str, Rule]" = field(default_factory=dict[str, Any])
    """Limits by path, which may hold `*` and `**`; they override every other rule, and False turns a limit off."""

    storage: RateLimitStorage | None = None
    """Where requests are counted: in this process, in the database, or in `Auth(secondary_storage=...)`. None: there if
    it is given, else in this process, so that every further process adds as many requests again."""

    store: "RateLimitStore | None" = None
    """A counter of your own; it goes before `storage`."""


@dataclass(frozen=True, kw_only=True)
class AdvancedOptions:
    """What few applications change."""

    use_secure_cookies: bool | None = None
    """None: if the base URL is https. Secure cookies have the prefix `__Secure-`."""

    cookie_prefix: str = "better-auth"
    """Starts the name of every cookie; a TypeScript server beside this one needs the same."""

    cross_subdomain_cookies: bool | str = False
    """Shares cookies with every subdomain: of the base URL's host, or of a domain such as `.example.com`."""

    cookie_attributes: "CookieOverride | None" = None
    """Attributes for every cookie."""

    cookies: "Mapping[str, CookieOverride]" = field(default_factory=dict[str, Any])
    """Name and attributes of one cookie, by its own name such as `session_token`."""

    skip_trailing_slashes: bool = False
    """`/ok/` is answered as `/ok`."""

    trusted_proxies: Sequence[str] = ()
    """Addresses and networks (CIDR) of your proxies; only they may say who the client is."""

    address_headers: Sequence[str] = ("x-forwarded-for",)
    """Where a trusted proxy says it; the first that holds an address counts."""

    trusted_proxy_headers: bool = False
    """X-Forwarded-Host and X-Forwarded-Proto say where a request was sent, for a `DynamicBaseURL`; if `trusted_proxies`
    names any, only theirs do."""

    disable_ip_tracking: bool = False
    """Addresses of clients are neither stored with sessions nor counted by rate limits, which are off then."""

    disable_csrf_check: bool | None = None
    """Requests that carry cookies are answered whoever made the browser send them. None: only if `disable_origin_check`
    is True. For hosts that check it themselves."""

    disable_origin_check: bool | Sequence[str] = False
    """Senders of requests and the places to which users are sent are not checked: nowhere, or not on these paths and
    those below."""

    ipv6_prefix: int = 64
    """How many bits of an IPv6 address tell clients apart."""

    confirm_mailed_links: bool | None = None
    """Links in mails that change something show a page with a button first, so that a scanner that opens every link
    changes nothing; a page of your own sends the same POST. None: with `security="strict"`."""

    refuse_protected_fields: bool | None = None
    """A field that is not for clients to set is refused wherever a user is created or changed; without this, it is
    ignored where upstream ignores it. None: with `security="strict"`."""

    max_body_size: int = 1024 * 1024
    """In bytes; a longer request body is refused with 413 while it arrives."""

    database: DatabaseOptions = field(default_factory=DatabaseOptions)


@dataclass(frozen=True, kw_only=True)
class DynamicBaseURL:
    """A base URL that depends on where a request was sent, for an Auth behind many hosts."""

    allowed_hosts: Sequence[str]
    """Hosts, with their ports if they are unusual; `*` and `?` stand for any part. No other is ever believed."""

    fallback: str | None = None
    """The base URL of calls that were sent elsewhere, or nowhere; they are refused with 400 INVALID_HOST if None."""

    protocol: Literal["http", "https", "auto"] | None = None
    """None and `auto`: what the server was asked by, or what a proxy says (`trusted_proxy_headers`); cookies are Secure
    in production then, as they are with https. Pages of these hosts are trusted over https only, unless it is `http` or
    `auto`; those of this machine over http, too."""


@dataclass(frozen=True, kw_only=True)
class ErrorPage:
    """What the page that shows why a flow failed says, and how it differs from `Auth(pages=...)`: values of CSS, or
    None where it does not."""

    background: str | None = None
    foreground: str | None = None
    accent: str | None = None
    font_family: str | None = None
    text_size: str | None = None
    title: str = "Something went wrong"
    home_url: str = "/"
    """Where its link leads."""


@dataclass(frozen=True, kw_only=True)
class OnApiError:
    """What happens when a call is refused or fails."""

    throw: bool = False
    """Refusals and failures leave `auth.handler` as exceptions, for the application's own error handling."""

    on_error: "Callable[[Exception, Context | None], Awaitable[None] | None] | None" = None
    """Told of each refusal (ApiError) and each failure over HTTP, in place of our log; if it fails itself, that is
    logged and changes nothing."""

    error_url: str | None = None
    """A page of yours in place of the error page; it gets `error` and perhaps `error_description` in its query."""

    page: ErrorPage = field(default_factory=ErrorPage)
