"""How long sessions last, where they are copied to, and what is encrypted."""

from collections.abc import Iterator
from typing import Any

from portico.cli.doctor.finding import Examined, Finding, judged
from portico.strict import GROUPS, PAIRS

LONG = 3600
"""In seconds; a revoked session that is believed for longer is worth a word."""


def lifetimes(examined: Examined) -> Iterator[Finding]:
    """Look at the arithmetic of sessions."""
    session = examined.auth.session_options
    yield judged(
        "session-fresh-age",
        "warn",
        session.fresh_age == 0,
        good="what is dangerous needs a recent sign-in",
        says="a session of any age may do everything",
        remedy="leave session.fresh_age at a day, or shorter",
    )
    yield judged(
        "session-update-age",
        "warn",
        session.update_age > session.fresh_age > 0,
        good="session.update_age is not above fresh_age",
        says=f"session.update_age ({session.update_age} s) is more than fresh_age ({session.fresh_age} s): prolonging "
        "a session does not make it fresh, a new sign-in does",
        remedy="make update_age at most fresh_age",
    )
    yield judged(
        "session-renewal",
        "fail",
        session.update_age >= session.expires_in and not session.disable_session_refresh,
        good="sessions are prolonged before they are over, or never by intention",
        says=f"session.update_age ({session.update_age} s) is not below expires_in ({session.expires_in} s): sessions "
        "in use end",
        remedy="make update_age smaller, or say disable_session_refresh=True if that is meant",
    )


def cookie_cache(examined: Examined) -> Iterator[Finding]:
    """Look at the copies of sessions in cookies."""
    auth = examined.auth
    kept = auth.copies
    yield judged(
        "cookie-cache-encryption",
        "warn",
        kept.enabled and kept.strategy != "jwe",
        good="no readable copy of sessions is in a cookie",
        says=f"the cookie cache ({kept.strategy}) shows session and user to whoever has the cookie",
        remedy='CookieCacheOptions(strategy="jwe")',
    )
    yield judged(
        "cookie-cache-age",
        "warn",
        kept.enabled and not kept.is_checked and (kept.max_age > LONG or auth.is_stateless),
        good="a revoked session is over soon",
        says=f"a revoked session is believed for up to {kept.max_age} seconds more",
        remedy="CookieCacheOptions(instant_revocation=True), or a shorter max_age; both need a database",
    )


def tokens(examined: Examined) -> Iterator[Finding]:
    """Look whether tokens of providers are encrypted at rest."""
    auth = examined.auth
    yield judged(
        "oauth-tokens-encrypted",
        "warn",
        bool(auth.social_providers) and not auth.account_options.encrypt_oauth_tokens,
        good="no tokens of providers are readable in the database",
        says="a copy of the database opens accounts of users at their providers",
        remedy="AccountOptions(encrypt_oauth_tokens=True)",
    )


def strictness(examined: Examined) -> Iterator[Finding]:
    """Look which of the safer choices are not made."""
    options: Any = examined.auth.options
    copies = examined.auth.copies
    weaker: list[str] = []
    for path, (_, strict) in PAIRS.items():
        group, *rest = path.split(".")
        value = options.get(group, GROUPS[group]())
        for name in rest:
            value = getattr(value, name)
        # There is nothing to encrypt where nothing is copied.
        is_moot = path == "session.cookie_cache.strategy" and (not copies.enabled or copies.strategy == strict)
        if value != strict and not is_moot:
            weaker.append(path)
    yield judged(
        "security-strict",
        "warn",
        bool(weaker),
        good="every safer choice is made",
        says=f"upstream's weaker default is in use: {', '.join(weaker)}",
        remedy='Auth(security="strict"); docs/security.md says who notices',
    )
