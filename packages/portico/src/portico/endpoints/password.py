"""The caller's own password."""

from typing import Generic

from portico import admission, mail_links
from portico.context import Context
from portico.endpoint import EndpointGroup, Route, endpoint, update_routes
from portico.errors import (
    CREDENTIAL_ACCOUNT_NOT_FOUND,
    INVALID_PASSWORD,
    PASSWORD_ALREADY_SET,
    PASSWORD_TOO_LONG,
    PASSWORD_TOO_SHORT,
    ApiError,
)
from portico.messages import Status
from portico.models import SessionT, UserT
from portico.wire import Omittable, Wire


class ChangePassword(Wire):
    new_password: str
    current_password: str
    revoke_other_sessions: Omittable[bool] = None
    """Sign out everywhere else; the caller gets a new session."""


class PasswordChanged(Wire, Generic[UserT]):
    token: str | None
    """Of the new session, if there is one."""
    user: UserT


class SetPassword(Wire):
    new_password: str


class VerifyPassword(Wire):
    password: str


class PasswordEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        *update_routes("/change-password"),
        session="authoritative",
        errors=(CREDENTIAL_ACCOUNT_NOT_FOUND, INVALID_PASSWORD, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG),
        signals=("session",),
    )
    async def change_password(self, ctx: Context, body: ChangePassword) -> PasswordChanged[UserT]:
        """Change the caller's password."""
        user, accounts = self.signed_in(ctx).user, self.auth.accounts
        accounts.check_length(body.new_password)
        account = await accounts.credential(ctx, user)
        if account is None:
            raise ApiError(CREDENTIAL_ACCOUNT_NOT_FOUND)
        if not await accounts.password_matches(ctx, user, body.current_password):
            raise ApiError(INVALID_PASSWORD)
        hashed = await accounts.hash(body.new_password)
        async with ctx.transaction() as inside:
            await accounts.update(inside, {"id": account.id}, password=hashed)
            if not body.revoke_other_sessions:
                return PasswordChanged(token=None, user=user)
            await self.sessions.delete(inside, user_id=user.id)
            session = await admission.start(inside, user, remember=admission.is_remembered(ctx))
            await admission.end_late(inside, user)
        return PasswordChanged(token=session.token, user=user)

    @endpoint(
        # Upstream has no such path; over HTTP a session that was left open must not be enough.
        Route("POST", "/set-password", session="fresh"),
        session="authoritative",
        errors=(PASSWORD_ALREADY_SET, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG),
        client=False,
    )
    async def set_password(self, ctx: Context, body: SetPassword) -> Status:
        """Give the caller, who has none, a password."""
        user, accounts = self.signed_in(ctx).user, self.auth.accounts
        accounts.check_length(body.new_password)
        if await accounts.credential(ctx, user) is not None:
            raise ApiError(PASSWORD_ALREADY_SET)
        hashed = await accounts.hash(body.new_password)
        async with ctx.transaction() as inside:
            # Somebody may have been faster while we were hashing.
            if await accounts.credential(inside, user) is not None:
                raise ApiError(PASSWORD_ALREADY_SET)
            await accounts.set_password(inside, user, hashed)
        mail_links.tell(ctx, self.auth.email_and_password.on_password_set, user)
        return Status(status=True)

    @endpoint(
        "POST",
        "/verify-password",
        session="authoritative",
        errors=(INVALID_PASSWORD, PASSWORD_TOO_LONG),
        client=False,
        idempotent=True,
    )
    async def verify_password(self, ctx: Context, body: VerifyPassword) -> Status:
        """Check the caller's password, before something that needs it."""
        if not await self.auth.accounts.password_matches(ctx, self.signed_in(ctx).user, body.password):
            raise ApiError(INVALID_PASSWORD)
        return Status(status=True)
