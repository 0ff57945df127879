"""The options of the plugin, and what its endpoints share."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import create_model

from portico import admission
from portico.context import Context
from portico.endpoint import Endpoint, Plugin
from portico.errors import INVALID_PASSWORD, UNAUTHORIZED, ApiError, ConfigError, ErrorCode
from portico.models import Session, SessionT, User, UserT
from portico.plugins.two_factor.backup_codes import BackupCodeList
from portico.plugins.two_factor.declarations import NO_AUTHENTICATORS, TwoFactorRow, TwoFactorUser
from portico.plugins.two_factor.lockout import Lockout
from portico.plugins.two_factor.mailed_codes import MailedCodes
from portico.plugins.two_factor.options import (
    AccountLockout,
    BackupCodeOptions,
    OtpOptions,
    RequireFor,
    TotpOptions,
)
from portico.store.rows import Rows
from portico.wire import Wire


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings(Plugin[UserT, SessionT]):
    """What both groups of endpoints read."""

    issuer: str | None = None
    """Name of the service in the authenticator app; the app's name if None."""

    totp: TotpOptions = field(default_factory=TotpOptions)
    """Codes of an authenticator app."""

    otp: OtpOptions | None = None
    """Codes that are sent, by mail or as a text message; none are if None."""

    backup_codes: BackupCodeOptions = field(default_factory=BackupCodeOptions)

    require_for: RequireFor = "all"
    """After which first steps the second one is asked for."""

    skip_verification_on_enable: bool = False
    """Turn the second factor on at once, without a first code: whoever mistyped the secret is locked out."""

    allow_passwordless: bool = False
    """Who has no password needs none to change the second factor; who has one still does."""

    two_factor_cookie_max_age: int = 600
    """How long a sign-in waits for its second step, in seconds."""

    trust_device_max_age: int = 30 * 24 * 60 * 60
    """How long a device that is not used stays trusted, in seconds."""

    account_lockout: AccountLockout = field(default_factory=AccountLockout)

    backup_code_max_age: int = 300
    """How old a session may be that looks at its backup codes, in seconds."""

    def setup(self, auth: Any) -> None:
        """Check the options."""
        if self.totp.digits not in {6, 8} or self.totp.period < 1:
            raise ConfigError("TwoFactor(totp=...): codes have 6 or 8 digits, and a step lasts for a second at least")
        if self.otp is not None and (self.otp.digits < 1 or self.otp.expires_in < 1 or self.otp.allowed_attempts < 1):
            raise ConfigError("TwoFactor(otp=...): digits, expires_in and allowed_attempts are numbers above 0")
        if self.two_factor_cookie_max_age < 1 or self.trust_device_max_age < 0:
            raise ConfigError(
                "TwoFactor: two_factor_cookie_max_age is a second at least, and trust_device_max_age not less than 0"
            )
        codes, lock = self.backup_codes, self.account_lockout
        if codes.amount < 0 or codes.length < 1:
            raise ConfigError("TwoFactor(backup_codes=...): amount counts from 0, and length from 1")
        if lock.enabled and (lock.max_failed_attempts < 1 or lock.duration < 1):
            raise ConfigError("TwoFactor(account_lockout=...): max_failed_attempts and duration are numbers above 0")

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the endpoints; those that change the second factor need the password, unless users may have none."""
        passwordless = {
            "get_totp_uri": self._is_passwordless(self.totp.allow_passwordless),
            "generate_backup_codes": self._is_passwordless(self.backup_codes.allow_passwordless),
        }
        for each in super().endpoints():
            asks = each.body is not None and "password" in each.body.model_fields
            if each.body is None or not asks or passwordless.get(each.name, self.allow_passwordless):
                yield each
            else:
                yield replace(each, body=_with_password(each.body))

    @property
    def secrets(self) -> Rows[TwoFactorRow]:
        return self.auth.rows(TwoFactorRow)

    @property
    def lockout(self) -> Lockout:
        return Lockout(self.account_lockout, self.secrets)

    @property
    def lists(self) -> BackupCodeList:
        return BackupCodeList(self.backup_codes, self.auth.cabinet)

    @property
    def mailed(self) -> MailedCodes | None:
        return None if self.otp is None else MailedCodes(self.otp, self.auth.cabinet)

    def require_authenticators(self) -> None:
        """Refuse calls about authenticator apps where there are none."""
        if self.totp.disable:
            raise ApiError(NO_AUTHENTICATORS)

    async def require_password(
        self, ctx: Context, user: UserT, password: str | None, *, passwordless: bool | None = None
    ) -> None:
        """Refuse a change without the password, except by somebody who has none and need not.

        `passwordless` is what the options of one kind of code say; None leaves it to those of the plugin.
        """
        if self._is_passwordless(passwordless) and await self.auth.accounts.credential(ctx, user) is None:
            return
        if not password or not await self.auth.accounts.password_matches(ctx, user, password):
            raise ApiError(INVALID_PASSWORD)

    async def row_of(self, ctx: Context, user: User, missing: ErrorCode) -> TwoFactorRow:
        """Return the user's row; refuse with `missing` if there is none."""
        row = await self.secrets.find(ctx, user_id=user.id)
        if row is None:
            raise ApiError(missing)
        return row

    async def renew_session(self, ctx: Context, user: UserT) -> str:
        """Replace the caller's session, so that a stolen cookie does not outlive the change; return its token.

        What plugins and the application keep in columns of theirs goes on in the new one.
        """
        ended = self.signed_in(ctx).session
        # A session that only its cookie copy remembers was revoked, and must not come back as a new one.
        if not await self.sessions.delete(ctx, token=ended.token):
            raise ApiError(UNAUTHORIZED)
        kept = {name: getattr(ended, name) for name in self.sessions.table.fields if name not in Session.model_fields}
        return (await admission.start(ctx, user, remember=admission.is_remembered(ctx), **kept)).token

    def _is_passwordless(self, own: bool | None) -> bool:
        return self.allow_passwordless if own is None else own


def is_enabled(user: User) -> bool:
    """Tell whether a second factor is asked for."""
    # A row that cannot say so is of no table of ours: to ask for the second step is the safe answer.
    return not isinstance(user, TwoFactorUser) or bool(user.two_factor_enabled)


def _with_password(body: type[Wire]) -> type[Wire]:
    """Return a message that must say the password."""
    needed: Any = create_model(body.__name__, __base__=body, __module__=body.__module__, password=(str, ...))
    made: type[Wire] = needed
    return made
