"""Options of sign-up and sign-in with email and password, and of the proof of an address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portico.crypto.password import CustomHasher
    from portico.mails import Mailer, OnUser, ResetPasswordMail, VerificationMail
    from portico.models import User


@dataclass(frozen=True, kw_only=True)
class EmailAndPassword:
    """Sign-up and sign-in with email and password."""

    enabled: bool = False
    """Off by default: its endpoints answer EMAIL_PASSWORD_DISABLED."""

    disable_sign_up: bool = False
    """Nobody can sign up any more; who has a password still signs in."""

    min_password_length: int = 8
    """In UTF-16 units, as upstream counts."""

    max_password_length: int = 128
    """In UTF-16 units; bounds the work of hashing."""

    password: "CustomHasher | None" = None
    """How new passwords are hashed; `Argon2id()` if None. `Scrypt()` is upstream's way, for a database shared with a
    TypeScript server that signs users in. Both kinds are verified whichever is chosen."""

    auto_sign_in: bool = True
    """Sign-up signs in. Without it, sign-up answers the same for an address that is taken, so that nobody learns who
    has an account."""

    require_email_verification: bool = False
    """Nobody signs in before the address is proven (403 EMAIL_NOT_VERIFIED); sign-up gives no session and answers the
    same for an address that is taken."""

    on_existing_user_sign_up: "OnUser | None" = None
    """Told when somebody signs up with the address of this user, where sign-up does not say that it is taken. A good
    place for a mail: "you have an account already"."""

    custom_synthetic_user: "Callable[[Any], User] | None" = None
    """Completes the user that sign-up makes up for a taken address, so that it looks like a new one of yours; for
    columns that a database hook fills in. Return it, or `user.model_copy(update={...})`."""

    send_reset_password: "Mailer[ResetPasswordMail] | None" = None
    """Mails the link to a new password; without it password reset answers RESET_PASSWORD_DISABLED."""

    reset_password_token_expires_in: int = 3600
    """Lifetime of that link, in seconds."""

    revoke_sessions_on_password_reset: bool | None = None
    """A new password ends every session of the user. None: with `security="strict"`."""

    reset_proves_address: bool | None = None
    """A reset by mail proves the address. If that is the first proof, every account and session from before it goes:
    they may be of somebody who signed up with another's address. None: with `security="strict"`."""

    on_password_reset: "OnUser | None" = None
    """Told when a user has reset the password."""

    on_password_set: "OnUser | None" = None
    """Told when a user who had none has set a password."""


@dataclass(frozen=True, kw_only=True)
class EmailVerification:
    """Proof that an address is the user's: a link that only its mailbox gets."""

    send_verification_email: "Mailer[VerificationMail] | None" = None
    """Mails the link; without it nothing is verified, and asking for a link answers VERIFICATION_EMAIL_NOT_ENABLED."""

    send_on_sign_up: bool | None = None
    """Sign-up sends the link. None: if `require_email_verification` is set."""

    send_on_sign_in: bool = False
    """A sign-in that is refused because the address is not proven sends the link again."""

    auto_sign_in_after_verification: bool = False
    """Following the link signs in, unless a plugin asks for one more step."""

    expires_in: int = 3600
    """Lifetime of the link, in seconds; it works until then, also twice."""

    before_email_verification: "OnUser | None" = None
    """Runs before an address counts as proven; an ApiError that it raises refuses the link."""

    after_email_verification: "OnUser | None" = None
    """Told when an address was proven."""
