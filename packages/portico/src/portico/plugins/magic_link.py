"""Sign in by a link in a mail: whoever reads the mailbox is its user, known before or new."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from portico import admission, mail_links
from portico.context import Context
from portico.crypto.digest import hash_token
from portico.crypto.random import random_ascii_letters
from portico.endpoint import Endpoint, Plugin, Route, endpoint
from portico.errors import (
    FAILED_TO_CREATE_SESSION,
    FAILED_TO_CREATE_USER,
    INVALID_TOKEN,
    USER_NOT_FOUND,
    ApiError,
    ConfigError,
    ErrorCode,
)
from portico.first_proof import prove_mailbox
from portico.http import Redirect
from portico.mails import Mailer
from portico.messages import Challenge, SignedIn, Status
from portico.models import SessionT, UserT
from portico.provisioning import UserInfoSource, new_user
from portico.rate_limit import RateLimit
from portico.wire import Email, Omittable, Wire

PREFIX = "magic-link:"
TOKEN_LENGTH = 32
FIVE_A_MINUTE = RateLimit(window=60, max=5)
BY_LINK = UserInfoSource(method="magic-link")

StoreToken = Literal["plain", "hashed"] | Callable[[str], Awaitable[str] | str]
"""As it is, as its SHA-256, or as what a function of yours makes of it."""

# Errors, as they are named in a redirect; a message becomes its description

UNKNOWN_LINK = replace(INVALID_TOKEN, message="")
NEW_USER_SIGNUP_DISABLED = ErrorCode(400, "new_user_signup_disabled", "")
NOBODY = replace(USER_NOT_FOUND, code="user_not_found", message="")
VETOED = {
    FAILED_TO_CREATE_USER.code: "failed_to_create_user",
    FAILED_TO_CREATE_SESSION.code: "failed_to_create_session",
}
"""Codes of what a database hook does not want, and what a redirect calls them."""

# Mails


@dataclass(frozen=True, kw_only=True)
class MagicLinkMail:
    """Goes to an address that may be nobody's yet."""

    email: str
    """In lower case, as addresses of users are: whoever asks in other letters must not have the mail go elsewhere."""

    url: str = field(repr=False)
    token: str = field(repr=False)
    """For a link of your own, which leads to /magic-link/verify."""

    metadata: Mapping[str, Any] | None = None
    """What the sign-in form sent along; nobody has checked it."""


# Messages


class SignInMagicLink(Wire):
    email: Email
    name: Omittable[str] = None
    """Of a new user; the empty text if left out."""
    callback_url: Omittable[str] = None
    """Where the link leads in the end; `/` if left out."""
    new_user_callback_url: Omittable[str] = None
    """Where it leads a new user."""
    error_callback_url: Omittable[str] = None
    """Where it leads with `?error=` if it is refused."""
    metadata: Omittable[dict[str, Any]] = None
    """Handed to the application that sends the mail."""


class VerifyMagicLink(Wire):
    token: str
    callback_url: Omittable[str] = None
    """Where to go afterwards; without it the answer is JSON."""
    error_callback_url: Omittable[str] = None
    """Where to go with `?error=` if the link is refused; `callbackURL` or `/` if left out."""
    new_user_callback_url: Omittable[str] = None
    """Where to go with a new user; `callbackURL` if left out."""


class MagicLinkVerified(Wire, Generic[UserT, SessionT]):
    token: str
    user: UserT
    session: SessionT


