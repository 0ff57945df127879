"""The second step of a sign-in: the gate that asks for it, and the codes that pass it."""

from collections.abc import Awaitable
from dataclasses import dataclass

from portico import admission, mail_links
from portico.context import Context
from portico.cookies import DONT_REMEMBER
from portico.endpoint import endpoint
from portico.errors import UNAUTHORIZED, ApiError, ErrorCode
from portico.messages import Challenge, SessionData, SignedIn, Status
from portico.models import SessionT, User, UserT
from portico.plugins.two_factor import authenticator, challenges, trusted_devices
from portico.plugins.two_factor.challenges import PendingSignIn
from portico.plugins.two_factor.declarations import (
    ACCOUNT_TEMPORARILY_LOCKED,
    BACKUP_CODES_NOT_ENABLED,
    INVALID_BACKUP_CODE,
    INVALID_CODE,
    INVALID_TWO_FACTOR_COOKIE,
    NO_LONGER_ENABLED,
    NOTHING_SENDS_CODES,
    OTP_HAS_EXPIRED,
    OTP_NOT_CONFIGURED,
    TOO_MANY_ATTEMPTS,
    TOTP_NOT_CONFIGURED,
    TOTP_NOT_ENABLED,
    BackupCodeAccepted,
    SendOtp,
    TwoFactorMethod,
    TwoFactorRequired,
    TwoFactorRow,
    VerifyBackupCode,
    VerifyOtp,
    VerifyTotp,
)
from portico.plugins.two_factor.mailed_codes import MailedCodes
from portico.plugins.two_factor.options import OtpMail
from portico.plugins.two_factor.settings import Settings, is_enabled

REFUSED_STEP = (ACCOUNT_TEMPORARILY_LOCKED, INVALID_TWO_FACTOR_COOKIE, TOO_MANY_ATTEMPTS)
BY_PASSWORD = frozenset({"/sign-in/email", "/sign-in/phone-number", "/sign-in/username"})


