"""Trusted devices: a signed cookie that names a row of its user, and that each sign-in replaces."""

from portico.context import Context
from portico.crypto.random import random_url_safe
from portico.models import User
from portico.plugins.two_factor import ownership
from portico.store.adapter import Where

TRUST_DEVICE = "trust_device"


async def trust(ctx: Context, user: User, lifetime: int) -> None:
    """Let the user's browser skip the second step for `lifetime` seconds."""
    _send(ctx, user, await _remember(ctx, user, lifetime), lifetime)


async def recognize(ctx: Context, user: User, lifetime: int) -> bool:
    """Tell whether `user` trusts this browser; each cookie says so once, and the reply carries the next one."""
    value = ctx.cookies.read(ctx.headers, TRUST_DEVICE)
    if not value:
        return False
    tag, _, identifier = value.partition("!")
    is_bound = ctx.auth.signer.is_tag(_bound(user, identifier), tag)
    renewed = await _renew(ctx, user, identifier, lifetime) if is_bound else None
    if renewed is None:
        ctx.expire_cookie(TRUST_DEVICE)
        return False
    _send(ctx, user, renewed, lifetime)
    return True


async def forget(ctx: Context, user: User) -> None:
    """Ask for the second step in this browser again."""
    value = ctx.cookies.read(ctx.headers, TRUST_DEVICE)
    if not value:
        return
    _, _, identifier = value.partition("!")
    await ctx.auth.verifications.delete(ctx, identifier=identifier, value=user.id)
    ctx.expire_cookie(TRUST_DEVICE)


async def _remember(ctx: Context, user: User, lifetime: int) -> str:
    identifier = f"trust-device-{random_url_safe(32)}"
    await ctx.auth.verifications.put(ctx, identifier, user.id, lifetime)
    return identifier


async def _renew(ctx: Context, user: User, identifier: str, lifetime: int) -> str | None:
    """Replace the row by a new one if it is live; of many callers at once, one does."""
    since = await ownership.since(ctx, user)
    live = [Where("expires_at", ctx.now(), "gt"), *([Where("created_at", since, "gte")] if since else [])]
    async with ctx.transaction() as inside:
        if not await inside.auth.verifications.delete(inside, *live, identifier=identifier, value=user.id):
            return None
        return await _remember(inside, user, lifetime)


def _send(ctx: Context, user: User, identifier: str, lifetime: int) -> None:
    tag = ctx.auth.signer.tag(_bound(user, identifier))
    ctx.set_cookie(TRUST_DEVICE, f"{tag}!{identifier}", lifetime)


def _bound(user: User, identifier: str) -> bytes:
    return f"{user.id}!{identifier}".encode()
