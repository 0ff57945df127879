"""The end of a user."""

from dataclasses import replace
from typing import Literal

from portico import admission, mail_links
from portico.context import Context
from portico.crypto.random import random_small_letters
from portico.endpoint import EndpointGroup, Route, endpoint
from portico.errors import (
    CREDENTIAL_ACCOUNT_NOT_FOUND,
    FAILED_TO_GET_USER_INFO,
    INVALID_PASSWORD,
    INVALID_TOKEN,
    NOT_FOUND,
    PASSWORD_TOO_LONG,
    SESSION_EXPIRED,
    ApiError,
    ErrorCode,
)
from portico.http import Redirect
from portico.mails import DeleteAccountMail, Mailer
from portico.models import SessionT, UserT
from portico.wire import Omittable, Wire

TOKEN_LENGTH = 32
UNKNOWN_TOKEN = replace(INVALID_TOKEN, status=404)
SWITCHED_OFF = ErrorCode(404, None, "")


class DeleteUser(Wire):
    callback_url: Omittable[str] = None
    """Where the link in the mail leads in the end."""
    password: Omittable[str] = None
    token: Omittable[str] = None
    """From the link in the mail, for a page of your own."""


class DeleteUserCallback(Wire):
    token: str
    callback_url: Omittable[str] = None
    """Where to go afterwards; without it the answer is JSON."""


class UserDeleted(Wire):
    success: bool
    message: Literal["User deleted", "Verification email sent"]


class DeleteUserEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        "POST",
        "/delete-user",
        session="authoritative",
        errors=(
            SWITCHED_OFF,
            CREDENTIAL_ACCOUNT_NOT_FOUND,
            INVALID_PASSWORD,
            PASSWORD_TOO_LONG,
            UNKNOWN_TOKEN,
            SESSION_EXPIRED,
        ),
        signals=("session",),
    )
    async def delete_user(self, ctx: Context, body: DeleteUser) -> UserDeleted:
        """Delete the caller with everything that is theirs, or mail a link that does.

        Without a mail it takes the password or a session that is fresh.
        """
        options, current = self.auth.user_options.delete_user, self.signed_in(ctx)
        if not options.enabled:
            raise ApiError(SWITCHED_OFF)
        if body.password:
            await self._require_own_password(ctx, current.user, body.password)
        if body.token:
            await self._spend_deletion(ctx, current.user, body.token)
        elif options.send_delete_account_verification is not None:
            mailer = options.send_delete_account_verification
            await self._mail_deletion(ctx, mailer, current.user, body.callback_url or mail_links.HOME)
            return UserDeleted(success=True, message="Verification email sent")
        elif not body.password and not self.sessions.is_fresh(current.session, ctx.now()):
            raise ApiError(SESSION_EXPIRED)
        await self._delete_everything(ctx, current.user)
        return UserDeleted(success=True, message="User deleted")

    @endpoint(
        Route("GET", "/delete-user/callback"),
        Route("POST", "/delete-user/callback", confirms=True),
        confirmation="Delete your account",
        session="own",
        errors=(NOT_FOUND, FAILED_TO_GET_USER_INFO, UNKNOWN_TOKEN),
    )
    async def delete_user_callback(self, ctx: Context, query: DeleteUserCallback) -> UserDeleted | Redirect:
        """Follow the link in the mail, in a browser where the user is signed in."""
        if not self.auth.user_options.delete_user.enabled:
            raise ApiError(NOT_FOUND)
        await admission.read(ctx, authoritative=True)
        current = self.current(ctx)
        if current is None:
            raise ApiError(FAILED_TO_GET_USER_INFO)
        await self._spend_deletion(ctx, current.user, query.token)
        await self._delete_everything(ctx, current.user)
        deleted = UserDeleted(success=True, message="User deleted")
        return Redirect(query.callback_url) if query.callback_url else deleted

    async def _require_own_password(self, ctx: Context, user: UserT, password: str) -> None:
        if await self.auth.accounts.credential(ctx, user) is None:
            raise ApiError(CREDENTIAL_ACCOUNT_NOT_FOUND)
        if not await self.auth.accounts.password_matches(ctx, user, password):
            raise ApiError(INVALID_PASSWORD)

    async def _mail_deletion(
        self, ctx: Context, mailer: Mailer[DeleteAccountMail], user: UserT, callback_url: str
    ) -> None:
        token = random_small_letters(TOKEN_LENGTH)
        lifetime = self.auth.user_options.delete_user.delete_token_expires_in
        await self.auth.verifications.put(ctx, _identifier(token), user.id, lifetime)
        url = mail_links.link(ctx, "/delete-user/callback", callback_url, token=token)
        mail_links.send(ctx, mailer, lambda: DeleteAccountMail(user=user, url=url, token=token))

    async def _spend_deletion(self, ctx: Context, user: UserT, token: str) -> None:
        """Use up a token of this user; of many calls one gets through, and nobody else's call harms it."""
        row = await self.auth.verifications.consume(ctx, identifier=_identifier(token), value=user.id)
        if row is None or row.expires_at <= ctx.now():
            raise ApiError(UNKNOWN_TOKEN)

    async def _delete_everything(self, ctx: Context, user: UserT) -> None:
        options = self.auth.user_options.delete_user
        if options.before_delete is not None:
            await options.before_delete(user, ctx.request)
        async with ctx.transaction() as inside:
            await self.sessions.delete(inside, user_id=user.id)
            await self.auth.accounts.delete(inside, user_id=user.id)
            await self.users.delete(inside, id=user.id)
        admission.forget(ctx)
        mail_links.tell(ctx, options.after_delete, user)


def _identifier(token: str) -> str:
    return f"delete-account-{token}"
