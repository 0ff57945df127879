"""The caller's own password."""

from typing import Generic

from portico import admission
from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint
from portico.errors import (
    CREDENTIAL_ACCOUNT_NOT_FOUND,
    INVALID_PASSWORD,
    PASSWORD_TOO_LONG,
    PASSWORD_TOO_SHORT,
    ApiError,
)
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


class PasswordEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        "POST",
        "/change-password",
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
        return PasswordChanged(token=session.token, user=user)
