"""Another address for a user."""

from dataclasses import replace
from functools import partial

from portico import admission, mail_links
from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint, update_routes
from portico.errors import (
    CHANGE_EMAIL_DISABLED,
    EMAIL_IS_THE_SAME,
    USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL,
    VERIFICATION_EMAIL_NOT_ENABLED,
    ApiError,
)
from portico.mails import ChangeEmailMail, VerificationMail
from portico.messages import SessionData, Status
from portico.models import SessionT, UserT
from portico.wire import Email, Omittable, Wire

# Upstream sends only the text.
NO_WAY_TO_PROVE = replace(VERIFICATION_EMAIL_NOT_ENABLED, code=None)


class ChangeEmail(Wire):
    new_email: Email
    callback_url: Omittable[str] = None
    """Where the links in the mails lead in the end."""


class ChangeEmailEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        *update_routes("/change-email"),
        session="authoritative",
        sensitive=True,
        errors=(CHANGE_EMAIL_DISABLED, EMAIL_IS_THE_SAME, NO_WAY_TO_PROVE),
        signals=("session",),
    )
    async def change_email(self, ctx: Context, body: ChangeEmail) -> Status:
        """Ask for another address, which counts when a link that is mailed to it was followed.

        The old address, if it is proven, may be asked first. For an address that is taken the answer is the same.
        """
        options, current = self.auth.user_options.change_email, self.signed_in(ctx)
        user, new_email = current.user, body.new_email.lower()
        if not options.enabled:
            raise ApiError(CHANGE_EMAIL_DISABLED)
        if new_email == user.email:
            raise ApiError(EMAIL_IS_THE_SAME)
        is_free_to_change = options.update_email_without_verification and not user.email_verified
        if not is_free_to_change and self.auth.email_verification.send_verification_email is None:
            raise ApiError(NO_WAY_TO_PROVE)
        if await self.users.find_by_email(ctx, new_email) is not None:
            return Status(status=True)
        if is_free_to_change:
            await self._change_at_once(ctx, current, new_email, body.callback_url)
        else:
            self._ask_mailbox(ctx, user, new_email, body.callback_url)
        return Status(status=True)

    async def _change_at_once(
        self, ctx: Context, current: SessionData[UserT, SessionT], new_email: str, callback_url: str | None
    ) -> None:
        try:
            changed = await self.users.update(ctx, {"id": current.user.id}, email=new_email)
        except ApiError as refusal:
            if refusal.error == USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL:
                # Taken at this very moment: answered as if it had been all along.
                return
            raise
        if changed is not None:
            admission.send(ctx, current.session, changed)
            mail_links.send_verification(ctx, changed, callback_url)

    def _ask_mailbox(self, ctx: Context, user: UserT, new_email: str, callback_url: str | None) -> None:
        """Mail the old address if it is proven and the application wants that, else the new one."""
        confirm = self.auth.user_options.change_email.send_change_email_confirmation
        verify = self.auth.email_verification.send_verification_email
        wanted = {"email": user.email, "updateTo": new_email}
        if confirm is not None and user.email_verified:
            claims = {**wanted, "requestType": "change-email-confirmation"}
            write = partial(mail_links.verification_mail, ctx, user, callback_url, claims)
            mail_links.send(ctx, confirm, lambda: _confirmation(write(), new_email))
        elif verify is not None:
            claims = {**wanted, "requestType": "change-email-verification"}
            recipient = user.model_copy(update={"email": new_email})
            mail_links.send(ctx, verify, partial(mail_links.verification_mail, ctx, recipient, callback_url, claims))


def _confirmation(mail: VerificationMail, new_email: str) -> ChangeEmailMail:
    return ChangeEmailMail(user=mail.user, new_email=new_email, url=mail.url, token=mail.token)
