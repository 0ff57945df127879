"""Codes of the authenticator app, each of whose time steps works once. See RFC 6238."""

from portico.context import Context
from portico.crypto.otp import totp_code, totp_step, totp_uri
from portico.crypto.symmetric import DecryptionError
from portico.plugins.two_factor.declarations import TwoFactorRow
from portico.plugins.two_factor.options import TotpOptions

STEPS_REMEMBERED = 5
"""How many steps a used one is remembered for; its code is refused as too old well before."""


def code_of(ctx: Context, options: TotpOptions, secret: str) -> str:
    """Return the code that an app with `secret` shows now."""
    return totp_code(secret, _step(ctx, options), digits=options.digits)


def uri(options: TotpOptions, secret: str, *, issuer: str, account: str) -> str:
    """Return what an app reads from the QR code of `secret`."""
    return totp_uri(secret, issuer=issuer, account=account, digits=options.digits, period=options.period)


def secret_of(ctx: Context, row: TwoFactorRow) -> str | None:
    """Return the secret that an app was set up with; None if the server cannot decrypt it any more."""
    try:
        return ctx.auth.cabinet.decrypt(row.secret)
    except DecryptionError as error:
        ctx.auth.logger.warning("the authenticator secret of user %s cannot be decrypted: %s", row.user_id, error)
        return None


async def spend_code(ctx: Context, options: TotpOptions, row: TwoFactorRow, code: str) -> bool:
    """Tell whether the authenticator app shows `code` now and nobody has used it yet."""
    secret = secret_of(ctx, row)
    step = None if secret is None else totp_step(secret, code, _step(ctx, options), digits=options.digits)
    if step is None:
        return False
    # Upstream takes the same code again within its window; here each time step works once.
    lifetime = STEPS_REMEMBERED * options.period
    return await ctx.auth.verifications.claim(ctx, f"2fa-step-{row.id}-{step}", lifetime)


def _step(ctx: Context, options: TotpOptions) -> int:
    return int(ctx.now().timestamp()) // options.period
