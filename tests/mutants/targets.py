"""The modules that are made wrong, each with the tests that must notice, the quickest first."""

from collections.abc import Mapping
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SOURCES = ROOT / "packages/portico/src"

SESSIONS = (
    "endpoints/test_session.py",
    "endpoints/test_session_refresh.py",
    "test_session_cache.py",
    "test_session_threats.py",
    "test_secondary_sessions.py",
    "test_authoritative_reads.py",
)
ADMISSION = (
    "endpoints/test_sign_in.py",
    "endpoints/test_sign_up.py",
    "endpoints/test_sign_out.py",
    *SESSIONS,
    "test_stateless.py",
    "test_account_cookie.py",
    "test_instant_revocation.py",
    "test_overtaken.py",
    "test_hooks.py",
    "test_transactions.py",
    "plugins/test_two_factor.py",
    "plugins/test_two_factor_trust.py",
)

SECOND_FACTOR = "plugins/test_two_factor.py"
SECOND_FACTOR_OPTIONS = "plugins/test_two_factor_options.py"
SENT_CODES = "plugins/test_two_factor_sent_codes.py"
BACKUP_CODES = "plugins/test_two_factor_backup_codes.py"
TRUST = "plugins/test_two_factor_trust.py"
ENDS = "plugins/test_two_factor_ends.py"
REVOKED = "plugins/test_two_factor_revoked.py"
OVERTAKEN = "test_overtaken.py"
LOCKOUT = "plugins/test_two_factor_lockout.py"
DEVICES = "plugins/test_device_authorization.py"

TARGETS: Mapping[str, tuple[str, ...]] = {
    "admission": ADMISSION,
    "cookies": (
        "test_cookies.py",
        "test_session_cache.py",
        "test_account_cookie.py",
        "plugins/test_multi_session.py",
    ),
    "crypto/base64url": ("crypto/test_base64url.py", "crypto/test_jwt.py", "crypto/test_digest.py"),
    "crypto/claims": ("crypto/test_claims.py", "crypto/test_jwt.py", "crypto/test_jwe.py"),
    "crypto/digest": ("crypto/test_digest.py",),
    "crypto/jwe": ("crypto/test_jwe.py",),
    "crypto/jwt": ("crypto/test_jwt.py",),
    "crypto/keyring": ("crypto/test_keyring.py", "crypto/test_symmetric.py", "crypto/test_jwe.py"),
    "crypto/otp": ("crypto/test_otp.py",),
    "crypto/password": ("crypto/test_password.py", "test_same_work.py"),
    "crypto/random": ("crypto/test_random.py",),
    "crypto/signing": ("crypto/test_signing.py", "test_cookies.py"),
    "crypto/symmetric": ("crypto/test_symmetric.py",),
    "crypto/threads": ("crypto/test_password.py",),
    "origin": ("test_origin.py",),
    "plugins/device_authorization/plugin": (DEVICES, "plugins/test_device_page.py"),
    "plugins/device_authorization/user_codes": ("plugins/test_device_user_codes.py", DEVICES),
    "plugins/jwt/claims": ("plugins/test_jwt.py",),
    "plugins/jwt/keys": ("plugins/test_jwt_keys.py", "plugins/test_jwt.py"),
    "plugins/jwt/lifetime": ("plugins/test_jwt.py",),
    "plugins/jwt/plugin": ("plugins/test_jwt_copies.py", "plugins/test_jwt.py", "plugins/test_jwt_keys.py"),
    "plugins/jwt/rotation": ("plugins/test_jwt_keys.py", "plugins/test_jwt.py"),
    "plugins/jwt/session_copies": ("plugins/test_jwt_copies.py",),
    "plugins/magic_link": ("plugins/test_magic_link.py", "plugins/test_magic_link_overtaken.py"),
    "plugins/multi_session": ("plugins/test_multi_session.py",),
    "plugins/two_factor/authenticator": (SECOND_FACTOR, SECOND_FACTOR_OPTIONS),
    "plugins/two_factor/backup_codes": (BACKUP_CODES, OVERTAKEN, SECOND_FACTOR_OPTIONS),
    "plugins/two_factor/challenges": (OVERTAKEN, SENT_CODES, SECOND_FACTOR),
    "plugins/two_factor/enrolment": (REVOKED, ENDS, OVERTAKEN, SENT_CODES, SECOND_FACTOR_OPTIONS, SECOND_FACTOR),
    "plugins/two_factor/lockout": (LOCKOUT, SENT_CODES, SECOND_FACTOR),
    "plugins/two_factor/mailed_codes": (SENT_CODES,),
    "plugins/two_factor/second_step": (
        *(REVOKED, BACKUP_CODES, LOCKOUT, OVERTAKEN, TRUST),
        *(SENT_CODES, SECOND_FACTOR_OPTIONS, SECOND_FACTOR),
    ),
    "plugins/two_factor/trusted_devices": (TRUST, SECOND_FACTOR_OPTIONS),
    "plugins/username/plugin": ("plugins/test_username_options.py", "plugins/test_username.py"),
    "rate_limit": ("test_rate_limit.py", "test_rate_counts.py"),
    "router": ("test_router.py",),
    "sessions": SESSIONS,
}
"""Modules of portico, and files below tests/."""


def source_of(module: str) -> str:
    """Return the text of a module."""
    return (SOURCES / "portico" / f"{module}.py").read_text(encoding="utf-8")
