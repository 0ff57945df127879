"""Sign-up by invitation only: a table, two endpoints, and a hook on new users."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import portico
from portico import ApiError, Column, Context, ErrorCode, HookContext, before_create, endpoint, extends

ALREADY_INVITED = ErrorCode(409, "ALREADY_INVITED", "This address has been invited")
NOT_INVITED = ErrorCode(403, "NOT_INVITED", "Sign-up is by invitation only")


class Invitation(portico.Row):
    email: Annotated[str, Column(unique=True, taken=ALREADY_INVITED)]
    inviter_id: Annotated[str, Column(index=True, references="user.id")]


class Invite(portico.Wire):
    email: str


class Invitations(portico.Wire):
    invitations: list[Invitation]


@dataclass(frozen=True, kw_only=True, eq=False)
class InvitationOnly(portico.Plugin):
    """Only who was invited by a user may sign up."""

    id: ClassVar[str] = "invitations"
    tables: ClassVar = {"invitation": Invitation}
    extensions = (extends("/sign-up/email", errors=(NOT_INVITED,)),)

    founders: tuple[str, ...] = ()
    """Addresses that need no invitation."""

    @endpoint("GET", "/invitations/list", session="required")
    async def list_own(self, ctx: Context) -> Invitations:
        """Return whom the signed-in user has invited."""
        own = await self.auth.rows(Invitation).find_many(ctx, inviter_id=self.signed_in(ctx).user.id)
        return Invitations(invitations=own)

    @endpoint("POST", "/invitations/create", session="authoritative", errors=(ALREADY_INVITED,))
    async def create(self, ctx: Context, body: Invite) -> Invitation:
        """Invite somebody."""
        inviter = self.signed_in(ctx).user
        return await self.auth.rows(Invitation).create(ctx, email=body.email.lower(), inviter_id=inviter.id)

    @before_create("user")
    async def require_invitation(self, ctx: HookContext, values: Mapping[str, Any]) -> None:
        """Refuse a new user without an invitation."""
        invited = await self.auth.rows(Invitation).find(ctx, email=values["email"])
        if invited is None and values["email"] not in self.founders:
            raise ApiError(NOT_INVITED)
