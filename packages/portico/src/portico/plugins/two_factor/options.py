"""Options of the kinds of code, and of what happens when too many are wrong."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from portico.context import Context
from portico.mails import Mailer
from portico.models import User

Transform = Callable[[str], Awaitable[str] | str]


@dataclass(frozen=True, kw_only=True)
class Sealing:
    """Functions of yours that encrypt what is stored, and decrypt it again."""

    encrypt: Transform
    decrypt: Transform


RequireFor = Literal["all", "password"] | Callable[[Context, User], Awaitable[bool] | bool]
"""`all`: whatever the first step was · `password`: upstream's, only if it was a password · a function, which is told
the call (`ctx.endpoint.path` says how somebody signs in) and the user."""


@dataclass(frozen=True, kw_only=True)
class TotpOptions:
    """Codes of an authenticator app. See RFC 6238."""

    digits: Literal[6, 8] = 6
    period: int = 30
    """Length of a time step, in seconds. Apps that were set up before keep the one they know."""

    disable: bool = False
    """Offer no authenticator app; who has one uses backup codes, or codes by mail."""

    allow_passwordless: bool | None = None
    """The plugin's, for the address of the secret, if None."""


@dataclass(frozen=True, kw_only=True)
class OtpMail:
    """A code that goes to a user who signs in, by mail or as a text message."""

    user: User
    otp: str = field(repr=False)


StoreOtp = Literal["plain", "encrypted", "hashed"] | Transform | Sealing
"""How the database knows a code: a function of yours hashes it."""


@dataclass(frozen=True, kw_only=True)
class OtpOptions:
    """Codes that are sent to the user, who proves to have received them."""

    send_otp: Mailer[OtpMail]

    expires_in: int = 180
    """How long a code is good for, in seconds; upstream's `period` counts minutes."""

    digits: int = 6

    allowed_attempts: int = 5
    """Wrong guesses at one code."""

    store_otp: StoreOtp = "plain"


@dataclass(frozen=True, kw_only=True)
class BackupCodeOptions:
    """Codes that users write down for when they have nothing else; each works once."""

    amount: int = 10
    length: int = 10
    """In letters and digits; a hyphen follows the fifth."""

    generate: Callable[[], Sequence[str]] | None = None
    """Makes the codes; they must be hard to guess."""

    store: Literal["encrypted", "plain"] | Sealing = "encrypted"
    """How the database knows them."""

    allow_passwordless: bool | None = None
    """The plugin's, for new backup codes, if None."""


@dataclass(frozen=True, kw_only=True)
class AccountLockout:
    """The lock of an account after too many wrong codes in a row, whatever the sign-in. See NIST SP 800-63B §5.2.2."""

    enabled: bool = True
    max_failed_attempts: int = 10
    duration: int = 900
    """In seconds."""
