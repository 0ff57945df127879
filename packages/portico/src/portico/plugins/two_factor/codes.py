"""Codes of the second step: those of the authenticator app and the backup codes; each works once."""

import hmac
import json

from portico.context import Context
from portico.crypto.otp import PERIOD, totp_step
from portico.crypto.random import random_letters
from portico.crypto.symmetric import Cabinet
from portico.plugins.two_factor.declarations import TwoFactorRow
from portico.store.rows import Rows

BACKUP_CODES = 10
STEP_LIFETIME = 5 * PERIOD
"""How long a used time step is remembered, in seconds; its code is refused as too old well before."""


async def spend_code(ctx: Context, row: TwoFactorRow, code: str) -> bool:
    """Tell whether the authenticator app shows `code` now and nobody has used it yet."""
    now = int(ctx.now().timestamp()) // PERIOD
    step = totp_step(ctx.auth.cabinet.decrypt(row.secret), code, now)
    # Upstream takes the same code again within its window; here each time step works once.
    return step is not None and await ctx.auth.verifications.claim(ctx, f"2fa-step-{row.id}-{step}", STEP_LIFETIME)


async def spend_backup_code(ctx: Context, secrets: Rows[TwoFactorRow], row: TwoFactorRow, code: str) -> bool:
    """Tell whether `code` is one of the row's backup codes, and take it off the list."""
    cabinet, found = ctx.auth.cabinet, row
    while True:
        codes: list[str] = json.loads(cabinet.decrypt(found.backup_codes))
        # Every code is compared, so that the time taken does not tell which one it was.
        left = [each for each in codes if not hmac.compare_digest(each.encode(), _bytes(code))]
        if len(left) == len(codes):
            return False
        # Only if the list still is what was looked at: the same code at the same time works once.
        where = {"id": found.id, "backup_codes": found.backup_codes}
        if await secrets.update(ctx, where, backup_codes=sealed(cabinet, left)) is not None:
            return True
        changed = await secrets.find(ctx, id=row.id)
        if changed is None:
            return False
        found = changed


def new_backup_codes() -> list[str]:
    """Return backup codes as the user writes them down."""
    return [f"{random_letters(5)}-{random_letters(5)}" for _ in range(BACKUP_CODES)]


def sealed(cabinet: Cabinet, codes: list[str]) -> str:
    """Return backup codes as their column holds them."""
    return cabinet.encrypt(json.dumps(codes, separators=(",", ":")))


def _bytes(code: str) -> bytes:
    # A hostile code may hold lone surrogates; they must fail the comparison, not the request.
    return code.encode("utf-8", "surrogatepass")
