"""What a user does about the second factor while signed in: turn it on and off, and keep its secrets."""

from dataclasses import dataclass
from datetime import timedelta

from portico import admission
from portico.context import Context
from portico.crypto.random import random_url_safe
from portico.endpoint import Route, endpoint
from portico.errors import INVALID_PASSWORD, PASSWORD_TOO_LONG, SESSION_NOT_FRESH, UNAUTHORIZED, ApiError
from portico.messages import Status
from portico.models import SessionT, User, UserT
from portico.plugins.two_factor import authenticator, ownership, trusted_devices
from portico.plugins.two_factor.declarations import (
    BACKUP_CODES_NOT_ENABLED,
    INVALID_LIST,
    OTP_NOT_CONFIGURED,
    TOTP_ALREADY_ENABLED,
    TOTP_NOT_CONFIGURED,
    TOTP_NOT_ENABLED,
    TWO_FACTOR_NOT_ENABLED,
    BackupCodes,
    EnableTwoFactor,
    GenerateTotp,
    OtpEnabled,
    ProvePassword,
    TotpCode,
    TotpUri,
    TwoFactorEnabled,
    ViewBackupCodes,
)
from portico.plugins.two_factor.settings import Settings, is_enabled

UNPROVEN = (INVALID_PASSWORD, PASSWORD_TOO_LONG)


