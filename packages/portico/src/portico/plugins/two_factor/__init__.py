"""Two-factor authentication: authenticator apps, codes that are sent, backup codes, trusted devices. See RFC 6238."""

from portico.plugins.two_factor.declarations import (
    # Errors
    ACCOUNT_TEMPORARILY_LOCKED,
    BACKUP_CODES_NOT_ENABLED,
    INVALID_BACKUP_CODE,
    INVALID_CODE,
    INVALID_TWO_FACTOR_COOKIE,
    OTP_HAS_EXPIRED,
    OTP_NOT_CONFIGURED,
    TOO_MANY_ATTEMPTS,
    TOTP_ALREADY_ENABLED,
    TOTP_NOT_CONFIGURED,
    TOTP_NOT_ENABLED,
    TWO_FACTOR_NOT_ENABLED,
    # Messages
    BackupCodeAccepted,
    BackupCodes,
    EnableTwoFactor,
    GenerateTotp,
    OtpEnabled,
    ProvePassword,
    SendOtp,
    TotpCode,
    TotpUri,
    TwoFactorEnabled,
    TwoFactorMethod,
    TwoFactorRequired,
    # Rows
    TwoFactorRow,
    TwoFactorUser,
    VerifyBackupCode,
    VerifyOtp,
    VerifyTotp,
    ViewBackupCodes,
)
from portico.plugins.two_factor.options import (
    AccountLockout,
    BackupCodeOptions,
    OtpMail,
    OtpOptions,
    RequireFor,
    Sealing,
    StoreOtp,
    TotpOptions,
)
from portico.plugins.two_factor.plugin import TwoFactor
from portico.plugins.two_factor.qr_code import qr_code_svg

__all__ = [
    # Plugin
    "TwoFactor",
    # Options
    "AccountLockout",
    "BackupCodeOptions",
    "OtpMail",
    "OtpOptions",
    "RequireFor",
    "Sealing",
    "StoreOtp",
    "TotpOptions",
    # Pictures
    "qr_code_svg",
    # Rows
    "TwoFactorRow",
    "TwoFactorUser",
    # Messages
    "BackupCodeAccepted",
    "BackupCodes",
    "EnableTwoFactor",
    "GenerateTotp",
    "OtpEnabled",
    "ProvePassword",
    "SendOtp",
    "TotpCode",
    "TotpUri",
    "TwoFactorEnabled",
    "TwoFactorMethod",
    "TwoFactorRequired",
    "VerifyBackupCode",
    "VerifyOtp",
    "VerifyTotp",
    "ViewBackupCodes",
    # Errors
    "ACCOUNT_TEMPORARILY_LOCKED",
    "BACKUP_CODES_NOT_ENABLED",
    "INVALID_BACKUP_CODE",
    "INVALID_CODE",
    "INVALID_TWO_FACTOR_COOKIE",
    "OTP_HAS_EXPIRED",
    "OTP_NOT_CONFIGURED",
    "TOO_MANY_ATTEMPTS",
    "TOTP_ALREADY_ENABLED",
    "TOTP_NOT_CONFIGURED",
    "TOTP_NOT_ENABLED",
    "TWO_FACTOR_NOT_ENABLED",
]
