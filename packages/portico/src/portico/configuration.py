"""What options and environment variables come to, or a ConfigError that says why they come to nothing."""

import difflib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portico.crypto.keyring import Keyring
from portico.errors import ConfigError
from portico.models import CREDENTIAL
from portico.option_types import check_type
from portico.options import (
    OUR_LOG,
    AdvancedOptions,
    AuthOptions,
    CacheStrategy,
    DatabaseOptions,
    DynamicBaseURL,
    EmailAndPassword,
    EmailVerification,
    Log,
    SessionOptions,
    UserOptions,
)

if TYPE_CHECKING:
    from portico.oauth2.provider import OAuthProvider

MIN_SECRET_LENGTH = 32
MIN_ENTROPY = 120
"""In bits."""
DEVELOPMENT_SECRET = "a-secret-for-development-and-tests-only"  # noqa: S105  # refused in production
PUBLIC_SECRETS = frozenset({DEVELOPMENT_SECRET, "better-auth-secret-12345678901234567890"})
"""Ours and upstream's: with either, everybody can sign sessions."""
DEFAULT_PATH = "/api/auth"
IN_ENVIRONMENT = frozenset({"app_name", "base_url", "secret", "secrets"})
"""Options that are looked for in the environment where they are None, as `os.environ.get` says it."""
MODES = ("production", "development", "test")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The environment variables that matter; upstream's names, but for the mode."""

    variables: Mapping[str, str]

    @property
    def is_production(self) -> bool:
        """Production is the default: it has to be turned off."""
        mode = self.variables.get("PORTICO_ENV") or "production"
        if mode not in MODES:
            raise ConfigError(f"PORTICO_ENV is one of {', '.join(MODES)}, not {mode!r}")
        return mode == "production"

    def first(self, *names: str) -> str | None:
        """Return the first variable that is set and not empty."""
        return next((self.variables[name] for name in names if self.variables.get(name)), None)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the endpoints live."""

    origin: str
    """Scheme, host and port."""

    path: str
    """Without a slash at its end."""

    @property
    def url(self) -> str:
        return self.origin + self.path


def check_options(given: AuthOptions) -> None:
    """Refuse an option that does not exist, and suggest the one that was meant; or one of another type."""
    known = AuthOptions.__annotations__
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(known))}"
            raise ConfigError(f"Auth has no option {name!r}{hint}")
        if value is not None or name not in IN_ENVIRONMENT:
            check_type(f"Auth({name}=...)", value, known[name])


def logger_of(options: AuthOptions) -> Log:
    """Return where to say what happens; a logger that tells nobody, if that is wanted."""
    given = options.get("logger", OUR_LOG)
    if given is not False:
        return given
    # One that is registered would be silent for everybody.
    silent = logging.Logger("portico")  # noqa: LOG001
    silent.disabled = True
    return silent


def keyring_of(options: AuthOptions, environment: Environment, logger: Log) -> Keyring:
    """Return the secrets to sign and encrypt with."""
    secret = options.get("secret") or environment.first("BETTER_AUTH_SECRET", "AUTH_SECRET")
    versions = options.get("secrets")
    listed = None if versions is not None else environment.first("BETTER_AUTH_SECRETS")
    if secret is None and not versions and listed is None:
        if environment.is_production:
            raise ConfigError(
                "there is no secret: pass secret= or set BETTER_AUTH_SECRET (`portico secret` makes one), "
                "or set PORTICO_ENV=development"
            )
        logger.warning("no secret is set: sessions are signed with one that everybody knows")
        secret = DEVELOPMENT_SECRET
    keyring = Keyring.parse(listed, secret) if listed else Keyring(secret, versions or ())
    if environment.is_production and PUBLIC_SECRETS & set(keyring.accepted):
        raise ConfigError(
            "this secret is published in source code: pass another secret= or set BETTER_AUTH_SECRET "
            "(`portico secret` makes one), or set PORTICO_ENV=development"
        )
    if len(keyring.current) < MIN_SECRET_LENGTH:
        logger.warning("the secret has fewer than %d characters: `portico secret` makes one", MIN_SECRET_LENGTH)
    elif entropy(keyring.current) < MIN_ENTROPY:
        logger.warning("the secret can be guessed: `portico secret` makes one that cannot")
    return keyring


def entropy(secret: str) -> float:
    """Return how many bits a secret has at most, if its characters were drawn from those that occur in it."""
    return len(secret) * log2(len(set(secret)) or 1)


URLS = (
    "BETTER_AUTH_URL",
    "NEXT_PUBLIC_BETTER_AUTH_URL",
    "PUBLIC_BETTER_AUTH_URL",
    "NUXT_PUBLIC_BETTER_AUTH_URL",
    "NUXT_PUBLIC_AUTH_URL",
)
"""Where a base URL may come from; the others are those of front ends that share an environment with us."""
THIS_MACHINE = DynamicBaseURL(
    allowed_hosts=(
        "localhost",
        "localhost:*",
        "*.localhost",
        "*.localhost:*",
        "127.0.0.1",
        "127.0.0.1:*",
        "[::1]",
        "[::1]:*",
    )
)


def base_url_of(options: AuthOptions, environment: Environment, logger: Log) -> str | DynamicBaseURL:
    """Return the base URL as it was given.

    Raises:
        ConfigError: there is none, in production: nobody may decide by a request what our address is.
    """
    url = options.get("base_url") or environment.first(*URLS)
    if url is not None:
        return url
    if environment.is_production:
        raise ConfigError("there is no base URL: pass base_url='https://example.com' or set BETTER_AUTH_URL")
    logger.warning("no base URL is set: it is whatever host of this machine a request asks for")
    return THIS_MACHINE


def site_of(url: str | DynamicBaseURL, base_path: str) -> Site:
    """Return where the endpoints live: a path in the base URL wins over `base_path`; a site without origin is none."""
    if isinstance(url, DynamicBaseURL):
        if url.fallback is None:
            path = base_path.rstrip("/")
            _check_path(path)
            return Site(origin="", path=path)
        url = url.fallback
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"base_url is not a URL: {url!r} ({error})") from error
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigError(f"base_url must look like 'https://example.com', not {url!r}")
    path = parts.path.rstrip("/") or base_path.rstrip("/")
    _check_path(path)
    return Site(origin=f"{parts.scheme}://{parts.netloc}".lower(), path=path)


def _check_path(path: str) -> None:
    if path and not path.startswith("/"):
        raise ConfigError(f"base_path must start with a slash, such as {DEFAULT_PATH!r}, not {path!r}")


def trusted_origins_of(options: AuthOptions, environment: Environment) -> Sequence[str]:
    """Return the origins that are trusted whatever the request is."""
    given = options.get("trusted_origins", ())
    listed = (environment.first("BETTER_AUTH_TRUSTED_ORIGINS") or "").split(",")
    return [*(() if callable(given) else given), *(each.strip() for each in listed if each.strip())]


def skips_csrf_check(advanced: AdvancedOptions, logger: Log) -> bool:
    """Tell whether senders are not checked, and warn where that follows from another option."""
    if advanced.disable_csrf_check is None and advanced.disable_origin_check is True:
        logger.warning(
            "advanced.disable_origin_check turns the CSRF check off, too: say disable_csrf_check=True if that is "
            "meant, or False if not"
        )
        return True
    return bool(advanced.disable_csrf_check)


def check_session(options: SessionOptions) -> None:
    """Refuse lifetimes that cannot be meant."""
    for name in ("expires_in", "update_age", "fresh_age"):
        seconds: Any = getattr(options, name)
        if seconds < 0 or (name == "expires_in" and seconds == 0):
            raise ConfigError(f"session.{name} is a number of seconds, not {seconds!r}")


def warn_of_options(options: AuthOptions, logger: Log) -> None:
    """Tell of options that are allowed and do not do what somebody might expect."""
    password = options.get("email_and_password", EmailAndPassword())
    verification = options.get("email_verification", EmailVerification())
    needed_by = {
        "email_and_password.require_email_verification": password.require_email_verification,
        "email_verification.send_on_sign_up": verification.send_on_sign_up,
        "email_verification.send_on_sign_in": verification.send_on_sign_in,
    }
    needing = next((name for name, is_on in needed_by.items() if is_on), None)
    if needing is not None and verification.send_verification_email is None:
        logger.warning("%s is on and nobody mails the link: give email_verification.send_verification_email", needing)
    session = options.get("session", SessionOptions())
    if session.update_age > session.fresh_age > 0:
        logger.warning(
            "session.update_age is more than fresh_age: prolonging a session does not make it fresh, a new sign-in does"
        )


@dataclass(frozen=True, kw_only=True)
class CopySettings:
    """What the options of the cookie cache come to."""

    enabled: bool
    strategy: CacheStrategy
    max_age: int
    version: str | Callable[[Any, Any], str]
    renewal: int
    """How many seconds before its end a copy is written anew; 0 for never."""
    is_checked: bool
    """Whether a copy is believed only while the store has its session."""


def copy_settings_of(session: SessionOptions, logger: Log, *, is_stateless: bool, has_database: bool) -> CopySettings:
    """Return how copies of sessions are kept in cookies; where they are stateless, a copy is the session."""
    cache = session.cookie_cache
    if is_stateless and cache.instant_revocation:
        raise ConfigError(
            "session.cookie_cache.instant_revocation needs a store that knows which sessions were revoked: pass "
            "database= or secondary_storage="
        )
    if None not in {cache.strategy, cache.encoding} and cache.strategy != cache.encoding:
        raise ConfigError(
            f"session.cookie_cache.strategy is {cache.strategy!r} and encoding {cache.encoding!r}: they are two names "
            "of one thing, so leave one out"
        )
    strategy: CacheStrategy = cache.strategy or cache.encoding or ("jwe" if is_stateless else "compact")
    max_age = (session.expires_in if is_stateless else 300) if cache.max_age is None else cache.max_age
    if max_age <= 0:
        raise ConfigError(f"session.cookie_cache.max_age is a number of seconds above 0, not {max_age!r}")
    renewal = is_stateless if cache.refresh_cache is None else cache.refresh_cache
    if not 0 <= renewal <= max_age:
        raise ConfigError(f"session.cookie_cache.refresh_cache is a number of seconds up to max_age, not {renewal!r}")
    return CopySettings(
        enabled=is_stateless if cache.enabled is None else cache.enabled,
        strategy=strategy,
        max_age=max_age,
        version=cache.version,
        renewal=_copy_renewal(renewal, max_age, logger, has_database=has_database),
        is_checked=cache.instant_revocation,
    )


def check_database(options: DatabaseOptions) -> None:
    """Refuse lists that could hold nothing."""
    if options.default_find_many_limit < 1:
        raise ConfigError(
            f"advanced.database.default_find_many_limit is a number above 0, not {options.default_find_many_limit!r}"
        )


def check_links(options: AuthOptions) -> None:
    """Refuse links in mails that would be over before they are read."""
    lifetimes = {
        "email_and_password.reset_password_token_expires_in": options.get(
            "email_and_password", EmailAndPassword()
        ).reset_password_token_expires_in,
        "email_verification.expires_in": options.get("email_verification", EmailVerification()).expires_in,
        "user.delete_user.delete_token_expires_in": options.get(
            "user", UserOptions()
        ).delete_user.delete_token_expires_in,
    }
    for name, seconds in lifetimes.items():
        if seconds <= 0:
            raise ConfigError(f"{name} is a number of seconds above 0, not {seconds!r}")


def providers_of(providers: "Sequence[OAuthProvider]") -> "Mapping[str, OAuthProvider]":
    """Return the providers by id."""
    known: dict[str, OAuthProvider] = {}
    for provider in providers:
        if provider.id in known or provider.id == CREDENTIAL:
            raise ConfigError(f"social_providers: {provider.id!r} is taken; give each provider an id of its own")
        known[provider.id] = provider
    return known


def _copy_renewal(renewal: bool | int, max_age: int, logger: Log, *, has_database: bool) -> int:
    if renewal is False:
        return 0
    if has_database:
        logger.warning(
            "session.cookie_cache.refresh_cache is ignored: with a database, a copy that renews itself would outlive "
            "the revocation of its session"
        )
        return 0
    return max_age // 5 if renewal is True else renewal
