"""What `Auth(security="strict")` means: one table of what it sets where the application says nothing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from portico.options import (
    AccountOptions,
    AdvancedOptions,
    AuthOptions,
    EmailAndPassword,
    SessionOptions,
    UserOptions,
    VerificationOptions,
)

Security = Literal["default", "strict"]

GROUPS: Mapping[str, Any] = {
    "account": AccountOptions,
    "advanced": AdvancedOptions,
    "email_and_password": EmailAndPassword,
    "session": SessionOptions,
    "user": UserOptions,
    "verification": VerificationOptions,
}
PAIRS: Mapping[str, tuple[Any, Any]] = {
    "account.encrypt_oauth_tokens": (False, True),
    "advanced.confirm_mailed_links": (False, True),
    "advanced.refuse_protected_fields": (False, True),
    "email_and_password.reset_proves_address": (False, True),
    "email_and_password.revoke_sessions_on_password_reset": (False, True),
    # None, because where sessions are stateless it is jwe anyhow.
    "session.cookie_cache.strategy": (None, "jwe"),
    "session.fresh_for_sensitive": (False, True),
    "verification.store_identifier": ("plain", "hashed"),
}
"""Options that are None unless the application says otherwise: upstream's default, and the safer choice."""


def resolved(options: AuthOptions) -> AuthOptions:
    """Return the options with a value for each that is None in the table; what the application says stays.

    Raises:
        ConfigError: there is no such security.
    """
    security = options.get("security", "default")
    filled: dict[str, Any] = dict(options)
    for path, values in PAIRS.items():
        group, _, rest = path.partition(".")
        filled[group] = _filled(filled.get(group, GROUPS[group]()), rest, values[security == "strict"])
    return filled  # type: ignore[return-value]  # the same keys, one of them replaced by its own kind


def _filled(group: Any, path: str, value: Any) -> Any:
    name, _, rest = path.partition(".")
    known = getattr(group, name)
    if rest:
        return replace(group, **{name: _filled(known, rest, value)})
    return replace(group, **{name: value}) if known is None else group