class LinkRecord(BaseModel):
    """What is remembered of a link, in upstream's form; anything else opens nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["magic-link"]
    email: Email
    name: str = ""
    """Left out if nobody said one; null is no name."""


# Plugin


@dataclass(frozen=True, kw_only=True, eq=False)
class MagicLink(Plugin[UserT, SessionT]):
    """Sign-in and sign-up without a password."""

    id: ClassVar[str] = "magic-link"

    send_magic_link: Mailer[MagicLinkMail]

    expires_in: int = 300
    """Lifetime of a link, in seconds."""

    allowed_attempts: int = 1
    """Kept for upstream's spelling: a link works once, whatever this says."""

    disable_sign_up: bool = False
    """Nobody becomes a user by a link; the mail is sent all the same, so that nobody learns who is one."""

    generate_token: Callable[[str], Awaitable[str] | str] | None = None
    """Makes the token for an address; it must be hard to guess. None: 32 random letters."""

    store_token: StoreToken = "plain"  # noqa: S105  # how, not which
    """How the database knows a token."""

    rate_limit: RateLimit = FIVE_A_MINUTE
    """Of both endpoints, each for itself."""

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the endpoints with the limit of this plugin's options."""
        return (replace(each, limit=self.rate_limit) for each in super().endpoints())

    def setup(self, auth: Any) -> None:
        """Check the options."""
        if self.expires_in < 1:
            raise ConfigError(f"MagicLink(expires_in={self.expires_in!r}): a link must live for a second at least")
        if self.allowed_attempts != 1:
            auth.logger.warning(
                "MagicLink(allowed_attempts=%r) changes nothing: a link works once", self.allowed_attempts
            )

    @endpoint("POST", "/sign-in/magic-link", csrf="login", operation_id="signInWithMagicLink")
    async def sign_in(self, ctx: Context, body: SignInMagicLink) -> Status:
        """Mail a link that signs in; the answer is the same whether or not anybody has the address."""
        token = await self._new_token(body.email)
        named = {} if body.name is None else {"name": body.name}
        record = LinkRecord(type="magic-link", email=body.email, **named)
        identifier, value = await self._identifier(token), record.model_dump_json(exclude_unset=True)
        await self.auth.verifications.put(ctx, identifier, value, self.expires_in)
        mail_links.send(ctx, self.send_magic_link, lambda: _mail(ctx, body, token))
        return Status(status=True)

    @endpoint(
        Route("GET", "/magic-link/verify"),
        Route("POST", "/magic-link/verify", confirms=True),
        confirmation="Sign in",
        client="magic_link.verify",
        signals=("session",),
        operation_id="verifyMagicLink",
    )
    async def verify(
        self, ctx: Context, query: VerifyMagicLink
    ) -> MagicLinkVerified[UserT, SessionT] | Challenge | Redirect:
        """Follow the link in the mail, which works once: sign in whoever has the address, as a new user if nobody has.

        A refusal is a redirect with `?error=`, to `errorCallbackURL`, `callbackURL` or `/`: INVALID_TOKEN,
        new_user_signup_disabled, or why there is no new user. Where a further step is needed, the page at `callbackURL`
        is told so by the fields of that answer, in its query.
        """
        page = mail_links.absolute(ctx, query.callback_url or mail_links.HOME)
        try:
            record = await self._redeemed(ctx, query.token)
            admitted, is_new = await self._enter(ctx, record)
        except ApiError as refusal:
            failed = mail_links.absolute(ctx, query.error_callback_url) if query.error_callback_url else page
            return _refused(failed, refusal)
        if isinstance(admitted, Challenge):
            return Redirect(mail_links.with_fields(page, admitted.to_wire())) if query.callback_url else admitted
        if not query.callback_url:
            started: Any = ctx.new_session
            return MagicLinkVerified(token=admitted.token, user=admitted.user, session=started.session)
        target = query.new_user_callback_url if is_new else None
        return Redirect(mail_links.absolute(ctx, target) if target else page)

    async def _new_token(self, email: str) -> str:
        if self.generate_token is None:
            return random_ascii_letters(TOKEN_LENGTH)
        token = self.generate_token(email)
        return await token if isinstance(token, Awaitable) else token

    async def _identifier(self, token: str) -> str:
        """Return the name under which a link is remembered."""
        if self.store_token == "plain":  # noqa: S105  # how, not which
            return f"{PREFIX}{token}"
        if self.store_token == "hashed":  # noqa: S105  # as above
            return f"{PREFIX}{hash_token(token)}"
        stored = self.store_token(token)
        return f"{PREFIX}{await stored if isinstance(stored, Awaitable) else stored}"

    async def _redeemed(self, ctx: Context, token: str) -> LinkRecord:
        """Use a link up and return what was remembered of it; of many callers at once, one gets it."""
        identifier = await self._identifier(token)
        record = _read(await self.auth.verifications.get(ctx, identifier))
        taken = None if record is None else _read(await self.auth.verifications.take(ctx, identifier))
        if taken is None:
            raise ApiError(UNKNOWN_LINK)
        return taken

    async def _enter(self, ctx: Context, record: LinkRecord) -> tuple[SignedIn[UserT] | Challenge, bool]:
        """Sign in whoever has the address, and tell whether they are new."""
        user = await self.users.find_by_email(ctx, record.email)
        if user is None and self.disable_sign_up:
            raise ApiError(NEW_USER_SIGNUP_DISABLED)
        if user is None:
            try:
                return await self._sign_up(ctx, record), True
            except ApiError:
                # Another link to the same mailbox may have been followed at this very moment.
                user = await self.users.find_by_email(ctx, record.email)
                if user is None:
                    raise
        if not user.email_verified:
            user = await prove_mailbox(ctx, self.users, user)
        if user is None:
            raise ApiError(NOBODY)
        return await admission.admit(ctx, user, remember=admission.is_remembered(ctx)), False

    async def _sign_up(self, ctx: Context, record: LinkRecord) -> SignedIn[UserT] | Challenge:
        values = {"email": record.email, "email_verified": True, "name": record.name}
        async with new_user(ctx, self.users, BY_LINK, **values) as (inside, user):
            return await admission.admit(inside, user, remember=admission.is_remembered(inside))


def _mail(ctx: Context, body: SignInMagicLink, token: str) -> MagicLinkMail:
    fields = {
        "token": token,
        "callbackURL": body.callback_url or mail_links.HOME,
        "newUserCallbackURL": body.new_user_callback_url,
        "errorCallbackURL": body.error_callback_url,
    }
    query = {name: value for name, value in fields.items() if value}
    url = mail_links.form_link(ctx, "/magic-link/verify", query)
    return MagicLinkMail(email=body.email.lower(), url=url, token=token, metadata=body.metadata)


def _read(value: str | None) -> LinkRecord | None:
    try:
        return None if value is None else LinkRecord.model_validate_json(value)
    except ValidationError:
        return None


def _refused(page: str, refusal: ApiError) -> Redirect:
    """Return the way to the page that says why; what has no code for it is refused as it is."""
    code, description = refusal.error.code, refusal.error.message
    if code is None:
        raise refusal
    if code in VETOED:
        code, description = VETOED[code], ""
    page = mail_links.with_query(page, "error", code)
    return Redirect(mail_links.with_query(page, "error_description", description) if description else page)
