"""Since when an account is its owner's: what is older of sign-ins and trusted devices was somebody else's.

Where a database has verifications, those that name a user are deleted when the mailbox is proven. In secondary storage
alone nothing is found by whom it names, so there they are refused by their age.
"""

from datetime import datetime

from portico.context import Context
from portico.models import User
from portico.wire import parse_timestamp, timestamp


async def begin(ctx: Context, user: User, lifetime: int) -> None:
    """Refuse what is older than now, for as many seconds as any of it could live."""
    if not ctx.auth.verifications.is_in_database:
        await ctx.auth.verifications.put(ctx, _name(user), timestamp(ctx.now()), lifetime)


async def since(ctx: Context, user: User) -> datetime | None:
    """Return the moment that nothing of `user` may be older than, if there is one."""
    if ctx.auth.verifications.is_in_database:
        return None
    noted = parse_timestamp(await ctx.auth.verifications.get(ctx, _name(user)))
    return noted if isinstance(noted, datetime) else None


def _name(user: User) -> str:
    return f"2fa-owner-since-{user.id}"
