"""Two-factor authentication with an authenticator app, backup codes and trusted devices. See RFC 6238."""

from portico.plugins.two_factor.declarations import (
    # Errors
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
    # Messages
    BackupCodeAccepted,
    BackupCodes,
    EnableTwoFactor,
    ProvePassword,
    TotpUri,
    TwoFactorEnabled,
    TwoFactorRequired,
    # Rows
    TwoFactorRow,
    TwoFactorUser,
    VerifyBackupCode,
    VerifyTotp,
)
from portico.plugins.two_factor.plugin import TwoFactor

__all__ = [
    # Plugin
    "TwoFactor",
    # Rows
    "TwoFactorRow",
    "TwoFactorUser",
    # Messages
    "BackupCodeAccepted",
    "BackupCodes",
    "EnableTwoFactor",
    "ProvePassword",
    "TotpUri",
    "TwoFactorEnabled",
    "TwoFactorRequired",
    "VerifyBackupCode",
    "VerifyTotp",
    # Errors
    "ACCOUNT_TEMPORARILY_LOCKED",
    "BACKUP_CODES_NOT_ENABLED",
    "INVALID_BACKUP_CODE",
    "INVALID_CODE",
    "INVALID_TWO_FACTOR_COOKIE",
    "OTP_NOT_CONFIGURED",
    "TOO_MANY_ATTEMPTS",
    "TOTP_ALREADY_ENABLED",
    "TOTP_NOT_ENABLED",
    "TWO_FACTOR_NOT_ENABLED",
]
