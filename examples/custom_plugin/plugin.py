"""A plugin of your own: a table, an endpoint that needs a session, and a hook on the core's sign-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from portico import (
    ApiError,
    Column,
    Context,
    ErrorCode,
    HookContext,
    Plugin,
    Row,
    Wire,
    before_create,
    endpoint,
    extends,
)

NOT_INVITED = ErrorCode(403, "NOT_INVITED", "Sign-up is by invitation only")


class Invitation(Row):
    email: Annotated[str, Column(unique=True)]
    inviter_id: Annotated[str, Column(index=True, references="user.id")]


class Invite(Wire):
    email: str


class Invited(Wire):
    invitation: Invitation


@dataclass(frozen=True, kw_only=True, eq=False)
class Invitations(Plugin):
    """Only who was invited by a user may sign up."""

    id: ClassVar[str] = "invitations"
    tables = MappingProxyType({"invitation": Invitation})
    extensions = (extends("/sign-up/email", errors=(NOT_INVITED,)),)

    founders: tuple[str, ...] = ()
    """Addresses that need no invitation."""

    @endpoint("POST", "/invitations/create", session="authoritative")
    async def create(self, ctx: Context, body: Invite) -> Invited:
        """Invite somebody."""
        inviter = self.signed_in(ctx).user
        row = await self.auth.rows(Invitation).create(ctx, email=body.email.lower(), inviter_id=inviter.id)
        return Invited(invitation=row)

    @before_create("user")
    async def require_invitation(self, ctx: HookContext, values: Mapping[str, Any]) -> None:
        """Refuse a new user without an invitation."""
        invited = await self.auth.rows(Invitation).find(ctx, email=values["email"])
        if invited is None and values["email"] not in self.founders:
            raise ApiError(NOT_INVITED)
