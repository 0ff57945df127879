"""What two-factor authentication declares: its errors, rows and messages."""

from dataclasses import replace
from typing import Annotated, Any, Generic, Literal, cast

from pydantic import model_validator

from portico.errors import FAILED_TO_CREATE_SESSION, ErrorCode
from portico.messages import Challenge
from portico.models import UserT
from portico.schema import Column, Columns, Row
from portico.wire import Omittable, Timestamp, Wire

# Errors

ACCOUNT_TEMPORARILY_LOCKED = ErrorCode(
    429,
    "ACCOUNT_TEMPORARILY_LOCKED",
    "Too many failed verification attempts. Your account is temporarily locked. Please try again later.",
)
BACKUP_CODES_NOT_ENABLED = ErrorCode(400, "BACKUP_CODES_NOT_ENABLED", "Backup codes aren't enabled")
INVALID_BACKUP_CODE = ErrorCode(401, "INVALID_BACKUP_CODE", "Invalid backup code")
INVALID_LIST = ErrorCode(400, "INVALID_BACKUP_CODE", "Invalid backup code")
"""The stored list of backup codes is none."""
INVALID_CODE = ErrorCode(401, "INVALID_CODE", "Invalid code")
INVALID_TWO_FACTOR_COOKIE = ErrorCode(401, "INVALID_TWO_FACTOR_COOKIE", "Invalid two factor cookie")
OTP_HAS_EXPIRED = ErrorCode(400, "OTP_HAS_EXPIRED", "OTP has expired")
OTP_NOT_CONFIGURED = ErrorCode(400, "OTP_NOT_CONFIGURED", "OTP is not available")
NO_LONGER_ENABLED = replace(FAILED_TO_CREATE_SESSION, status=400)
"""The second factor was turned off while a sign-in waited for it."""
NOTHING_SENDS_CODES = replace(OTP_NOT_CONFIGURED, message="otp isn't configured")
TOO_MANY_ATTEMPTS = ErrorCode(
    400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", "Too many attempts. Please request a new code."
)
TOTP_ALREADY_ENABLED = ErrorCode(400, "TOTP_ALREADY_ENABLED", "TOTP is already enabled")
TOTP_NOT_CONFIGURED = ErrorCode(400, "TOTP_NOT_CONFIGURED", "TOTP is not available")
NO_AUTHENTICATORS = replace(TOTP_NOT_CONFIGURED, message="totp isn't configured")
TOTP_NOT_ENABLED = ErrorCode(400, "TOTP_NOT_ENABLED", "TOTP not enabled")
TWO_FACTOR_NOT_ENABLED = ErrorCode(400, "TWO_FACTOR_NOT_ENABLED", "Two factor isn't enabled")

# Rows


class TwoFactorUser(Columns):
    two_factor_enabled: bool | None = False


class TwoFactorRow(Row):
    secret: Annotated[str, Column(index=True, returned=False)]
    """Encrypted."""
    backup_codes: Annotated[str, Column(returned=False)]
    """A JSON array, encrypted."""
    user_id: Annotated[str, Column(index=True, references="user.id", returned=False)]
    verified: bool | None = True
    """False until the first code; NULL, which rows of older versions have, is as good as true."""
    failed_verification_count: Annotated[int | None, Column(returned=False)] = 0
    """Wrong codes since the last right one."""
    locked_until: Annotated[Timestamp | None, Column(returned=False)] = None


# Messages


TwoFactorMethod = Literal["totp", "otp"]


class EnableTwoFactor(Wire):
    password: Omittable[str] = None
    """Needed of everybody who has one."""
    method: Literal["otp", "totp"] = "totp"
    issuer: Omittable[str] = None
    """Name of the service in the authenticator app."""


class NamesTotpUri(Wire):
    """A message with the URI, which is read as `totpUri`, too."""

    @model_validator(mode="before")
    @classmethod
    def _accept_other_spelling(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields = cast("dict[str, Any]", given)
        return {("totpURI" if name == "totpUri" else name): value for name, value in fields.items()}


class TotpUri(NamesTotpUri):
    totp_uri: str
    """For the QR code; `qr_code_svg` draws it."""


class TwoFactorEnabled(NamesTotpUri):
    """What an authenticator app is set up with; its first code turns the second factor on."""

    method: Literal["totp"]
    totp_uri: str
    backup_codes: list[str]


class OtpEnabled(Wire):
    """From now on a code is sent at each sign-in."""

    method: Literal["otp"]


class ProvePassword(Wire):
    password: Omittable[str] = None
    """Needed of everybody who has one."""


class BackupCodes(Wire):
    status: bool
    backup_codes: list[str]


class ViewBackupCodes(Wire):
    user_id: str


class GenerateTotp(Wire):
    secret: str


class TotpCode(Wire):
    code: str


class SendOtp(Wire):
    trust_device: Omittable[bool] = None
    """Kept for upstream's spelling: the device is trusted by the call that verifies the code."""


class VerifyTotp(Wire):
    code: str
    trust_device: Omittable[bool] = None
    """Skip the second step on this device for as long as the server says, thirty days by default, counted anew at each
    sign-in."""


class VerifyOtp(Wire):
    code: str
    trust_device: Omittable[bool] = None
    """Skip the second step on this device for as long as the server says, thirty days by default, counted anew at each
    sign-in."""


class VerifyBackupCode(Wire):
    code: str
    disable_session: Omittable[bool] = None
    """Only say that the code is right: no session is started."""
    trust_device: Omittable[bool] = None
    """Skip the second step on this device for as long as the server says, thirty days by default, counted anew at each
    sign-in."""


class TwoFactorRequired(Challenge):
    two_factor_redirect: Literal[True]
    two_factor_methods: list[TwoFactorMethod]
    """What can be verified, besides backup codes."""


class BackupCodeAccepted(Wire, Generic[UserT]):
    """The reply without a session, which `disableSession` asked for."""

    user: UserT