@dataclass(frozen=True, kw_only=True, eq=False)
class SecondStep(Settings[UserT, SessionT]):
    """Endpoints of users who gave the first proof; those who are signed in may use them, too."""

    @endpoint(
        "POST",
        "/two-factor/verify-totp",
        session="own",
        errors=(*REFUSED_STEP, INVALID_CODE, TOTP_NOT_CONFIGURED, TOTP_NOT_ENABLED, UNAUTHORIZED),
        signals=("session",),
    )
    async def verify_totp(self, ctx: Context, body: VerifyTotp) -> SignedIn[UserT] | Challenge:
        """Verify a code: to finish signing in, or, with a session, to turn the second factor on."""
        self.require_authenticators()
        current = await self._signed_in(ctx)
        if current is None:
            sign_in = await challenges.pending(ctx, self.users)
            row = await self.row_of(ctx, sign_in.user, TOTP_NOT_ENABLED)
            if row.verified is False:
                raise ApiError(TOTP_NOT_ENABLED)
            await self._count_attempt(ctx, sign_in, row)
            if not await authenticator.spend_code(ctx, self.totp, row, body.code):
                raise await self._failed(ctx, row, INVALID_CODE)
            return await self._finish(ctx, sign_in, row, trust_device=bool(body.trust_device))
        row = await self.row_of(ctx, current.user, TOTP_NOT_ENABLED)
        if not await authenticator.spend_code(ctx, self.totp, row, body.code):
            raise ApiError(INVALID_CODE)
        if row.verified:
            return SignedIn(token=current.session.token, user=current.user)
        return await self._confirm(ctx, current, row)

    @endpoint(
        "POST",
        "/two-factor/send-otp",
        session="own",
        errors=(INVALID_TWO_FACTOR_COOKIE, OTP_NOT_CONFIGURED),
        operation_id="sendTwoFactorOTP",
        signals=("session",),
    )
    async def send_otp(self, ctx: Context, body: SendOtp | None = None) -> Status:
        """Send a code to the user who signs in, or is signed in; it takes the place of the one before."""
        if self.otp is None or self.mailed is None:
            raise ApiError(NOTHING_SENDS_CODES)
        current = await self._signed_in(ctx)
        if current is None:
            sign_in = await challenges.pending(ctx, self.users)
            user, key = sign_in.user, sign_in.identifier
        else:
            user, key = current.user, _key(current)
        code = await self.mailed.new(ctx, key)
        mail_links.send(ctx, self.otp.send_otp, lambda: OtpMail(user=user, otp=code))
        return Status(status=True)

    @endpoint(
        "POST",
        "/two-factor/verify-otp",
        session="own",
        errors=(*REFUSED_STEP, INVALID_CODE, NO_LONGER_ENABLED, OTP_HAS_EXPIRED, UNAUTHORIZED),
        operation_id="verifyTwoFactorOTP",
        signals=("session",),
    )
    async def verify_otp(self, ctx: Context, body: VerifyOtp) -> SignedIn[UserT] | Challenge:
        """Verify a code that was sent: to finish signing in, or, with a session, to turn the second factor on."""
        current = await self._signed_in(ctx)
        if current is None:
            sign_in = await challenges.pending(ctx, self.users)
            row = await self.secrets.find(ctx, user_id=sign_in.user.id)
            await self.lockout.require_unlocked(ctx, sign_in.user, row)
            stored = await self._sent.count_attempt(ctx, sign_in.identifier)
            await self.lockout.count_attempt(ctx, sign_in.user, row)
            if not await self._sent.spend(ctx, sign_in.identifier, stored, body.code):
                raise await self._failed(ctx, row, INVALID_CODE)
            if not is_enabled(sign_in.user):
                await self.lockout.forgive(ctx, sign_in.user, row)
                raise ApiError(NO_LONGER_ENABLED)
            return await self._finish(ctx, sign_in, row, trust_device=bool(body.trust_device))
        stored = await self._sent.count_attempt(ctx, _key(current))
        if not await self._sent.spend(ctx, _key(current), stored, body.code):
            raise ApiError(INVALID_CODE)
        if is_enabled(current.user):
            return SignedIn(token=current.session.token, user=current.user)
        async with ctx.transaction() as inside:
            changed = await self.users.update(inside, {"id": current.user.id}, two_factor_enabled=True)
            user = changed or current.user
            return SignedIn(token=await self.renew_session(inside, user), user=user)

    @endpoint(
        "POST",
        "/two-factor/verify-backup-code",
        session="own",
        errors=(*REFUSED_STEP, BACKUP_CODES_NOT_ENABLED, INVALID_BACKUP_CODE),
        signals=("session",),
    )
    async def verify_backup_code(
        self, ctx: Context, body: VerifyBackupCode
    ) -> SignedIn[UserT] | BackupCodeAccepted[UserT] | Challenge:
        """Use one of the backup codes in place of any other code; each works once."""
        current = await self._signed_in(ctx)
        if current is None:
            sign_in = await challenges.pending(ctx, self.users)
            row = await self.row_of(ctx, sign_in.user, BACKUP_CODES_NOT_ENABLED)
            await self._count_attempt(ctx, sign_in, row)
            if not await self.lists.spend(ctx, self.secrets, row, body.code):
                raise await self._failed(ctx, row, INVALID_BACKUP_CODE)
            if body.disable_session:
                await self._complete(ctx, sign_in, row)
                return BackupCodeAccepted(user=sign_in.user)
            return await self._finish(ctx, sign_in, row, trust_device=bool(body.trust_device))
        row = await self.row_of(ctx, current.user, BACKUP_CODES_NOT_ENABLED)
        if not await self.lists.spend(ctx, self.secrets, row, body.code):
            raise ApiError(INVALID_BACKUP_CODE)
        return SignedIn(token=current.session.token, user=current.user)

    async def before_session(self, ctx: Context, user: User) -> TwoFactorRequired | None:
        """Hold back the session of a user with a second factor, and remember who it is for."""
        if not is_enabled(user) or not await self._is_required(ctx, user):
            return None
        if await trusted_devices.recognize(ctx, user, self.trust_device_max_age):
            return None
        await challenges.issue(ctx, user, self.two_factor_cookie_max_age)
        return TwoFactorRequired(two_factor_redirect=True, two_factor_methods=await self._methods(ctx, user))

    async def _signed_in(self, ctx: Context) -> SessionData[UserT, SessionT] | None:
        """Return the caller's session; the cookie copy of one that was revoked proves nothing about a code."""
        await admission.read(ctx, authoritative=True)
        return self.current(ctx)

    async def _is_required(self, ctx: Context, user: User) -> bool:
        """Tell whether this way of signing in needs a second step."""
        if self.require_for == "all":
            return True
        if self.require_for == "password":
            return ctx.endpoint is None or ctx.endpoint.path in BY_PASSWORD
        answer = self.require_for(ctx, user)
        return await answer if isinstance(answer, Awaitable) else answer

    async def _methods(self, ctx: Context, user: User) -> list[TwoFactorMethod]:
        """Return what the user can verify; without anything they are held back all the same."""
        row = None if self.totp.disable else await self.secrets.find(ctx, user_id=user.id)
        methods: list[TwoFactorMethod] = ["totp"] if row is not None and row.verified is not False else []
        return methods if self.otp is None else [*methods, "otp"]

    @property
    def _sent(self) -> MailedCodes:
        if self.mailed is None:
            raise ApiError(OTP_HAS_EXPIRED)
        return self.mailed

    async def _confirm(self, ctx: Context, current: SessionData[UserT, SessionT], row: TwoFactorRow) -> SignedIn[UserT]:
        """Ask for codes of the authenticator app from now on."""
        async with ctx.transaction() as inside:
            # Only if it still is the secret that the code was for.
            if await self.secrets.update(inside, {"id": row.id, "secret": row.secret}, verified=True) is None:
                raise ApiError(INVALID_CODE)
            if is_enabled(current.user):
                return SignedIn(token=current.session.token, user=current.user)
            changed = await self.users.update(inside, {"id": current.user.id}, two_factor_enabled=True)
            user = changed or current.user
            # Upstream answers with the token that ends here, and the user as it was.
            return SignedIn(token=await self.renew_session(inside, user), user=user)

    async def _count_attempt(self, ctx: Context, sign_in: PendingSignIn[UserT], row: TwoFactorRow) -> None:
        await self.lockout.require_unlocked(ctx, sign_in.user, row)
        await challenges.count_attempt(ctx, sign_in)
        await self.lockout.count_attempt(ctx, sign_in.user, row)

    async def _failed(self, ctx: Context, row: TwoFactorRow | None, refusal: ErrorCode) -> ApiError:
        """Lock the account if this wrong code was the last that it takes, and return the refusal."""
        await self.lockout.lock_if_due(ctx, row)
        return ApiError(refusal)

    async def _complete(self, ctx: Context, sign_in: PendingSignIn[UserT], row: TwoFactorRow | None) -> None:
        await self.lockout.forgive(ctx, sign_in.user, row)
        await challenges.complete(ctx, sign_in)

    async def _finish(
        self, ctx: Context, sign_in: PendingSignIn[UserT], row: TwoFactorRow | None, *, trust_device: bool
    ) -> SignedIn[UserT] | Challenge:
        await self._complete(ctx, sign_in, row)
        admitted = await admission.admit(ctx, sign_in.user, remember=admission.is_remembered(ctx), passed=self)
        ctx.expire_cookie(challenges.TWO_FACTOR)
        if trust_device and isinstance(admitted, SignedIn):
            await trusted_devices.trust(ctx, sign_in.user, self.trust_device_max_age)
            # To upstream, a browser that is trusted for a month is one that remembers.
            ctx.expire_cookie(DONT_REMEMBER)
        return admitted


def _key(current: SessionData[UserT, SessionT]) -> str:
    """Return what a code is for that is sent to somebody signed in."""
    return f"{current.user.id}!{current.session.id}"
