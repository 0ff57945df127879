"""The lock of an account after too many wrong codes in a row, whatever the sign-in. See NIST SP 800-63B §5.2.2."""

from datetime import timedelta

from portico.context import Context
from portico.errors import ApiError
from portico.plugins.two_factor.declarations import ACCOUNT_TEMPORARILY_LOCKED, TwoFactorRow
from portico.store.rows import Rows, equal

LOCKED_AFTER = 10
LOCKED_FOR = timedelta(minutes=15)


async def require_unlocked(ctx: Context, secrets: Rows[TwoFactorRow], row: TwoFactorRow) -> None:
    """Refuse a locked account; the first attempt after the lock starts to count anew."""
    if row.locked_until is None:
        return
    if row.locked_until > ctx.now():
        raise ApiError(ACCOUNT_TEMPORARILY_LOCKED)
    # Only this lock: another one may have begun meanwhile.
    await secrets.update(
        ctx, {"id": row.id, "locked_until": row.locked_until}, failed_verification_count=0, locked_until=None
    )


async def record_failure(ctx: Context, secrets: Rows[TwoFactorRow], row: TwoFactorRow) -> None:
    """Count a wrong code, and lock the account after too many."""
    counted = await ctx.store.increment_one(secrets.table, equal({"id": row.id}), {"failed_verification_count": 1})
    if counted is not None and counted["failed_verification_count"] >= LOCKED_AFTER:
        # Only if the count still is too high: a right code may have ended the row of wrong ones.
        where = {"id": row.id, "failed_verification_count": counted["failed_verification_count"]}
        await secrets.update(ctx, where, locked_until=ctx.now() + LOCKED_FOR)


async def forgive(ctx: Context, secrets: Rows[TwoFactorRow], row: TwoFactorRow) -> None:
    """Start to count anew after a right code."""
    # Whatever `row` says: a wrong code may have been counted since it was read.
    await secrets.update(ctx, {"id": row.id}, failed_verification_count=0, locked_until=None)
