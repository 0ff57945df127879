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
    "rate_limit": ("test_rate_limit.py", "test_rate_counts.py"),
    "router": ("test_router.py",),
    "sessions": SESSIONS,
}
"""Modules of portico, and files below tests/."""


def source_of(module: str) -> str:
    """Return the text of a module."""
    return (SOURCES / "portico" / f"{module}.py").read_text(encoding="utf-8")
