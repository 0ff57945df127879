"""The lock of an account after too many wrong codes in a row, whatever the sign-in. See NIST SP 800-63B §5.2.2."""

from dataclasses import dataclass
from datetime import timedelta

from portico.context import Context
from portico.errors import ApiError
from portico.models import User
from portico.plugins.two_factor.declarations import ACCOUNT_TEMPORARILY_LOCKED, TwoFactorRow
from portico.plugins.two_factor.options import AccountLockout
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

    async def record_failure(self, ctx: Context, user: User, row: TwoFactorRow | None) -> None:
        """Count a wrong code, and lock the account after too many."""
        if not self.options.enabled:
            return
        if row is None:
            await self._record_without_row(ctx, user)
            return
        counted = await ctx.store.increment_one(
            self.secrets.table, equal({"id": row.id}), {"failed_verification_count": 1}
        )
        if counted is not None and counted["failed_verification_count"] >= self.options.max_failed_attempts:
            # Only if the count still is too high: a right code may have ended the row of wrong ones.
            where = {"id": row.id, "failed_verification_count": counted["failed_verification_count"]}
            await self.secrets.update(ctx, where, locked_until=ctx.now() + timedelta(seconds=self.options.duration))

    async def forgive(self, ctx: Context, user: User, row: TwoFactorRow | None) -> None:
        """Start to count anew after a right code."""
        if not self.options.enabled:
            return
        if row is None:
            await ctx.auth.verifications.delete(ctx, identifier=_failures(user))
            return
        # Whatever `row` says: a wrong code may have been counted since it was read.
        await self.secrets.update(ctx, {"id": row.id}, failed_verification_count=0, locked_until=None)

    async def _record_without_row(self, ctx: Context, user: User) -> None:
        verifications, identifier = ctx.auth.verifications, _failures(user)
        counted = False
        while not counted:
            # Of many first failures at once, one starts the count; it ends as long after its first as a lock lasts.
            used = await verifications.agree(ctx, identifier, "0", self.options.duration)
            counted = await verifications.swap(ctx, identifier, used, str(_number(used) + 1))


def _failures(user: User) -> str:
    return f"2fa-failures-{user.id}"


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
