"""What an application is asked to mail, and how it is told about its users."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from portico.http import Request
from portico.models import User

MailT = TypeVar("MailT")
Mailer = Callable[[MailT, Request | None], Awaitable[None]]
"""An async function that sends a mail, for the request that caused it; None for a server call. It runs after the
answer: how long it takes is not seen, and a failure is logged."""

OnUser = Callable[[User, Request | None], Awaitable[None]]
"""An async function that is told about a user, with the request that caused it; None for a server call."""


class ToUser(Protocol):
    """A mail to somebody who is a user."""

    @property
    def user(self) -> User: ...


@runtime_checkable
class ToAddress(Protocol):
    """A mail to an address, whoever has it."""

    @property
    def email(self) -> str: ...


def address_of(mail: ToUser | ToAddress) -> str:
    """Return where a mail goes."""
    return mail.email if isinstance(mail, ToAddress) else mail.user.email


@dataclass(frozen=True, kw_only=True)
class ResetPasswordMail:
    """Goes to who forgot the password."""

    user: User

    url: str = field(repr=False)
    """Leads through the server, which checks the token, to the page where the new password is chosen."""

    token: str = field(repr=False)
    """For a link of your own."""


@dataclass(frozen=True, kw_only=True)
class VerificationMail:
    """Goes to an address that is to be proven."""

    user: User
    """With the address to write to, which may still be one that the user asks for."""

    url: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ChangeEmailMail:
    """Goes to the present address of a user who asks for another one."""

    user: User
    new_email: str
    url: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class DeleteAccountMail:
    """Goes to a user who wants to be deleted; the link works in a browser where that user is signed in."""

    user: User
    url: str = field(repr=False)
    token: str = field(repr=False)
