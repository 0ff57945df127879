"""A new password for who forgot the old one."""

from dataclasses import replace

from portico import mail_links
from portico.context import Context
from portico.crypto.random import random_letters
from portico.endpoint import EndpointGroup, Route, endpoint
from portico.errors import (
    INVALID_TOKEN,
    PASSWORD_TOO_LONG,
    PASSWORD_TOO_SHORT,
    RESET_PASSWORD_DISABLED,
    USER_NOT_FOUND,
    ApiError,
)
from portico.first_proof import prove_mailbox
from portico.http import Redirect
from portico.mails import ResetPasswordMail
from portico.messages import Status
from portico.models import SessionT, User, UserT
from portico.wire import Email, Omittable, Wire

TOKEN_LENGTH = 24
REQUESTED = "If this email exists in our system, check your email for the reset link"
UNKNOWN_TOKEN = replace(INVALID_TOKEN, status=400)
UNKNOWN_USER = replace(USER_NOT_FOUND, status=400)


class RequestPasswordReset(Wire):
    email: Email
    redirect_to: Omittable[str] = None
    """The page where the new password is chosen; the link in the mail leads there, with `?token=` or `?error=`."""


class PasswordResetRequested(Wire):
    status: bool
    message: str


class ResetPasswordCallback(Wire):
    callback_url: str
    """Where to go, with `?token=` or `?error=`."""


class ResetPassword(Wire):
    new_password: str
    token: Omittable[str] = None
    """From the link in the mail."""


class PasswordResetEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        Route("POST", "/request-password-reset"),
        Route("POST", "/forget-password"),
        errors=(RESET_PASSWORD_DISABLED,),
    )
    async def request_password_reset(self, ctx: Context, body: RequestPasswordReset) -> PasswordResetRequested:
        """Mail a link to a new password; the answer is the same whether or not anybody has the address."""
        mailer = self.auth.email_and_password.send_reset_password
        if mailer is None:
            raise ApiError(RESET_PASSWORD_DISABLED)
        user = await self.users.find_by_email(ctx, body.email)
        if user is not None:
            holder = user

            async def work() -> None:
                await mailer(await self._reset_mail(ctx, holder, body.redirect_to or ""), ctx.request)

            # The token is stored after the answer as well, which otherwise would take longer for a known address.
            ctx.reply.background.append(work)
        return PasswordResetRequested(status=True, message=REQUESTED)

    async def _reset_mail(self, ctx: Context, user: User, redirect_to: str) -> ResetPasswordMail:
        token = random_letters(TOKEN_LENGTH)
        lifetime = self.auth.email_and_password.reset_password_token_expires_in
        await self.auth.verifications.put(ctx, _identifier(token), user.id, lifetime)
        url = mail_links.link(ctx, f"/reset-password/{token}", redirect_to)
        return ResetPasswordMail(user=user, url=url, token=token)

    @endpoint("GET", "/reset-password/{token}", operation_id="resetPasswordCallback", client=False)
    async def request_password_reset_callback(self, ctx: Context, token: str, query: ResetPasswordCallback) -> Redirect:
        """Lead from the link in the mail to the page where the new password is chosen."""
        failed = self.auth.on_api_error.error_url or f"{ctx.site.url}/error"
        page = mail_links.absolute(ctx, query.callback_url) if query.callback_url else failed
        if not query.callback_url or await self.auth.verifications.get(ctx, _identifier(token)) is None:
            return Redirect(mail_links.with_query(page, "error", UNKNOWN_TOKEN.code or ""))
        return Redirect(mail_links.with_query(page, "token", token))

    @endpoint(
        "POST",
        "/reset-password",
        errors=(UNKNOWN_TOKEN, UNKNOWN_USER, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG),
    )
    async def reset_password(self, ctx: Context, body: ResetPassword) -> Status:
        """Choose a new password with the token from the mail, which works once."""
        # Upstream takes the token from the query, too; one place is enough to document.
        token = body.token or ctx.query.get("token")
        if not token:
            raise ApiError(UNKNOWN_TOKEN)
        accounts, options = self.auth.accounts, self.auth.email_and_password
        accounts.check_length(body.new_password)
        # Looked up before the password is hashed: guessing tokens must not be a way to make work.
        user = await self._holder_of_token(ctx, token)
        hashed = await accounts.hash(body.new_password)
        async with ctx.transaction() as inside:
            if await self.auth.verifications.take(inside, _identifier(token)) != user.id:
                raise ApiError(UNKNOWN_TOKEN)
            if options.reset_proves_address and await prove_mailbox(inside, self.users, user) is None:
                raise ApiError(UNKNOWN_USER)
            await accounts.set_password(inside, user, hashed)
            await mail_links.void(inside, user)
            if options.revoke_sessions_on_password_reset:
                await self.sessions.delete(inside, user_id=user.id)
        mail_links.tell(ctx, options.on_password_reset, user)
        return Status(status=True)

    async def _holder_of_token(self, ctx: Context, token: str) -> UserT:
        user_id = await self.auth.verifications.get(ctx, _identifier(token))
        if user_id is None:
            raise ApiError(UNKNOWN_TOKEN)
        user = await self.users.find(ctx, id=user_id)
        if user is None:
            raise ApiError(UNKNOWN_USER)
        return user


def _identifier(token: str) -> str:
    return f"reset-password:{token}"
