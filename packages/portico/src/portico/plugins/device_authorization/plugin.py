"""The device flow: a device shows a code, its user approves it in a browser, and the device gets a session."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from inspect import isawaitable
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from portico.context import Context, session_data
from portico.crypto.random import random_letters
from portico.endpoint import Endpoint, endpoint
from portico.errors import ApiError, ConfigError, NotUniqueError, OAuthErrorCode
from portico.messages import Success
from portico.models import SessionT, User, UserT
from portico.plugins.device_authorization import user_codes
from portico.plugins.device_authorization.declarations import (
    ACCESS_DENIED,
    AUTHORIZATION_PENDING,
    CLIENT_ID_REQUIRED,
    CLIENT_MISMATCH,
    EXPIRED_DEVICE_CODE,
    EXPIRED_USER_CODE,
    FORM,
    INVALID_CLIENT,
    INVALID_DEVICE_CODE,
    INVALID_REQUEST,
    INVALID_STATUS,
    INVALID_USER_CODE,
    LONGEST,
    NO_FREE_CODE,
    NO_SESSION,
    NOT_YOURS_TO_APPROVE,
    NOT_YOURS_TO_DENY,
    POLLING_TOO_FREQUENTLY,
    UNDECIDED,
    UNSUITABLE_CODE,
    USER_GONE,
    DeviceAuthorized,
    DeviceCode,
    DeviceCodeRequest,
    DeviceCodeRow,
    DeviceDecision,
    DeviceStatus,
    DeviceTokenRequest,
    UserCode,
)
from portico.plugins.device_authorization.pages import ENTER, DevicePages
from portico.plugins.device_authorization.user_codes import LEGIBLE
from portico.rate_limit import RateLimit
from portico.store.rows import Rows
from portico.wire import milliseconds

ATTEMPTS = 3
"""At a code that nobody has."""
GUESSES = 5
"""At user codes, by one client while a code lives."""
GUESSED = {"verify", "approve", "deny", "look", "decide"}
PAGES = {"enter", "look", "decide"}
NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
ONCE = ("client_id", "user_id", "scope")
"""Parameters that a form may hold once. See RFC 6749 §3.1."""

SERVER_ERROR = 500

CodeMaker = Callable[[], str | Awaitable[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceAuthorization(DevicePages[UserT, SessionT]):
    """Sign-in for command lines, televisions and whatever else shows a code. See RFC 8628."""

    id: ClassVar[str] = "device-authorization"
    tables = MappingProxyType({"deviceCode": DeviceCodeRow})

    expires_in: int = 1800
    """Lifetime of a code, in seconds."""

    interval: int = 5
    """How long a device waits between two questions at least, in seconds."""

    device_code_length: int = 40
    user_code_length: int = 8
    """Characters; five a client may guess at while a code lives."""

    generate_device_code: CodeMaker | None = None
    """Makes a device code; it must be hard to guess. None: random letters and digits."""

    generate_user_code: CodeMaker | None = None
    """Makes a user code, which is compared as it is. None: of letters and digits that are not mistaken for others."""

    validate_client: Callable[[str], bool | Awaitable[bool]] | None = None
    """Whether a client may ask at all; every one if None."""

    on_device_auth_request: Callable[[str, str | None], Awaitable[None] | None] | None = None
    """Told of each request: the client and its scope."""

    verification_uri: str | None = None
    """The page where users enter codes: a URL, or a path on the origin of the base URL. None: our own with `page=True`,
    else `/device`."""

    def setup(self, auth: Any) -> None:
        """Check the options."""
        super().setup(auth)
        for name in ("device_code_length", "user_code_length"):
            if not 1 <= getattr(self, name) <= LONGEST:
                raise ConfigError(f"DeviceAuthorization({name}=...) is a number of characters from 1 to {LONGEST}")
        if self.expires_in < 1 or self.interval < 1:
            raise ConfigError("DeviceAuthorization: expires_in and interval are seconds above 0")

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the endpoints; who enters codes may guess at few of them while one lives."""
        guessing = RateLimit(window=self.expires_in, max=GUESSES)
        for each in super().endpoints():
            if self.page or each.name not in PAGES:
                yield replace(each, limit=guessing) if each.name in GUESSED else each

    # The device

    @endpoint(
        "POST",
        "/device/code",
        media=("application/json", FORM),
        invalid=INVALID_REQUEST,
        errors=(CLIENT_ID_REQUIRED, INVALID_CLIENT, UNSUITABLE_CODE, NO_FREE_CODE),
        operation_id="deviceCode",
    )
    async def code(self, ctx: Context, body: DeviceCodeRequest) -> DeviceCode:
        """Ask for a device code and a user code."""
        ctx.reply.headers += NO_STORE
        body = _effective(ctx, body)
        if not body.client_id:
            raise ApiError(CLIENT_ID_REQUIRED)
        await self._check_client(body.client_id)
        scope = body.scope or None
        if self.on_device_auth_request is not None:
            await _answer(self.on_device_auth_request(body.client_id, scope))
        row = await self._new_row(ctx, body, scope)
        page = self.verification_uri or (ctx.site.path + ENTER if self.page else "/device")
        uri = _absolute(urljoin(ctx.site.url, page))
        return DeviceCode(
            device_code=row.device_code,
            user_code=row.user_code,
            verification_uri=uri,
            verification_uri_complete=_with_user_code(uri, row.user_code),
            expires_in=self.expires_in,
            interval=self.interval,
        )

    @endpoint(
        "POST",
        "/device/token",
        errors=(
            INVALID_CLIENT,
            INVALID_DEVICE_CODE,
            CLIENT_MISMATCH,
            POLLING_TOO_FREQUENTLY,
            EXPIRED_DEVICE_CODE,
            AUTHORIZATION_PENDING,
            ACCESS_DENIED,
            INVALID_STATUS,
            USER_GONE,
            NO_SESSION,
        ),
        operation_id="deviceToken",
    )
    async def token(self, ctx: Context, body: DeviceTokenRequest) -> DeviceAuthorized:
        """Ask whether the user has approved, and get a session once."""
        ctx.reply.headers += NO_STORE
        await self._check_client(body.client_id)
        row = await self._rows.find(ctx, device_code=body.device_code)
        if row is None:
            raise ApiError(INVALID_DEVICE_CODE)
        if row.client_id and row.client_id != body.client_id:
            raise ApiError(CLIENT_MISMATCH)
        await self._count_poll(ctx, row)
        if row.expires_at < ctx.now():
            await self._rows.delete(ctx, id=row.id)
            raise ApiError(EXPIRED_DEVICE_CODE)
        if row.status == "denied":
            await self._rows.delete(ctx, id=row.id)
            raise ApiError(ACCESS_DENIED)
        if row.status == "pending":
            raise ApiError(AUTHORIZATION_PENDING)
        session = await self._redeemed(ctx, row, body.client_id)
        return DeviceAuthorized(
            access_token=session.token,
            token_type="Bearer",  # noqa: S106  # a kind of token
            expires_in=int((session.expires_at - ctx.now()).total_seconds()),
            scope=row.scope or "",
        )

    # The user

    @endpoint(
        "GET",
        "/device",
        session="own",
        errors=(INVALID_USER_CODE, EXPIRED_USER_CODE),
        operation_id="deviceVerify",
    )
    async def verify(self, ctx: Context, query: UserCode) -> DeviceStatus:
        """Look at the request behind a user code; the first who does so while signed in may decide about it."""
        row = await user_codes.live(ctx, query.user_code)
        user = await user_codes.caller(ctx)
        if user is not None:
            row = await user_codes.claimed(ctx, row, user)
        shown: dict[str, Any] = {"user_code": query.user_code, "status": row.status}
        if user is not None and row.user_id == user.id:
            shown |= {"client_id": row.client_id, "scope": row.scope}
        return DeviceStatus(**shown)

    @endpoint(
        "POST",
        "/device/approve",
        session="own",
        errors=(*UNDECIDED, NOT_YOURS_TO_APPROVE),
        operation_id="deviceApprove",
    )
    async def approve(self, ctx: Context, body: DeviceDecision) -> Success:
        """Let the device in as the signed-in user, who has looked at its request before."""
        user = await user_codes.caller(ctx)
        await user_codes.decide(ctx, user, body.user_code, "approved", NOT_YOURS_TO_APPROVE)
        return Success(success=True)

    @endpoint(
        "POST",
        "/device/deny",
        session="own",
        errors=(*UNDECIDED, NOT_YOURS_TO_DENY),
        operation_id="deviceDeny",
    )
    async def deny(self, ctx: Context, body: DeviceDecision) -> Success:
        """Turn the device away."""
        user = await user_codes.caller(ctx)
        await user_codes.decide(ctx, user, body.user_code, "denied", NOT_YOURS_TO_DENY)
        return Success(success=True)

    async def drop_credentials(self, ctx: Context, user: User) -> None:
        """Let in no device that the predecessor of `user` approved; what is undecided waits for the user's own say."""
        await self._rows.delete(ctx, user_id=user.id, status="approved")

    @property
    def _rows(self) -> Rows[DeviceCodeRow]:
        return self.auth.rows(DeviceCodeRow)

    async def _check_client(self, client_id: str) -> None:
        if self.validate_client is not None and not await _answer(self.validate_client(client_id)):
            raise ApiError(INVALID_CLIENT)

    async def _new_row(self, ctx: Context, body: DeviceCodeRequest, scope: str | None) -> DeviceCodeRow:
        values = {
            "user_id": body.user_id or None,
            "expires_at": ctx.now() + timedelta(seconds=self.expires_in),
            "status": "pending",
            "polling_interval": self.interval * 1000,
            "client_id": body.client_id,
            "scope": scope,
        }
        for _ in range(ATTEMPTS):
            device_code = await _code(self.generate_device_code, lambda: random_letters(self.device_code_length))
            user_code = await _code(self.generate_user_code, lambda: LEGIBLE.random(self.user_code_length))
            try:
                return await self._rows.create(ctx, device_code=device_code, user_code=user_code, **values)
            except NotUniqueError:
                continue
        raise ApiError(NO_FREE_CODE)

    async def _count_poll(self, ctx: Context, row: DeviceCodeRow) -> None:
        """Note that the device has asked; of two questions at once, one is too many."""
        last, now = row.last_polled_at, ctx.now()
        if last is not None and row.polling_interval and milliseconds(now) - milliseconds(last) < row.polling_interval:
            raise ApiError(POLLING_TOO_FREQUENTLY)
        if await self._rows.update(ctx, {"id": row.id, "last_polled_at": last}, last_polled_at=now) is None:
            raise ApiError(POLLING_TOO_FREQUENTLY)

    async def _redeemed(self, ctx: Context, row: DeviceCodeRow, client_id: str) -> SessionT:
        """Use an approved code up and start a session of its user: of many callers at once, one gets it."""
        if row.status != "approved" or row.user_id is None:
            raise ApiError(INVALID_STATUS)
        user = await self.users.find(ctx, id=row.user_id)
        if user is None:
            raise ApiError(USER_GONE)
        if await self._rows.consume(ctx, id=row.id, status="approved", client_id=client_id) is None:
            raise ApiError(INVALID_DEVICE_CODE)
        # No cookie: a device is no browser, and its user has passed every step in one.
        address = self.auth.addresses.of(ctx.request) if ctx.request else ""
        agent = ctx.headers.get("user-agent") or ""
        try:
            session = await self.sessions.start(ctx, user, remember=True, address=address, agent=agent)
        except ApiError as veto:
            raise _in_words_of_oauth(veto) from None
        ctx.new_session = session_data(session, user)
        return session


