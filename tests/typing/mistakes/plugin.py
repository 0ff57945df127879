"""Never run: mistakes in a plugin of the user's own and in hooks, each beside its right twin. See `planted.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import portico
from portico import (
    ApiError,
    Challenge,
    Column,
    Context,
    ErrorCode,
    HookContext,
    Plugin,
    RateLimit,
    Route,
    Row,
    Wire,
    after_create,
    before,
    before_create,
    endpoint,
    extends,
)
from portico.plugins.two_factor import TwoFactorUser

NOT_INVITED = ErrorCode(403, "NOT_INVITED", "Sign-up is by invitation only")  # right: status as text
LOCKED = ErrorCode("403", "LOCKED", "The door is locked")  # mistake: status as text

# Where it stands alone: mypy does not look into Annotated.
HIDDEN = Column(returned=False)  # right: misspelt option of a column
SHOWN = Column(returnd=True)  # mistake: misspelt option of a column


class Invitation(Row):
    email: Annotated[str, Column(unique=True)]
    inviter_id: Annotated[str, Column(index=True, references="user.id")]


class Invite(Wire):
    email: str


class Invited(Wire):
    invitation: Invitation


@dataclass(frozen=True, kw_only=True, eq=False)
class Invitations(Plugin):
    id: ClassVar[str] = "invitations"
    tables = MappingProxyType({"invitation": Invitation})  # right: table that is a message
    columns = MappingProxyType({"user": TwoFactorUser})  # right: columns that are a message
    extensions = (extends("/sign-up/email", errors=(NOT_INVITED,)),)  # right: refusal declared by text
    limits = MappingProxyType({"/invitations/*": RateLimit(window=10, max=3)})  # right: limit without a window

    founders: tuple[str, ...] = ()

    @endpoint("POST", "/invitations/create", session="authoritative")  # right: bad literal of a session rule
    async def create(self, ctx: Context, body: Invite) -> Invited:
        inviter = self.signed_in(ctx).user
        row = await self.auth.rows(Invitation).create(ctx, email=body.email, inviter_id=inviter.id)
        use(row.inviter_id)  # right: wrong field of an own row
        use(row.inviter)  # mistake: wrong field of an own row
        return Invited(invitation=row)  # right: wrong reply of an own endpoint

    @endpoint("POST", "/invitations/revoke", session="authoritatve")  # mistake: bad literal of a session rule
    async def revoke(self, ctx: Context, body: Invite) -> Invited:
        row = await self.auth.rows(Invitation).find(ctx, email=body.email)
        if body.email.endswith("example.com"):
            return Invited(invitation=row)  # mistake: row that may be missing
        if row is None:
            raise ApiError(NOT_INVITED)  # right: refusal by text
        if row.email != body.email:
            raise ApiError("NOT_INVITED")  # mistake: refusal by text
        return Invited(invitation=row)  # right: row that may be missing

    @endpoint("FETCH", "/invitations/read")  # mistake: bad literal of a method
    async def read(self, ctx: Context) -> Invited:
        return Invite(email=self.signed_in(ctx).user.email)  # mistake: wrong reply of an own endpoint

    @endpoint(Route("GET", "/invitations/count"), idempotent=True)  # right: bad literal of a method
    async def count(self, ctx: Context) -> int:
        return len(self.signed_in(ctx).user.name)  # right: session that may be missing

    @endpoint("GET", "/invitations/first", server_only=True)  # right: misspelt option of an endpoint
    async def first(self, ctx: Context) -> int:
        return len(self.current(ctx).user.name)  # mistake: session that may be missing

    @endpoint("GET", "/invitations/last", server_onyl=True)  # mistake: misspelt option of an endpoint
    async def last(self, ctx: Context) -> int:
        return 0

    @endpoint("GET", "/invitations/mine")  # right: endpoint that is not async
    async def mine(self, ctx: Context) -> int:  # right: endpoint without a context
        return 0

    @endpoint("GET", "/invitations/next")  # mistake: endpoint that is not async
    def next(self, ctx: Context) -> int:
        return 0

    @endpoint("GET", "/invitations/yours")  # mistake: endpoint without a context
    async def yours(self, body: Invite) -> int:
        return 0

    async def before_session(self, ctx: Context, user: portico.User) -> Challenge | None:  # right: wrong gate
        return None

    @before_create("user")  # right: hook of the database that is not async
    async def require_invitation(self, ctx: HookContext, values: Mapping[str, Any]) -> None:
        if values["email"] not in self.founders:
            raise ApiError(NOT_INVITED)

    @after_create("user")  # mistake: hook of the database that is not async
    def welcome(self, ctx: HookContext, row: portico.User) -> None:
        use(row.name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Doors(Plugin):
    id: ClassVar[str] = "doors"
    tables = MappingProxyType({"door": Invite})  # mistake: table that is a message
    columns = MappingProxyType({"user": Invite})  # mistake: columns that are a message
    extensions = (extends("/sign-up/email", errors=("NOT_INVITED",)),)  # mistake: refusal declared by text
    limits = MappingProxyType({"/doors/*": RateLimit(max=3)})  # mistake: limit without a window

    async def before_session(self, ctx: Context, user: portico.User) -> bool:  # mistake: wrong gate
        return True


@before("/sign-in/email")  # right: hook that returns a body
async def only_lower_case(ctx: Context) -> Context | None:
    return ctx


@before("/sign-in/email")  # mistake: hook that returns a body
async def only_upper_case(ctx: Context) -> dict[str, str]:
    return {"email": "A@B.C"}


def use(_value: object) -> None: ...
