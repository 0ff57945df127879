"""OAuth tokens of accounts: encrypted at rest if wanted, and refreshed once however many ask."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import anyio
from anyio import CancelScope

from portico.accounts import Accounts
from portico.crypto.symmetric import Cabinet, DecryptionError, is_sealed
from portico.errors import ACCOUNT_NOT_FOUND, ApiError, OAuthError
from portico.models import Account
from portico.oauth2.provider import OAuthProvider, OAuthTokens, RefreshingProvider
from portico.schema import HookContext
from portico.verifications import Verifications

EARLY = timedelta(seconds=5)
"""A token that ends within this time is refreshed before it is handed out."""
ANSWER = 30.0
"""How long a provider may take to refresh, in seconds."""
LEASE = 60
"""How long one refresh keeps others waiting if its process dies, in seconds; longer than `ANSWER` and the writing."""
PATIENCE = 40.0
"""How long a call waits for the refresh of another, in seconds."""
CENTURY = 100 * 365 * 24 * 3600
"""In seconds; what lasts longer than this lasts as long."""
PAUSE = 0.05
"""Seconds between two looks at whether the other is done."""


@dataclass(frozen=True, kw_only=True)
class HeldTokens:
    """An account with its tokens in the clear."""

    account: Account
    """As it is stored: its own tokens may be encrypted."""
    access_token: str
    """Empty if there is none."""
    ends_at: datetime | None
    """When the access token ends, as far as its provider says."""
    refresh_token: str | None
    id_token: str | None


class StoredTokens:
    """Reads, writes and refreshes the tokens of accounts."""

    def __init__(
        self, accounts: Accounts, verifications: Verifications, cabinet: Cabinet, *, is_encrypted: bool
    ) -> None:
        self._accounts = accounts
        self._verifications = verifications
        self._cabinet = cabinet
        self._is_encrypted = is_encrypted

    def seal(self, token: str) -> str:
        """Return a token as it is stored."""
        return self._cabinet.encrypt(token) if self._is_encrypted and token else token

    def open(self, account: Account) -> HeldTokens:
        """Return an account with its tokens in the clear.

        Raises:
            OAuthError: none of our secrets encrypted them.
        """
        try:
            return HeldTokens(
                account=account,
                access_token=self._opened(account.access_token) or "",
                ends_at=account.access_token_expires_at,
                refresh_token=self._opened(account.refresh_token),
                id_token=self._opened(account.id_token),
            )
        except DecryptionError as error:
            raise OAuthError(f"the tokens of account {account.id} cannot be read: {error}") from None

    async def current(
        self, ctx: HookContext, account: Account, provider: OAuthProvider, *, is_stored: bool
    ) -> HeldTokens:
        """Return tokens that are valid for some seconds at least, as far as anybody can tell.

        `is_stored` tells whether the account is a row; else only a cookie has it.

        Raises:
            OAuthError: they ended and the provider gives no others.
        """
        ends = account.access_token_expires_at
        is_due = ends is not None and ends - ctx.now() < EARLY
        if is_due and account.refresh_token and isinstance(provider, RefreshingProvider):
            return await self.refreshed(ctx, account, provider, is_stored=is_stored)
        return self.open(account)

    async def refreshed(
        self, ctx: HookContext, account: Account, provider: RefreshingProvider, *, is_stored: bool
    ) -> HeldTokens:
        """Return new tokens, or those that another call was given while this one waited for it.

        A provider that rotates refresh tokens takes each of them once, so only one call of all processes may ask.

        Raises:
            OAuthError: the provider gives none.
        """
        held: HeldTokens | None = None
        async with self._turn(ctx, account.id):
            # Who leaves now must not take away tokens that the provider has given already.
            with CancelScope(shield=True):
                held = await self._refresh(ctx, account, provider, is_stored=is_stored)
        if held is None:
            raise OAuthError("the refresh did not end")
        return held

    async def _refresh(
        self, ctx: HookContext, account: Account, provider: RefreshingProvider, *, is_stored: bool
    ) -> HeldTokens:
        known = await self._accounts.find(ctx, id=account.id) if is_stored else account
        if known is None:
            raise ApiError(ACCOUNT_NOT_FOUND)
        if known.refresh_token != account.refresh_token or known.access_token != account.access_token:
            # Another call was faster.
            return self.open(known)
        tokens = await self._ask(provider, self.open(known).refresh_token or "")
        held = self.open(await self._keep(ctx, known, tokens, is_stored=is_stored))
        # The row still has the end of the token before, by which the next call knows that it is time to refresh.
        return held if tokens.expires_in is not None else replace(held, ends_at=None)

    async def _ask(self, provider: RefreshingProvider, refresh_token: str) -> OAuthTokens:
        try:
            with anyio.fail_after(ANSWER):
                return await provider.refresh(refresh_token)
        except TimeoutError:
            raise OAuthError(f"{provider.id} did not answer within {ANSWER:.0f} seconds") from None

    async def _keep(self, ctx: HookContext, account: Account, tokens: OAuthTokens, *, is_stored: bool) -> Account:
        """Store new tokens; scopes stay, because a refresh may name fewer than were granted."""
        values: dict[str, Any] = {"access_token": self.seal(tokens.access_token)}
        if tokens.refresh_token:
            values["refresh_token"] = self.seal(tokens.refresh_token)
        if tokens.id_token:
            values["id_token"] = self.seal(tokens.id_token)
        for name, seconds in (
            ("access_token_expires_at", tokens.expires_in),
            ("refresh_token_expires_at", tokens.refresh_token_expires_in),
        ):
            if seconds is not None:
                values[name] = ctx.now() + timedelta(seconds=min(seconds, CENTURY))
        if not is_stored:
            return account.model_copy(update=values)
        where = {"id": account.id, "refresh_token": account.refresh_token}
        kept = await self._accounts.update(ctx, where, **values)
        # Linked anew meanwhile, which is newer than this; or unlinked.
        kept = kept or await self._accounts.find(ctx, id=account.id)
        if kept is None:
            raise ApiError(ACCOUNT_NOT_FOUND)
        return kept

    @asynccontextmanager
    async def _turn(self, ctx: HookContext, account_id: str) -> AsyncGenerator[None, None]:
        """Hold the right to refresh one account, which one call of all processes has at a time."""
        name = f"refresh-token:{account_id}"
        is_mine = False
        try:
            with anyio.fail_after(PATIENCE):
                while not is_mine:
                    # Who leaves now must not leave behind a claim that nobody gives back.
                    with CancelScope(shield=True):
                        is_mine = await self._verifications.claim(ctx, name, LEASE)
                    if not is_mine:
                        await anyio.sleep(PAUSE)
        except TimeoutError:
            raise OAuthError("another call is refreshing this account, and does not end") from None
        try:
            yield
        finally:
            with CancelScope(shield=True):
                await self._verifications.delete(ctx, identifier=name)

    def _opened(self, token: str | None) -> str | None:
        # Tokens that were stored before they were encrypted stay as they are.
        return self._cabinet.decrypt(token) if self._is_encrypted and token and is_sealed(token) else token