@dataclass(frozen=True, kw_only=True, eq=False)
class Enrolment(Settings[UserT, SessionT]):
    """Endpoints of users who are signed in."""

    @endpoint(
        "POST",
        "/two-factor/enable",
        session="authoritative",
        errors=(*UNPROVEN, OTP_NOT_CONFIGURED, TOTP_NOT_CONFIGURED, TOTP_ALREADY_ENABLED, UNAUTHORIZED),
        signals=("session",),
    )
    async def enable(self, ctx: Context, body: EnableTwoFactor) -> TwoFactorEnabled | OtpEnabled:
        """Start to use an authenticator app, which its first code turns on, or to be sent codes at once."""
        user = self.signed_in(ctx).user
        await self.require_password(ctx, user, body.password)
        if body.method == "otp":
            return await self._send_codes(ctx, user)
        if self.totp.disable:
            raise ApiError(TOTP_NOT_CONFIGURED)
        secret, backup_codes = random_url_safe(32), self.lists.new()
        # Before the transaction, which nobody should wait for: the application may ask a server of keys.
        sealed = await self.lists.sealed(backup_codes)
        async with ctx.transaction() as inside:
            await self._keep(inside, user, secret, sealed)
            if self.skip_verification_on_enable:
                await self._turn_on(inside, user)
        uri = authenticator.uri(self.totp, secret, issuer=body.issuer or self._issuer, account=user.email)
        return TwoFactorEnabled(method="totp", totp_uri=uri, backup_codes=backup_codes)

    @endpoint(
        "POST",
        "/two-factor/disable",
        session="authoritative",
        sensitive=True,
        errors=UNPROVEN,
        signals=("session",),
    )
    async def disable(self, ctx: Context, body: ProvePassword) -> Status:
        """Stop asking for a second factor."""
        user = self.signed_in(ctx).user
        await self.require_password(ctx, user, body.password)
        async with ctx.transaction() as inside:
            changed = await self.users.update(inside, {"id": user.id}, two_factor_enabled=False)
            await self.secrets.delete(inside, user_id=user.id)
            await self.renew_session(inside, changed or user)
            await trusted_devices.forget(inside, user)
        return Status(status=True)

    @endpoint(
        Route("POST", "/two-factor/get-totp-uri"),
        # The password never stands in an address: a recent sign-in proves as much.
        Route("GET", "/two-factor/get-totp-uri", session="fresh"),
        session="authoritative",
        errors=(*UNPROVEN, TOTP_NOT_CONFIGURED, TOTP_NOT_ENABLED),
        operation_id="getTotpUri",
        signals=("session",),
    )
    async def get_totp_uri(self, ctx: Context, body: ProvePassword | None) -> TotpUri:
        """Return the URI of the QR code again, for another authenticator app."""
        self.require_authenticators()
        user = self.signed_in(ctx).user
        row = await self.row_of(ctx, user, TOTP_NOT_ENABLED)
        if ctx.route is None or not ctx.route.is_link:
            password = None if body is None else body.password
            await self.require_password(ctx, user, password, passwordless=self.totp.allow_passwordless)
        secret = authenticator.secret_of(ctx, row)
        if secret is None:
            raise ApiError(TOTP_NOT_ENABLED)
        return TotpUri(totp_uri=authenticator.uri(self.totp, secret, issuer=self._issuer, account=user.email))

    @endpoint("POST", "/two-factor/generate-totp", operation_id="generateTOTP", server_only=True)
    async def generate_totp(self, ctx: Context, body: GenerateTotp) -> TotpCode:
        """Return the code that an authenticator app with a secret shows now."""
        self.require_authenticators()
        return TotpCode(code=authenticator.code_of(ctx, self.totp, body.secret))

    @endpoint(
        "POST",
        "/two-factor/generate-backup-codes",
        session="authoritative",
        errors=(*UNPROVEN, TWO_FACTOR_NOT_ENABLED),
        signals=("session",),
    )
    async def generate_backup_codes(self, ctx: Context, body: ProvePassword) -> BackupCodes:
        """Replace the backup codes by new ones."""
        user = self.signed_in(ctx).user
        if not is_enabled(user):
            raise ApiError(TWO_FACTOR_NOT_ENABLED)
        await self.require_password(ctx, user, body.password, passwordless=self.backup_codes.allow_passwordless)
        renewed = self.lists.new()
        sealed = await self.lists.sealed(renewed)
        if await self.secrets.update(ctx, {"user_id": user.id}, backup_codes=sealed) is None:
            raise ApiError(TWO_FACTOR_NOT_ENABLED)
        return BackupCodes(status=True, backup_codes=renewed)

    @endpoint(
        Route("GET", "/two-factor/view-backup-codes", session="authoritative"),
        errors=(BACKUP_CODES_NOT_ENABLED, INVALID_LIST, SESSION_NOT_FRESH, UNAUTHORIZED),
    )
    async def view_backup_codes(self, ctx: Context, body: ViewBackupCodes | None = None) -> BackupCodes:
        """Return the backup codes that are left: the caller's own, soon after signing in.

        Server code that calls with None names the user; whose codes a request sees is decided by its session alone.
        """
        user_id = body.user_id if ctx.is_trusted and body is not None else await self._recently_signed_in(ctx)
        row = await self.secrets.find(ctx, user_id=user_id)
        if row is None:
            raise ApiError(BACKUP_CODES_NOT_ENABLED)
        codes = await self.lists.opened(row)
        if codes is None:
            raise ApiError(INVALID_LIST)
        ctx.reply.headers.append(("cache-control", "no-store"))
        return BackupCodes(status=True, backup_codes=codes)

    async def drop_credentials(self, ctx: Context, user: User) -> None:
        """Forget the second factor of `user`, which their predecessor set up."""
        await self.users.update(ctx, {"id": user.id}, two_factor_enabled=False)
        await self.secrets.delete(ctx, user_id=user.id)
        await ownership.begin(ctx, user, max(self.trust_device_max_age, self.two_factor_cookie_max_age))

    @property
    def _issuer(self) -> str:
        return self.issuer or self.auth.app_name

    async def _recently_signed_in(self, ctx: Context) -> str:
        """Return whose session this is, if it is young enough to look at what opens the account."""
        await admission.read(ctx, authoritative=True)
        current = self.signed_in(ctx)
        if ctx.now() - current.session.created_at > timedelta(seconds=self.backup_code_max_age):
            raise ApiError(SESSION_NOT_FRESH)
        return current.user.id

    async def _send_codes(self, ctx: Context, user: UserT) -> OtpEnabled:
        if self.otp is None:
            raise ApiError(OTP_NOT_CONFIGURED)
        async with ctx.transaction() as inside:
            await self._turn_on(inside, user)
        return OtpEnabled(method="otp")

    async def _turn_on(self, ctx: Context, user: UserT) -> None:
        changed = await self.users.update(ctx, {"id": user.id}, two_factor_enabled=True)
        await self.renew_session(ctx, changed or user)

    async def _keep(self, ctx: Context, user: UserT, secret: str, backup_codes: str) -> None:
        """Store what the user starts with; what a first code was never verified for is replaced."""
        values = {
            "secret": self.auth.cabinet.encrypt(secret),
            "backup_codes": backup_codes,
            "verified": self.skip_verification_on_enable,
        }
        # Of several windows at once, each sees the row of the one before: a user has one secret.
        await self.users.hold(ctx, user)
        known = await self.secrets.find(ctx, user_id=user.id)
        if known is None:
            await self.secrets.create(ctx, user_id=user.id, **values)
        elif await self.secrets.update(ctx, {"id": known.id, "verified": False}, **values) is None:
            raise ApiError(TOTP_ALREADY_ENABLED)
