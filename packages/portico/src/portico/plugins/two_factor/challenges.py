"""Challenges: sign-ins that wait for their second step, each with a few attempts at it."""

from dataclasses import dataclass
from typing import Generic

from portico.context import Context
from portico.crypto.random import random_url_safe
from portico.errors import ApiError
from portico.models import User, UserT
from portico.plugins.two_factor import ownership
from portico.plugins.two_factor.declarations import INVALID_TWO_FACTOR_COOKIE, TOO_MANY_ATTEMPTS
from portico.users import Users

TWO_FACTOR = "two_factor"
PREFIX = "2fa-"
ATTEMPTS = 5


@dataclass(frozen=True)
class PendingSignIn(Generic[UserT]):
    """A sign-in that waits for its second step."""

    identifier: str
    user: UserT


async def issue(ctx: Context, user: User, lifetime: int) -> None:
    """Remember for `lifetime` seconds that `user` gave the first proof, and let the browser name that sign-in."""
    identifier = f"{PREFIX}{random_url_safe(20)}"
    await ctx.auth.verifications.put(ctx, identifier, user.id, lifetime)
    await ctx.auth.verifications.put(ctx, _attempts(identifier), "0", lifetime)
    ctx.set_cookie(TWO_FACTOR, identifier, lifetime)


async def pending(ctx: Context, users: Users[UserT]) -> PendingSignIn[UserT]:
    """Return the sign-in that the browser names; `count_attempt` refuses it when it is too old.

    Raises:
        ApiError: there is none.
    """
    identifier = ctx.cookies.read(ctx.headers, TWO_FACTOR)
    # Other cookies name other verifications under the same signature.
    named = await ctx.auth.verifications.find(ctx, identifier=identifier) if _is_challenge(identifier) else None
    user = await users.find(ctx, id=named.value) if named else None
    if identifier is None or named is None or user is None:
        raise ApiError(INVALID_TWO_FACTOR_COOKIE)
    since = await ownership.since(ctx, user)
    if since is not None and named.created_at < since:
        raise ApiError(INVALID_TWO_FACTOR_COOKIE)
    return PendingSignIn(identifier, user)


async def count_attempt(ctx: Context, sign_in: PendingSignIn[UserT]) -> None:
    """Count one attempt, before its code is looked at: guesses that are sent at once are counted, too.

    Raises:
        ApiError: the sign-in is too old, or there were enough attempts, which ends it.
    """
    verifications, attempts = ctx.auth.verifications, _attempts(sign_in.identifier)
    # The count expires with the challenge, so that no count means no challenge.
    while (used := await verifications.get(ctx, attempts)) is not None:
        if not used.isdecimal() or int(used) >= ATTEMPTS:
            await verifications.delete(ctx, identifier=sign_in.identifier)
            await verifications.delete(ctx, identifier=attempts)
            ctx.expire_cookie(TWO_FACTOR)
            raise ApiError(TOO_MANY_ATTEMPTS)
        if await verifications.swap(ctx, attempts, used, str(int(used) + 1)):
            return
    raise ApiError(INVALID_TWO_FACTOR_COOKIE)


async def complete(ctx: Context, sign_in: PendingSignIn[UserT]) -> None:
    """End the wait; of many callers at once, one does.

    Raises:
        ApiError: somebody else completed it.
    """
    if await ctx.auth.verifications.take(ctx, sign_in.identifier) is None:
        ctx.expire_cookie(TWO_FACTOR)
        raise ApiError(INVALID_TWO_FACTOR_COOKIE)
    await ctx.auth.verifications.delete(ctx, identifier=_attempts(sign_in.identifier))


def _is_challenge(identifier: str | None) -> bool:
    return identifier is not None and identifier.startswith(PREFIX)


def _attempts(identifier: str) -> str:
    return f"2fa-attempts-{identifier}"
