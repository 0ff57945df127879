"""The accounts by which the caller signs in."""

from collections.abc import Sequence
from typing import Any, cast

from pydantic import model_validator

from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint
from portico.errors import ACCOUNT_NOT_FOUND, FAILED_TO_UNLINK_LAST_ACCOUNT, ApiError
from portico.messages import Status
from portico.models import Account, SessionT, UserT
from portico.wire import ABSENT, Omittable, Timestamp, Wire


class LinkedAccount(Wire):
    """An account without its tokens and its password."""

    account_id: str
    """The user's id at the provider; the user's own id for the account with a password."""
    provider_id: str
    """`credential` for email and password."""
    user_id: str
    created_at: Timestamp
    updated_at: Timestamp
    id: str
    """Names the account in other calls."""
    scopes: list[str]
    """What the provider lets us do in the user's name."""


class UnlinkAccount(Wire):
    """One of the fields is needed."""

    account_id: Omittable[str] = None
    """The account's `id`; beside `providerId`, the user's id at that provider."""
    provider_id: str | None = None
    """Enough where the user has one account of this provider."""

    @model_validator(mode="before")
    @classmethod
    def _require_one(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        fields = cast("dict[str, Any]", given)
        has_provider = fields.get("providerId", fields.get("provider_id")) is not None
        is_told = has_provider or bool(fields.keys() & {"accountId", "account_id"})
        # Upstream knows the one field, and this is how it misses it.
        return fields if is_told else {**fields, "accountId": ABSENT}


class AccountEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint("GET", "/list-accounts", session="authoritative", operation_id="listUserAccounts", idempotent=True)
    async def list_accounts(self, ctx: Context) -> Sequence[LinkedAccount]:
        """Return the accounts by which the caller signs in, the oldest first."""
        accounts = await self.auth.accounts.of(ctx, self.signed_in(ctx).user)
        return [_linked(account) for account in accounts]

    @endpoint(
        "POST",
        "/unlink-account",
        session="fresh",
        errors=(ACCOUNT_NOT_FOUND, FAILED_TO_UNLINK_LAST_ACCOUNT),
    )
    async def unlink_account(self, ctx: Context, body: UnlinkAccount) -> Status:
        """Take one of the caller's accounts away, so that nobody signs in by it any more.

        The last one stays, unless the server allows it to go.
        """
        user, accounts = self.signed_in(ctx).user, self.auth.accounts
        may_be_last = self.auth.account_options.account_linking.allow_unlinking_all
        linked = await accounts.of(ctx, user)
        if len(linked) == 1 and not may_be_last:
            raise ApiError(FAILED_TO_UNLINK_LAST_ACCOUNT)
        account = _meant(linked, body)
        if account is None:
            raise ApiError(ACCOUNT_NOT_FOUND)
        async with ctx.transaction() as inside:
            # Two calls at once must not each find the account that the other one takes away.
            await self.users.hold(inside, user)
            if not await accounts.delete(inside, id=account.id):
                raise ApiError(ACCOUNT_NOT_FOUND)
            if not may_be_last and not await accounts.of(inside, user):
                raise ApiError(FAILED_TO_UNLINK_LAST_ACCOUNT)
        return Status(status=True)


def _linked(account: Account) -> LinkedAccount:
    return LinkedAccount(
        account_id=account.account_id,
        provider_id=account.provider_id,
        user_id=account.user_id,
        created_at=account.created_at,
        updated_at=account.updated_at,
        id=account.id,
        scopes=account.scopes,
    )


def _meant(accounts: Sequence[Account], body: UnlinkAccount) -> Account | None:
    """Return the account that a body names; none if it names several."""
    if body.provider_id is None:
        found = [each for each in accounts if each.id == body.account_id]
    else:
        found = [
            each
            for each in accounts
            if each.provider_id == body.provider_id and body.account_id in {None, each.account_id}
        ]
    return found[0] if len(found) == 1 else None
