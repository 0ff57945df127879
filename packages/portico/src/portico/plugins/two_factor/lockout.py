"""The lock of an account after too many wrong codes in a row, whatever the sign-in. See NIST SP 800-63B §5.2.2."""

from dataclasses import dataclass
from datetime import timedelta

from portico.context import Context
from portico.errors import ApiError
from portico.models import User
from portico.plugins.two_factor.declarations import ACCOUNT_TEMPORARILY_LOCKED, TwoFactorRow
from portico.plugins.two_factor.options import AccountLockout
from portico.store.adapter import Where
from portico.store.rows import Rows, equal


@dataclass(frozen=True)
class Lockout:
    """Counts wrong codes in the user's row, and of users without one, who get codes by mail only, beside it."""

    options: AccountLockout
    secrets: Rows[TwoFactorRow]

    async def require_unlocked(self, ctx: Context, user: User, row: TwoFactorRow | None) -> None:
        """Refuse a locked account; the first attempt after the lock starts to count anew."""
        if not self.options.enabled:
            return
        if row is None:
            if _number(await ctx.auth.verifications.get(ctx, _failures(user))) >= self.options.max_failed_attempts:
                raise ApiError(ACCOUNT_TEMPORARILY_LOCKED)
            return
        if row.locked_until is None:
            return
        if row.locked_until > ctx.now():
            raise ApiError(ACCOUNT_TEMPORARILY_LOCKED)
        # Only this lock: another one may have begun meanwhile.
        await self.secrets.update(
            ctx, {"id": row.id, "locked_until": row.locked_until}, failed_verification_count=0, locked_until=None
        )

    async def count_attempt(self, ctx: Context, user: User, row: TwoFactorRow | None) -> None:
        """Count an attempt as a wrong one before its code is looked at: what is sent at once is counted, too.

        A right code takes it back by `forgive`.

        Raises:
            ApiError: there were as many as an account takes, or they are under way.
        """
        if not self.options.enabled:
            return
        if row is None:
            await self._count_without_row(ctx, user)
            return
        has_room = (
            Where("failed_verification_count", None, connector="OR"),
            Where("failed_verification_count", self.options.max_failed_attempts, "lt", "OR"),
        )
        counted = await ctx.store.increment_one(
            self.secrets.table, [*equal({"id": row.id}), *has_room], {"failed_verification_count": 1}
        )
        if counted is None:
            await self.lock_if_due(ctx, row)
            raise ApiError(ACCOUNT_TEMPORARILY_LOCKED)

    async def lock_if_due(self, ctx: Context, row: TwoFactorRow | None) -> None:
        """Lock the account after as many wrong codes as it takes; who has no row is locked by the count itself."""
        if not self.options.enabled or row is None:
            return
        # Only if the count still is too high: a right code may have ended the row of wrong ones.
        is_due = Where("failed_verification_count", self.options.max_failed_attempts, "gte")
        until = ctx.now() + timedelta(seconds=self.options.duration)
        where = [*equal({"id": row.id, "locked_until": None}), is_due]
        await ctx.store.update(self.secrets.table, where, {"locked_until": until})

    async def forgive(self, ctx: Context, user: User, row: TwoFactorRow | None) -> None:
        """Start to count anew after a right code."""
        if not self.options.enabled:
            return
        if row is None:
            await ctx.auth.verifications.delete(ctx, identifier=_failures(user))
            return
        # Whatever `row` says: a wrong code may have been counted since it was read.
        await self.secrets.update(ctx, {"id": row.id}, failed_verification_count=0, locked_until=None)

    async def _count_without_row(self, ctx: Context, user: User) -> None:
        verifications, identifier = ctx.auth.verifications, _failures(user)
        while True:
            # Of many first attempts at once, one starts the count; it ends as long after its first as a lock lasts.
            used = await verifications.agree(ctx, identifier, "0", self.options.duration)
            if _number(used) >= self.options.max_failed_attempts:
                raise ApiError(ACCOUNT_TEMPORARILY_LOCKED)
            if await verifications.swap(ctx, identifier, used, str(_number(used) + 1)):
                return


def _failures(user: User) -> str:
    return f"2fa-failures-{user.id}"


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
