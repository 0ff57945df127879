"""The secrets of an Auth: the one in use, those it still accepts, and the keys derived from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from portico.errors import ConfigError

PURPOSE_SALT = b"better-auth:oauth-encryption:v1"


@dataclass(frozen=True)
class Keyring:
    """One secret, or several while they are being rotated.

    The first of `secrets` is written with, all are accepted. `secret` beside `secrets` is the one that was in use
    before there were versions.
    """

    secret: str | None = field(default=None, repr=False)
    secrets: Sequence[tuple[int, str]] = field(default=(), repr=False)
    """Version and value of each secret, the current one first."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "secrets", tuple(self.secrets))
        if self.secret is None and not self.secrets:
            raise ConfigError("there is no secret: pass secret= or set BETTER_AUTH_SECRET; `portico secret` makes one")
        if self.secret is not None:
            _check_value("secret", self.secret)
        versions: set[int] = set()
        for version, value in self.secrets:
            if version < 0:
                raise ConfigError(f"secrets: versions count from 0, so {version} cannot be one")
            if version in versions:
                raise ConfigError(f"secrets: version {version} is listed twice; give a new secret a new version")
            versions.add(version)
            _check_value(f"secrets: version {version}", value)

    @classmethod
    def parse(cls, text: str, secret: str | None = None) -> "Keyring":
        """Read `2:new,1:old`, the form of BETTER_AUTH_SECRETS; the first entry is the current one."""
        # No message shows an entry: even a malformed one may hold a secret.
        entries: list[tuple[int, str]] = []
        for position, entry in enumerate(text.split(","), start=1):
            version, colon, value = entry.strip().partition(":")
            if not colon or not (version.isascii() and version.isdigit()):
                raise ConfigError(f"BETTER_AUTH_SECRETS: entry {position} must look like 1:the-secret")
            entries.append((int(version), value.strip()))
        return cls(secret, entries)

    @property
    def current(self) -> str:
        """The secret to sign and encrypt with."""
        return self.accepted[0]

    @property
    def accepted(self) -> tuple[str, ...]:
        """Every secret that may have signed something, the current one first."""
        values = [value for _, value in self.secrets]
        if self.secret is not None:
            values.append(self.secret)
        return tuple(dict.fromkeys(values))

    @property
    def encryption_version(self) -> int | None:
        """The version to note on what is encrypted; None while there is only one secret, without a version."""
        return self.secrets[0][0] if self.secrets else None

    @property
    def legacy(self) -> str | None:
        """The secret of what was encrypted before there were versions."""
        return self.secret

    def by_version(self, version: int) -> str | None:
        return dict(self.secrets).get(version)

    def for_purpose(self, purpose: str) -> "Keyring":
        """Return the keyring of one purpose, so that what is encrypted for it is worthless elsewhere."""
        return Keyring(
            None if self.secret is None else purpose_key(self.secret, purpose),
            [(version, purpose_key(value, purpose)) for version, value in self.secrets],
        )


def purpose_key(secret: str, purpose: str) -> str:
    """Derive the secret of one purpose, as 64 hex digits; the digits are the secret, not what they stand for."""
    return derive_key(secret, salt=PURPOSE_SALT, info=f"better-auth:{purpose}:v1".encode(), length=32).hex()


def derive_key(secret: str, *, salt: bytes, info: bytes, length: int) -> bytes:
    """Derive `length` bytes from `secret` with HKDF-SHA256. See RFC 5869."""
    # Who only verifies signatures derives nothing.
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret.encode())


def _check_value(name: str, value: str) -> None:
    if not value:
        raise ConfigError(f"{name} is empty; `portico secret` makes one")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{name} is not valid Unicode; `portico secret` makes one") from None
