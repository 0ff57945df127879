"""The plugin: its endpoints, and the gate before every session of a user with a second factor."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from portico import admission
from portico.context import Context
from portico.cookies import DONT_REMEMBER
from portico.crypto.otp import totp_uri
from portico.crypto.random import random_url_safe
from portico.endpoint import Plugin, endpoint
from portico.errors import INVALID_PASSWORD, PASSWORD_TOO_LONG, UNAUTHORIZED, ApiError, ErrorCode
from portico.messages import Challenge, SessionData, SignedIn, Status
from portico.models import SessionT, User, UserT
from portico.plugins.two_factor import challenges, codes, lockout, trusted_devices
from portico.plugins.two_factor.challenges import PendingSignIn
from portico.plugins.two_factor.declarations import (
    ACCOUNT_TEMPORARILY_LOCKED,
    BACKUP_CODES_NOT_ENABLED,
    INVALID_BACKUP_CODE,
    INVALID_CODE,
    INVALID_TWO_FACTOR_COOKIE,
    OTP_NOT_CONFIGURED,
    TOO_MANY_ATTEMPTS,
    TOTP_ALREADY_ENABLED,
    TOTP_NOT_ENABLED,
    TWO_FACTOR_NOT_ENABLED,
    BackupCodeAccepted,
    BackupCodes,
    EnableTwoFactor,
    ProvePassword,
    TotpUri,
    TwoFactorEnabled,
    TwoFactorRequired,
    TwoFactorRow,
    TwoFactorUser,
    VerifyBackupCode,
    VerifyTotp,
)
from portico.rate_limit import RateLimit
from portico.store.rows import Rows

UNPROVEN = (INVALID_PASSWORD, PASSWORD_TOO_LONG)
REFUSED_STEP = (ACCOUNT_TEMPORARILY_LOCKED, INVALID_TWO_FACTOR_COOKIE, TOO_MANY_ATTEMPTS)


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoFactor(Plugin[UserT, SessionT]):
    """A second factor at every sign-in of a user who turned it on."""

    id: ClassVar[str] = "two-factor"
    columns = MappingProxyType({"user": TwoFactorUser})
    tables = MappingProxyType({"twoFactor": TwoFactorRow})
    limits = MappingProxyType({"/two-factor/*": RateLimit(window=10, max=3)})
    cookies = (challenges.TWO_FACTOR, trusted_devices.TRUST_DEVICE)

    issuer: str | None = None
    """Name of the service in the authenticator app; the app's name if None."""

    @property
    def secrets(self) -> Rows[TwoFactorRow]:
        return self.auth.rows(TwoFactorRow)

    @endpoint(
        "POST",
        "/two-factor/enable",
        session="authoritative",
        errors=(*UNPROVEN, OTP_NOT_CONFIGURED, TOTP_ALREADY_ENABLED),
        signals=("session",),
    )
    async def enable(self, ctx: Context, body: EnableTwoFactor) -> TwoFactorEnabled:
        """Start to use an authenticator app; the first code that is verified turns it on."""
        user = self.signed_in(ctx).user
        await self._require_password(ctx, user, body.password)
        if body.method == "otp":
            raise ApiError(OTP_NOT_CONFIGURED)
        secret, backup_codes = random_url_safe(32), codes.new_backup_codes()
        async with ctx.transaction() as inside:
            await self._keep(inside, user, secret, backup_codes)
        uri = totp_uri(secret, issuer=body.issuer or self._issuer, account=user.email)
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
        await self._require_password(ctx, user, body.password)
        async with ctx.transaction() as inside:
            changed = await self.users.update(inside, {"id": user.id}, two_factor_enabled=False)
            await self.secrets.delete(inside, user_id=user.id)
            await self._renew_session(inside, changed or user)
            await trusted_devices.forget(inside, user)
        return Status(status=True)

    @endpoint(
        "POST",
        "/two-factor/get-totp-uri",
        session="authoritative",
        errors=(*UNPROVEN, TOTP_NOT_ENABLED),
        operation_id="getTotpUri",
        signals=("session",),
    )
    async def get_totp_uri(self, ctx: Context, body: ProvePassword) -> TotpUri:
        """Return the URI of the QR code again, for another authenticator app."""
        user = self.signed_in(ctx).user
        row = await self._row(ctx, user, TOTP_NOT_ENABLED)
        await self._require_password(ctx, user, body.password)
        secret = self.auth.cabinet.decrypt(row.secret)
        return TotpUri(totp_uri=totp_uri(secret, issuer=self._issuer, account=user.email))

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
        if not _is_enabled(user):
            raise ApiError(TWO_FACTOR_NOT_ENABLED)
        await self._require_password(ctx, user, body.password)
        renewed = codes.new_backup_codes()
        sealed = codes.sealed(self.auth.cabinet, renewed)
        if await self.secrets.update(ctx, {"user_id": user.id}, backup_codes=sealed) is None:
            raise ApiError(TWO_FACTOR_NOT_ENABLED)
        return BackupCodes(status=True, backup_codes=renewed)

    @endpoint(
        "POST",
        "/two-factor/verify-totp",
        session="optional",
        errors=(*REFUSED_STEP, INVALID_CODE, TOTP_NOT_ENABLED, UNAUTHORIZED),
        signals=("session",),
    )
    async def verify_totp(self, ctx: Context, body: VerifyTotp) -> SignedIn[UserT] | Challenge:
        """Verify a code: to finish signing in, or, with a session, to turn the second factor on."""
        current = self.current(ctx)
        if current is None:
            sign_in = await challenges.pending(ctx, self.users)
            row = await self._row(ctx, sign_in.user, TOTP_NOT_ENABLED)
            if row.verified is False:
                raise ApiError(TOTP_NOT_ENABLED)
            await self._count_attempt(ctx, sign_in, row)
            if not await codes.spend_code(ctx, row, body.code):
                raise await self._failed(ctx, row, INVALID_CODE)
            return await self._finish(ctx, sign_in, row, trust_device=bool(body.trust_device))
        row = await self._row(ctx, current.user, TOTP_NOT_ENABLED)
        if not await codes.spend_code(ctx, row, body.code):
            raise ApiError(INVALID_CODE)
        if row.verified:
            return SignedIn(token=current.session.token, user=current.user)
        return await self._turn_on(ctx, current, row)

    @endpoint(
        "POST",
        "/two-factor/verify-backup-code",
        session="optional",
        errors=(*REFUSED_STEP, BACKUP_CODES_NOT_ENABLED, INVALID_BACKUP_CODE),
        signals=("session",),
    )
    async def verify_backup_code(
        self, ctx: Context, body: VerifyBackupCode
    ) -> SignedIn[UserT] | BackupCodeAccepted[UserT] | Challenge:
        """Use one of the backup codes in place of the authenticator app; each works once."""
        current = self.current(ctx)
        if current is None:
            sign_in = await challenges.pending(ctx, self.users)
            row = await self._row(ctx, sign_in.user, BACKUP_CODES_NOT_ENABLED)
            await self._count_attempt(ctx, sign_in, row)
            if not await codes.spend_backup_code(ctx, self.secrets, row, body.code):
                raise await self._failed(ctx, row, INVALID_BACKUP_CODE)
            if body.disable_session:
                await self._complete(ctx, sign_in, row)
                return BackupCodeAccepted(user=sign_in.user)
            return await self._finish(ctx, sign_in, row, trust_device=bool(body.trust_device))
        row = await self._row(ctx, current.user, BACKUP_CODES_NOT_ENABLED)
        if not await codes.spend_backup_code(ctx, self.secrets, row, body.code):
            raise ApiError(INVALID_BACKUP_CODE)
        if body.disable_session:
            return BackupCodeAccepted(user=current.user)
        return SignedIn(token=current.session.token, user=current.user)

    async def drop_credentials(self, ctx: Context, user: User) -> None:
        """Forget the second factor of `user`, which their predecessor set up."""
        await self.users.update(ctx, {"id": user.id}, two_factor_enabled=False)
        await self.secrets.delete(ctx, user_id=user.id)

    async def before_session(self, ctx: Context, user: User) -> TwoFactorRequired | None:
        """Hold back the session of a user with a second factor, and remember who it is for."""
        if not _is_enabled(user) or await trusted_devices.recognize(ctx, user):
            return None
        await challenges.issue(ctx, user)
        row = await self.secrets.find(ctx, user_id=user.id)
        # A user without an authenticator, who chose codes by mail on upstream's server, is held back all the same.
        has_totp = row is not None and row.verified is not False
        return TwoFactorRequired(two_factor_redirect=True, two_factor_methods=["totp"] if has_totp else [])

    @property
    def _issuer(self) -> str:
        return self.issuer or self.auth.app_name

    async def _require_password(self, ctx: Context, user: UserT, password: str) -> None:
        if not await self.auth.accounts.password_matches(ctx, user, password):
            raise ApiError(INVALID_PASSWORD)

    async def _row(self, ctx: Context, user: User, missing: ErrorCode) -> TwoFactorRow:
        row = await self.secrets.find(ctx, user_id=user.id)
        if row is None:
            raise ApiError(missing)
        return row

    async def _keep(self, ctx: Context, user: UserT, secret: str, backup_codes: list[str]) -> None:
        """Store what the user starts with; what a first code was never verified for is replaced."""
        cabinet = self.auth.cabinet
        sealed = {"secret": cabinet.encrypt(secret), "backup_codes": codes.sealed(cabinet, backup_codes)}
        known = await self.secrets.find(ctx, user_id=user.id)
        if known is None:
            await self.secrets.create(ctx, user_id=user.id, verified=False, **sealed)
        elif await self.secrets.update(ctx, {"id": known.id, "verified": False}, **sealed) is None:
            raise ApiError(TOTP_ALREADY_ENABLED)

    async def _turn_on(self, ctx: Context, current: SessionData[UserT, SessionT], row: TwoFactorRow) -> SignedIn[UserT]:
        """Ask for the second factor from now on."""
        async with ctx.transaction() as inside:
            # Only if it still is the secret that the code was for.
            if await self.secrets.update(inside, {"id": row.id, "secret": row.secret}, verified=True) is None:
                raise ApiError(INVALID_CODE)
            if _is_enabled(current.user):
                return SignedIn(token=current.session.token, user=current.user)
            changed = await self.users.update(inside, {"id": current.user.id}, two_factor_enabled=True)
            user = changed or current.user
            # Upstream answers with the token that ends here, and the user as it was.
            return SignedIn(token=await self._renew_session(inside, user), user=user)

    async def _renew_session(self, ctx: Context, user: UserT) -> str:
        """Replace the caller's session, so that a stolen cookie does not outlive the change; return its token."""
        # A session that only its cookie copy remembers was revoked, and must not come back as a new one.
        if not await self.sessions.delete(ctx, token=self.signed_in(ctx).session.token):
            raise ApiError(UNAUTHORIZED)
        return (await admission.start(ctx, user, remember=admission.is_remembered(ctx))).token

    async def _count_attempt(self, ctx: Context, sign_in: PendingSignIn[UserT], row: TwoFactorRow) -> None:
        await lockout.require_unlocked(ctx, self.secrets, row)
        await challenges.count_attempt(ctx, sign_in)

    async def _failed(self, ctx: Context, row: TwoFactorRow, refusal: ErrorCode) -> ApiError:
        """Count a wrong code against the account and return the refusal."""
        await lockout.record_failure(ctx, self.secrets, row)
        return ApiError(refusal)

    async def _complete(self, ctx: Context, sign_in: PendingSignIn[UserT], row: TwoFactorRow) -> None:
        await lockout.forgive(ctx, self.secrets, row)
        await challenges.complete(ctx, sign_in)

    async def _finish(
        self, ctx: Context, sign_in: PendingSignIn[UserT], row: TwoFactorRow, *, trust_device: bool
    ) -> SignedIn[UserT] | Challenge:
        await self._complete(ctx, sign_in, row)
        admitted = await admission.admit(ctx, sign_in.user, remember=admission.is_remembered(ctx), passed=self)
        ctx.expire_cookie(challenges.TWO_FACTOR)
        if trust_device and isinstance(admitted, SignedIn):
            await trusted_devices.trust(ctx, sign_in.user)
            # To upstream, a browser that is trusted for a month is one that remembers.
            ctx.expire_cookie(DONT_REMEMBER)
        return admitted


def _is_enabled(user: User) -> bool:
    # A row that cannot say so is of no table of ours: to ask for the second step is the safe answer.
    return not isinstance(user, TwoFactorUser) or bool(user.two_factor_enabled)
