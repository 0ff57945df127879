"""What `portico dev` serves: an Auth with everything on, and what its pages and control routes work on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from portico.auth import Auth
from portico.cli.dev.clock import MovedClock
from portico.cli.dev.mailbox import Mailbox
from portico.crypto.random import random_letters
from portico.endpoint import Plugin
from portico.errors import ConfigError
from portico.options import (
    ChangeEmail,
    DeleteUser,
    EmailAndPassword,
    EmailVerification,
    RateLimitOptions,
    UserOptions,
)
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.jwt import Jwt
from portico.plugins.magic_link import MagicLink
from portico.plugins.multi_session import MultiSession
from portico.plugins.open_api import OpenApi
from portico.plugins.two_factor import OtpOptions, TwoFactor
from portico.plugins.username import Username
from portico.store.connect import open_store
from portico.store.executors.sqlite import SqliteExecutor
from portico.store.sql.adapter import SqlAdapter

PLUGINS: Mapping[str, Callable[[Mailbox], Plugin[Any, Any]]] = MappingProxyType(
    {
        Bearer.id: lambda mailbox: Bearer(),
        Username.id: lambda mailbox: Username(),
        TwoFactor.id: lambda mailbox: TwoFactor(otp=OtpOptions(send_otp=mailbox.keeper("two-factor-otp"))),
        Jwt.id: lambda mailbox: Jwt(),
        MagicLink.id: lambda mailbox: MagicLink(send_magic_link=mailbox.keeper("magic-link")),
        DeviceAuthorization.id: lambda mailbox: DeviceAuthorization(),
        MultiSession.id: lambda mailbox: MultiSession(),
        OpenApi.id: lambda mailbox: OpenApi(),
    }
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_LENGTH = 48


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One server for development."""

    auth: Auth[Any]
    database: SqliteExecutor
    clock: MovedClock
    mailbox: Mailbox
    origins: frozenset[str]
    """Under which browsers on this machine reach it."""


def check(host: str, environment: Mapping[str, str]) -> None:
    """Raise ConfigError where everybody could reset the database and read mails."""
    if environment.get("PORTICO_ENV") == "production":
        raise ConfigError("`portico dev` shows every mail and token, so it does not start with PORTICO_ENV=production")
    if host not in LOOPBACK:
        raise ConfigError(f"`portico dev` listens on this machine only ({', '.join(LOOPBACK)}), not on {host!r}")


def make(database: str, ids: str | None, port: int, address: str) -> Setup:
    """Return an Auth at `address` with the plugins whose `ids` are listed, all by default.

    Raises:
        ConfigError: there is no such plugin, or the database is not SQLite.
    """
    store = open_store(database)
    executor = store.executor if isinstance(store, SqlAdapter) else None
    if not isinstance(executor, SqliteExecutor):
        raise ConfigError("`portico dev` keeps its rows in SQLite: leave out --database, or say sqlite:///dev.db")
    clock = MovedClock()
    mailbox = Mailbox(clock)
    origins = frozenset(f"http://{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]"))
    auth = Auth(
        plugins=_plugins(ids, mailbox),
        database=store,
        secret=random_letters(SECRET_LENGTH),
        base_url=address,
        trusted_origins=sorted(origins),
        clock=clock,
        email_and_password=EmailAndPassword(enabled=True, send_reset_password=mailbox.keeper("reset-password")),
        email_verification=EmailVerification(send_verification_email=mailbox.keeper("verification-email")),
        user=UserOptions(
            change_email=ChangeEmail(
                enabled=True, send_change_email_confirmation=mailbox.keeper("change-email-confirmation")
            ),
            # Without a mail, as on upstream's reference server: the password or a fresh session deletes at once.
            delete_user=DeleteUser(enabled=True),
        ),
        # A test signs in as often as it likes.
        rate_limit=RateLimitOptions(enabled=False),
    )
    return Setup(auth=auth, database=executor, clock=clock, mailbox=mailbox, origins=origins)


def _plugins(ids: str | None, mailbox: Mailbox) -> list[Plugin[Any, Any]]:
    wanted = list(PLUGINS) if ids is None else [each.strip() for each in ids.split(",") if each.strip()]
    unknown = [each for each in wanted if each not in PLUGINS]
    if unknown:
        raise ConfigError(f"there is no plugin {', '.join(map(repr, unknown))}; there are {', '.join(PLUGINS)}")
    return [PLUGINS[each](mailbox) for each in dict.fromkeys(wanted)]
