"""What the providers of the caller's accounts let us do: access tokens, and the user as the provider knows them."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeVar, cast

from pydantic import ConfigDict, model_validator

from portico import admission
from portico.context import Context
from portico.endpoint import EndpointGroup, Route, endpoint
from portico.errors import (
    ACCESS_TOKEN_NOT_FOUND,
    ACCOUNT_NOT_FOUND,
    FAILED_TO_GET_ACCESS_TOKEN,
    FAILED_TO_GET_USER_INFO,
    FAILED_TO_REFRESH_ACCESS_TOKEN,
    PROVIDER_NOT_CONFIGURED,
    PROVIDER_NOT_SUPPORTED,
    REFRESH_TOKEN_NOT_FOUND,
    TOKEN_REFRESH_NOT_SUPPORTED,
    USER_ID_OR_SESSION_REQUIRED,
    ApiError,
    ErrorCode,
    OAuthError,
)
from portico.messages import SessionData
from portico.models import Account, SessionT, UserT
from portico.oauth2.provider import OAuthProvider, OAuthTokens, ProviderUser, RefreshingProvider
from portico.oauth2.stored_tokens import HeldTokens
from portico.store.rows import equal
from portico.wire import Omittable, Timestamp, Wire

ReplyT = TypeVar("ReplyT")
# Upstream sends no body here.
SIGNED_OUT = ErrorCode(401, None, "")
NO_USER_INFO = replace(FAILED_TO_GET_USER_INFO, status=401)
SELECTING = (SIGNED_OUT, USER_ID_OR_SESSION_REQUIRED, ACCOUNT_NOT_FOUND)


class AccountSelection(Wire):
    """Names an account in one of three ways: by `accountId`, by `providerId`, or with `useAccountCookie`."""

    model_config = ConfigDict(extra="forbid")
    is_union: ClassVar[bool] = True

    account_id: Omittable[str] = None
    """The account's `id`; beside `providerId`, the user's id at that provider."""
    provider_id: Omittable[str] = None
    """Enough where the user has one account of this provider."""
    use_account_cookie: Omittable[Literal[True]] = None
    """The account that the browser's account cookie holds."""
    user_id: Omittable[str] = None
    """Whose account it is, for server calls without a session; otherwise ignored."""

    @model_validator(mode="before")
    @classmethod
    def _require_one_way(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        fields = cast("dict[str, Any]", given)
        is_named = bool(fields.keys() & {"accountId", "account_id", "providerId", "provider_id"})
        if is_named == bool(fields.keys() & {"useAccountCookie", "use_account_cookie"}):
            raise ValueError("name the account in one way")
        return fields


class AccessToken(Wire):
    access_token: str
    """Empty if the provider gave none."""
    access_token_expires_at: Timestamp | None = None
    scopes: list[str]
    """What the provider lets us do in the user's name."""
    id_token: str | None = None


class RefreshedTokens(Wire):
    access_token: str
    refresh_token: str
    access_token_expires_at: Timestamp | None = None
    refresh_token_expires_at: Timestamp | None = None
    scope: str | None
    """As it was granted, joined by commas."""
    id_token: str | None
    provider_id: str
    account_id: str
    """The account's `id`."""


class ProviderProfile(Wire):
    """The user as the provider knows them; what it does not tell is left out."""

    email: str | None = None
    email_verified: bool
    image: str | None = None
    name: str | None = None


class AccountKey(Wire):
    id: str
    provider_id: str
    account_id: str
    """The user's id at the provider."""


class AccountInfo(Wire):
    user: ProviderProfile
    data: dict[str, Any]
    """The whole profile, as the provider sent it."""
    account: AccountKey


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The account that a call is about, and where it was found."""

    account: Account
    is_stored: bool
    """It is a row; else only the browser's cookie has it."""
    is_in_cookie: bool


class AccountTokenEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint(
        Route("POST", "/get-access-token"),
        Route("GET", "/get-access-token", input="query", deprecated=True),
        session="own",
        errors=(*SELECTING, PROVIDER_NOT_SUPPORTED, FAILED_TO_GET_ACCESS_TOKEN),
    )
    async def get_access_token(self, ctx: Context, body: AccountSelection) -> AccessToken:
        """Return an access token that is still valid, refreshed if need be."""
        selected = await self._selected(ctx, body)
        provider = self._provider(selected.account, _not_supported(selected.account))
        held = await self._current(ctx, selected, provider)
        rest = {"access_token_expires_at": held.account.access_token_expires_at, "id_token": held.id_token}
        return AccessToken(access_token=held.access_token, scopes=held.account.scopes, **_known(rest))

    @endpoint(
        "POST",
        "/refresh-token",
        session="own",
        errors=(
            *SELECTING,
            PROVIDER_NOT_SUPPORTED,
            TOKEN_REFRESH_NOT_SUPPORTED,
            REFRESH_TOKEN_NOT_FOUND,
            FAILED_TO_REFRESH_ACCESS_TOKEN,
        ),
    )
    async def refresh_token(self, ctx: Context, body: AccountSelection) -> RefreshedTokens:
        """Get new tokens from the provider, and return them.

        Of several calls at once one asks the provider, and all are answered with what it got.
        """
        selected = await self._selected(ctx, body)
        account = selected.account
        provider = self._provider(account, _not_supported(account))
        if not isinstance(provider, RefreshingProvider):
            message = f"Provider {account.provider_id} does not support token refreshing."
            raise ApiError(replace(TOKEN_REFRESH_NOT_SUPPORTED, message=message))
        if not account.refresh_token:
            raise ApiError(REFRESH_TOKEN_NOT_FOUND)
        refreshing = self.auth.stored_tokens.refreshed(ctx, account, provider, is_stored=selected.is_stored)
        held = await _or_refuse(ctx, refreshing, FAILED_TO_REFRESH_ACCESS_TOKEN)
        if selected.is_in_cookie:
            self._send_cookie(ctx, held)
        return RefreshedTokens(
            access_token=held.access_token,
            refresh_token=held.refresh_token or "",
            **_known({"access_token_expires_at": held.ends_at}),
            refresh_token_expires_at=held.account.refresh_token_expires_at,
            scope=held.account.scope,
            id_token=held.id_token,
            provider_id=account.provider_id,
            account_id=account.id,
        )

    @endpoint(
        "GET",
        "/account-info",
        session="own",
        errors=(
            *SELECTING,
            PROVIDER_NOT_CONFIGURED,
            FAILED_TO_GET_ACCESS_TOKEN,
            ACCESS_TOKEN_NOT_FOUND,
            NO_USER_INFO,
        ),
    )
    async def account_info(self, ctx: Context, query: AccountSelection) -> AccountInfo:
        """Ask the provider of one of the caller's accounts who the user is."""
        selected = await self._selected(ctx, query)
        account = selected.account
        provider = self._provider(account, PROVIDER_NOT_CONFIGURED)
        held = await self._current(ctx, selected, provider)
        if not held.access_token:
            raise ApiError(ACCESS_TOKEN_NOT_FOUND)
        tokens = OAuthTokens(access_token=held.access_token, id_token=held.id_token, scopes=held.account.scopes)
        user = await _or_refuse(ctx, provider.user_info(tokens), NO_USER_INFO)
        if user is None:
            raise ApiError(NO_USER_INFO)
        key = AccountKey(id=account.id, provider_id=account.provider_id, account_id=account.account_id)
        return AccountInfo(user=_profile(user), data=dict(user.data), account=key)

    async def _selected(self, ctx: Context, selection: AccountSelection) -> Selected:
        user_id = await self._holder(ctx, selection)
        cookie = ctx.account_cookie
        if selection.use_account_cookie:
            account = None if cookie is None else cookie.read(ctx.headers, int(ctx.now().timestamp()))
            if account is None or account.user_id != user_id:
                raise ApiError(ACCOUNT_NOT_FOUND)
            # The row, if there is one, knows of refreshes that the cookie has not seen.
            stored = await self.auth.accounts.find(ctx, id=account.id, user_id=user_id)
            return Selected(account=stored or account, is_stored=stored is not None, is_in_cookie=True)
        named = {"provider_id": selection.provider_id, "account_id": selection.account_id}
        where = {"id": selection.account_id} if selection.provider_id is None else _known(named)
        found = await self.auth.accounts.find_many(ctx, *equal({"user_id": user_id, **where}))
        if len(found) != 1:
            raise ApiError(ACCOUNT_NOT_FOUND)
        return Selected(account=found[0], is_stored=True, is_in_cookie=False)

    async def _holder(self, ctx: Context, selection: AccountSelection) -> str:
        """Return the id of the user whose account is meant: the caller's, or the one that server code names."""
        if ctx.is_trusted:
            if selection.user_id is None:
                raise ApiError(USER_ID_OR_SESSION_REQUIRED)
            return selection.user_id
        # A session that was ended must get no tokens, so its cookie copy is not believed.
        await admission.read(ctx, authoritative=True)
        session: SessionData[UserT, SessionT] | None = self.current(ctx)
        if session is None:
            raise ApiError(SIGNED_OUT)
        return session.user.id

    def _provider(self, account: Account, missing: ErrorCode) -> OAuthProvider:
        provider = self.auth.social_providers.get(account.provider_id)
        if provider is None:
            raise ApiError(missing)
        return provider

    async def _current(self, ctx: Context, selected: Selected, provider: OAuthProvider) -> HeldTokens:
        reading = self.auth.stored_tokens.current(ctx, selected.account, provider, is_stored=selected.is_stored)
        held = await _or_refuse(ctx, reading, FAILED_TO_GET_ACCESS_TOKEN)
        if held.account is not selected.account:
            self._send_cookie(ctx, held)
        return held

    def _send_cookie(self, ctx: Context, held: HeldTokens) -> None:
        cookie = ctx.account_cookie
        if cookie is not None:
            ctx.reply.headers += cookie.write(held.account, ctx.headers, int(ctx.now().timestamp()))


async def _or_refuse(ctx: Context, asking: Awaitable[ReplyT], refusal: ErrorCode) -> ReplyT:
    try:
        return await asking
    except OAuthError as error:
        ctx.auth.logger.warning("%s: %s", refusal.code, error)
        raise ApiError(refusal) from None


def _not_supported(account: Account) -> ErrorCode:
    return replace(PROVIDER_NOT_SUPPORTED, message=f"Provider {account.provider_id} is not supported.")


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """Return what there is to say: replies leave out what was not passed."""
    return {name: value for name, value in values.items() if value is not None}


def _profile(user: ProviderUser) -> ProviderProfile:
    known = _known({"email": user.email})
    rest = _known({"image": user.image, "name": user.name})
    return ProviderProfile(**known, email_verified=user.email_verified, **rest)
