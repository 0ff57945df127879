"""Trusted devices: a signed cookie that names a row of its user, and that each sign-in replaces."""

from portico.context import Context
from portico.crypto.random import random_url_safe
from portico.models import User
from portico.store.adapter import Where

TRUST_DEVICE = "trust_device"
LIFETIME = 30 * 24 * 60 * 60
"""How long a device that is not used stays trusted, in seconds."""


async def trust(ctx: Context, user: User) -> None:
    """Let the user's browser skip the second step from now on."""
    _send(ctx, user, await _remember(ctx, user))


async def recognize(ctx: Context, user: User) -> bool:
    """Tell whether `user` trusts this browser; each cookie says so once, and the reply carries the next one."""
    value = ctx.cookies.read(ctx.headers, TRUST_DEVICE)
    if not value:
        return False
    tag, _, identifier = value.partition("!")
    renewed = await _renew(ctx, user, identifier) if ctx.auth.signer.is_tag(_bound(user, identifier), tag) else None
    if renewed is None:
        ctx.expire_cookie(TRUST_DEVICE)
        return False
    _send(ctx, user, renewed)
    return True


async def forget(ctx: Context, user: User) -> None:
    """Ask for the second step in this browser again."""
    value = ctx.cookies.read(ctx.headers, TRUST_DEVICE)
    if not value:
        return
    _, _, identifier = value.partition("!")
    await ctx.auth.verifications.delete(ctx, identifier=identifier, value=user.id)
    ctx.expire_cookie(TRUST_DEVICE)


async def _remember(ctx: Context, user: User) -> str:
    identifier = f"trust-device-{random_url_safe(32)}"
    await ctx.auth.verifications.put(ctx, identifier, user.id, LIFETIME)
    return identifier


async def _renew(ctx: Context, user: User, identifier: str) -> str | None:
    """Replace the row by a new one if it is live; of many callers at once, one does."""
    live = Where("expires_at", ctx.now(), "gt")
    async with ctx.transaction() as inside:
        if not await inside.auth.verifications.delete(inside, live, identifier=identifier, value=user.id):
            return None
        return await _remember(inside, user)


def _send(ctx: Context, user: User, identifier: str) -> None:
    tag = ctx.auth.signer.tag(_bound(user, identifier))
    ctx.set_cookie(TRUST_DEVICE, f"{tag}!{identifier}", LIFETIME)


def _bound(user: User, identifier: str) -> bytes:
    return f"{user.id}!{identifier}".encode()