def _in_words_of_oauth(veto: ApiError) -> ApiError:
    """Return what a device is told when a hook of the database wants no session."""
    error = veto.error
    is_understood = isinstance(error, OAuthErrorCode) or error.status >= SERVER_ERROR
    return veto if is_understood else ApiError(replace(NO_SESSION, message=error.message))


def _effective(ctx: Context, body: DeviceCodeRequest) -> DeviceCodeRequest:
    """Return the request without what is empty; a form may hold each parameter once. See RFC 6749 §3.1."""
    # In a server call, the request is the caller's own, and its body about something else.
    request = None if ctx.route is None else ctx.request
    if request is None or not (request.headers.get("content-type") or "").lower().startswith(FORM):
        return body
    given = [(name, value) for name, value in parse_qsl(request.body.decode("utf-8", "replace")) if name in ONCE]
    names = [name for name, _ in given]
    for name in ONCE:
        if names.count(name) > 1:
            raise ApiError(replace(INVALID_REQUEST, message=f"{name} must not be repeated"))
    return body.model_copy(update={**dict.fromkeys(ONCE, ""), **dict(given)})


async def _code(make: CodeMaker | None, by_default: Callable[[], str]) -> str:
    if make is None:
        return by_default()
    code = await _answer(make())
    if not isinstance(code, str) or len(code) > LONGEST:
        raise ApiError(UNSUITABLE_CODE)
    return code


async def _answer(given: Any) -> Any:
    """Return what a function of the application gave, async or not."""
    return await given if isawaitable(given) else given


def _absolute(url: str) -> str:
    """Return a URL as browsers write it: its path is never empty."""
    parts = urlsplit(url)
    return url if parts.path else parts._replace(path="/").geturl()


def _with_user_code(uri: str, user_code: str) -> str:
    parts = urlsplit(uri)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "user_code"]
    return parts._replace(query=urlencode([*query, ("user_code", user_code)])).geturl()
