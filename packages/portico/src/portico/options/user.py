"""Options of what users do with their own account."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portico.options.rows import TableNames

if TYPE_CHECKING:
    from portico.mails import ChangeEmailMail, DeleteAccountMail, Mailer, OnUser
    from portico.provisioning import ValidateUserInfo


@dataclass(frozen=True, kw_only=True)
class ChangeEmail:
    """Users change their own address."""

    enabled: bool = False
    """Off by default: its endpoint answers CHANGE_EMAIL_DISABLED."""

    send_change_email_confirmation: "Mailer[ChangeEmailMail] | None" = None
    """Asks the old address, if it is proven, before a link goes to the new one. Without it, who holds a session can
    take the account to another address without its owner hearing of it."""

    update_email_without_verification: bool = False
    """A user whose address is not proven changes it at once."""


@dataclass(frozen=True, kw_only=True)
class DeleteUser:
    """Users delete their own account."""

    enabled: bool = False
    """Off by default: its endpoints answer 404."""

    send_delete_account_verification: "Mailer[DeleteAccountMail] | None" = None
    """Mails a link that deletes; without it the password or a fresh session is enough."""

    delete_token_expires_in: int = 24 * 3600
    """Lifetime of that link, in seconds."""

    before_delete: "OnUser | None" = None
    """Runs before a user is deleted; an ApiError that it raises keeps the user."""

    after_delete: "OnUser | None" = None
    """Told when a user was deleted."""


@dataclass(frozen=True, kw_only=True)
class UserOptions(TableNames):
    """What users may do with their own account, and the names of their table."""

    change_email: ChangeEmail = field(default_factory=ChangeEmail)
    delete_user: DeleteUser = field(default_factory=DeleteUser)

    validate_user_info: "ValidateUserInfo | None" = None
    """Asked before a user is created, by whichever way, and before an account is linked or a provider signs somebody
    in: return `UserInfoRefused(error=...)` to refuse with 403. Where sign-up does not tell whether an address is taken,
    it does not tell of a refusal either."""
