"""What is behind a user code: found as people write it, claimed by who looks first, decided by who claimed it."""

import re

from portico import admission
from portico.context import Context
from portico.crypto.random import Alphabet
from portico.errors import ApiError, ErrorCode
from portico.models import User
from portico.plugins.device_authorization.declarations import (
    ALREADY_PROCESSED,
    AUTHENTICATION_REQUIRED,
    EXPIRED_USER_CODE,
    INVALID_USER_CODE,
    NOT_CLAIMED,
    STATES,
    Decision,
    DeviceCodeRow,
)

LEGIBLE = Alphabet("ABCDEFGHJKLMNPQRSTUVWXYZ23456789")
"""Of user codes: nothing that looks like something else."""
WRITTEN = re.compile(f"[{LEGIBLE.letters}]+")


async def caller(ctx: Context) -> User | None:
    """Return who is signed in, as the store knows it."""
    await admission.read(ctx, authoritative=True)
    return None if ctx.session is None else ctx.session.user


async def live(ctx: Context, user_code: str) -> DeviceCodeRow:
    """Return the request of a user code, as it is or as people write it."""
    rows = ctx.auth.rows(DeviceCodeRow)
    row = await rows.find(ctx, user_code=user_code)
    plain = re.sub(r"[^A-Za-z0-9]", "", user_code).upper()
    if row is None and plain != user_code and WRITTEN.fullmatch(plain):
        row = await rows.find(ctx, user_code=plain)
    if row is None or row.status not in STATES:
        raise ApiError(INVALID_USER_CODE)
    if row.expires_at < ctx.now():
        raise ApiError(EXPIRED_USER_CODE)
    return row


async def claimed(ctx: Context, row: DeviceCodeRow, user: User) -> DeviceCodeRow:
    """Return a request that a user looks at; it belongs to the first who does."""
    if row.user_id is not None or row.status != "pending":
        return row
    unclaimed = {"id": row.id, "status": "pending", "user_id": None}
    mine = await ctx.auth.rows(DeviceCodeRow).update(ctx, unclaimed, user_id=user.id)
    return mine or await live(ctx, row.user_code)


def check_undecided(row: DeviceCodeRow, user: User, foreign: ErrorCode) -> None:
    """Refuse a user who may not decide about a request: it is decided, nobody has looked at it, or it is another's."""
    if row.status != "pending":
        raise ApiError(ALREADY_PROCESSED)
    if row.user_id is None:
        raise ApiError(NOT_CLAIMED)
    if row.user_id != user.id:
        raise ApiError(foreign)


async def decide(ctx: Context, user: User | None, user_code: str, decision: Decision, foreign: ErrorCode) -> None:
    """Decide about a request for its user, once."""
    if user is None:
        raise ApiError(AUTHENTICATION_REQUIRED)
    row = await live(ctx, user_code)
    check_undecided(row, user, foreign)
    pending = {"id": row.id, "status": "pending", "user_id": user.id}
    if await ctx.auth.rows(DeviceCodeRow).update(ctx, pending, status=decision) is None:
        raise ApiError(ALREADY_PROCESSED)
