"""Prove that an address is its user's, by a link that only its mailbox gets."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Generic

from portico import admission, mail_links
from portico.context import Context
from portico.endpoint import EndpointGroup, Route, endpoint
from portico.errors import (
    EMAIL_ALREADY_VERIFIED,
    EMAIL_MISMATCH,
    INVALID_TOKEN,
    INVALID_USER,
    TOKEN_EXPIRED,
    USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL,
    USER_NOT_FOUND,
    VERIFICATION_EMAIL_NOT_ENABLED,
    ApiError,
)
from portico.http import Redirect
from portico.messages import SessionData, Status
from portico.models import SessionT, UserT
from portico.wire import Email, Omittable, Wire


class SendVerificationEmail(Wire):
    email: Email
    callback_url: Omittable[str] = None
    """Where the link in the mail leads in the end."""


class VerifyEmail(Wire):
    token: str
    callback_url: Omittable[str] = None
    """Where to go afterwards, with `?error=` if the link is refused; without it the answer is JSON."""


class EmailVerified(Wire, Generic[UserT]):
    status: bool
    user: UserT | None = None
    """With the new address, if the link was about one."""


class EmailVerificationEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        "POST",
        "/send-verification-email",
        session="optional",
        errors=(VERIFICATION_EMAIL_NOT_ENABLED, EMAIL_MISMATCH, EMAIL_ALREADY_VERIFIED),
    )
    async def send_verification_email(self, ctx: Context, body: SendVerificationEmail) -> Status:
        """Mail the link that proves an address.

        Who is signed in is told what is wrong; to anybody else the answer is always the same.
        """
        if self.auth.email_verification.send_verification_email is None:
            raise ApiError(VERIFICATION_EMAIL_NOT_ENABLED)
        session = self.current(ctx)
        if session is None:
            user = await self.users.find_by_email(ctx, body.email)
            if user is not None and not user.email_verified:
                mail_links.send_verification(ctx, user, body.callback_url)
            return Status(status=True)
        if session.user.email != body.email.lower():
            raise ApiError(EMAIL_MISMATCH)
        if session.user.email_verified:
            raise ApiError(EMAIL_ALREADY_VERIFIED)
        mail_links.send_verification(ctx, session.user, body.callback_url)
        return Status(status=True)

    @endpoint(
        Route("GET", "/verify-email"),
        Route("POST", "/verify-email", confirms=True),
        confirmation="Confirm your email address",
        session="own",
        errors=(INVALID_TOKEN, TOKEN_EXPIRED, USER_NOT_FOUND, INVALID_USER, USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL),
        signals=("session",),
    )
    async def verify_email(self, ctx: Context, query: VerifyEmail) -> EmailVerified[UserT] | Redirect:
        """Follow the link in a mail: prove an address, confirm that another one is wanted, or change to it."""
        try:
            verified = await self._follow_link(ctx, query)
        except ApiError as refusal:
            if not query.callback_url or refusal.error.code is None:
                raise
            return Redirect(mail_links.with_error(query.callback_url, refusal.error.code))
        return Redirect(query.callback_url) if query.callback_url else verified

    async def _follow_link(self, ctx: Context, query: VerifyEmail) -> EmailVerified[UserT]:
        claims = mail_links.read(ctx, query.token)
        # Other tokens of ours are signed with the same secret and name no address.
        email, new_email = claims.get("email"), claims.get("updateTo")
        if not isinstance(email, str):
            raise ApiError(INVALID_TOKEN)
        user = await self.users.find_by_email(ctx, email)
        if user is None:
            # A change that is asked for by a link belongs to an address which the user has left.
            raise ApiError(USER_NOT_FOUND if new_email is None else INVALID_TOKEN)
        if claims.get("userId") != user.id and (new_email is not None or "userId" in claims):
            raise ApiError(INVALID_TOKEN)
        if new_email is None:
            return await self._prove_address(ctx, user)
        if not isinstance(new_email, str) or await mail_links.is_void(ctx, user, claims):
            raise ApiError(INVALID_TOKEN)
        return await self._follow_change(ctx, user, new_email, claims, query.callback_url)

    async def _prove_address(self, ctx: Context, user: UserT) -> EmailVerified[UserT]:
        if user.email_verified:
            return EmailVerified(status=True, user=None)
        options = self.auth.email_verification
        if options.before_email_verification is not None:
            await options.before_email_verification(user, ctx.request)
        proven = await self.users.update(ctx, {"id": user.id, "email": user.email}, email_verified=True)
        if proven is None:
            raise ApiError(INVALID_TOKEN)
        mail_links.tell(ctx, options.after_email_verification, proven)
        if options.auto_sign_in_after_verification:
            current = await self._present_session(ctx)
            if current is not None and current.user.id == proven.id:
                admission.send(ctx, current.session, proven)
            else:
                # A further step that a plugin asks for is asked for at the next sign-in.
                await admission.admit(ctx, proven, remember=admission.is_remembered(ctx))
        return EmailVerified(status=True, user=None)

    async def _follow_change(
        self, ctx: Context, user: UserT, new_email: str, claims: Mapping[str, Any], callback_url: str | None
    ) -> EmailVerified[UserT]:
        current = await self._present_session(ctx)
        if current is not None and current.user.id != user.id:
            raise ApiError(INVALID_USER)
        match claims.get("requestType"):
            case "change-email-confirmation":
                mailer = self.auth.email_verification.send_verification_email
                if mailer is not None:
                    wanted = {"email": user.email, "updateTo": new_email, "requestType": "change-email-verification"}
                    recipient = user.model_copy(update={"email": new_email})
                    write = partial(mail_links.verification_mail, ctx, recipient, callback_url, wanted)
                    mail_links.send(ctx, mailer, write)
                return EmailVerified(status=True)
            case "change-email-verification":
                # Only while the old address still is the user's: an older link must not undo a newer change.
                changed = await self.users.update(ctx, {"id": user.id, "email": user.email}, email=new_email)
                if changed is None:
                    raise ApiError(INVALID_TOKEN)
                if current is not None:
                    admission.send(ctx, current.session, changed)
                # As upstream has it, an address that was not proven is changed and still is not proven.
                if changed.email_verified:
                    mail_links.tell(ctx, self.auth.email_verification.after_email_verification, changed)
                return EmailVerified(status=True, user=changed)
            case _:
                raise ApiError(INVALID_TOKEN)

    async def _present_session(self, ctx: Context) -> SessionData[UserT, SessionT] | None:
        """Return the session of the browser that follows the link, as the store has it: a copy may be of a dead one."""
        # A child, whose reply is dropped: a link that is refused changes no cookie.
        found: Any = await admission.find(ctx.child(), authoritative=True, refresh=False)
        session: SessionData[UserT, SessionT] | None = found
        return session
