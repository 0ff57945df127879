"""Codes that are sent, each kept as `<code>:<guesses>` until it is used, too old, or guessed at too often."""

import hmac
from collections.abc import Awaitable
from dataclasses import dataclass

from portico.context import Context
from portico.crypto.digest import hash_token
from portico.crypto.random import random_digits
from portico.crypto.symmetric import Cabinet, DecryptionError
from portico.errors import ApiError
from portico.plugins.two_factor.declarations import OTP_HAS_EXPIRED, TOO_MANY_ATTEMPTS
from portico.plugins.two_factor.options import OtpOptions, Sealing


@dataclass(frozen=True)
class MailedCodes:
    """Makes, keeps and spends codes as the options say; `key` is what a code is for."""

    options: OtpOptions
    cabinet: Cabinet

    async def new(self, ctx: Context, key: str) -> str:
        """Return a code that is good for a while."""
        code = random_digits(self.options.digits)
        await ctx.auth.verifications.put(
            ctx, _identifier(key), f"{await self._stored(code)}:0", self.options.expires_in
        )
        return code

    async def count_attempt(self, ctx: Context, key: str) -> str:
        """Count an attempt at the newest code for `key` before it is looked at, and return that code as it is stored.

        Guesses that are sent at once are counted, too. So more calls at once than a code has attempts may end it
        unused, whatever they say.

        Raises:
            ApiError: there is no code, or no longer, or there were too many wrong guesses, which ends it.
        """
        verifications, identifier = ctx.auth.verifications, _identifier(key)
        while (kept := await verifications.get(ctx, identifier)) is not None:
            stored, guesses = _read(kept)
            if guesses is None or guesses >= self.options.allowed_attempts:
                await verifications.delete(ctx, identifier=identifier)
                raise ApiError(TOO_MANY_ATTEMPTS)
            if await verifications.swap(ctx, identifier, kept, f"{stored}:{guesses + 1}"):
                return stored
        raise ApiError(OTP_HAS_EXPIRED)

    async def spend(self, ctx: Context, key: str, stored: str, code: str) -> bool:
        """Tell whether `code` is what is `stored` for `key`; of many callers at once with it, one is told so."""
        if not await self._matches(stored, code):
            return False
        taken = await ctx.auth.verifications.take(ctx, _identifier(key))
        # One that was sent meanwhile has taken this one's place.
        return taken is not None and _read(taken)[0] == stored

    async def _stored(self, code: str) -> str:
        """Return a code as its row holds it."""
        match self.options.store_otp:
            case "plain":
                return code
            case "encrypted":
                return self.cabinet.encrypt(code)
            case "hashed":
                return hash_token(code)
            case Sealing(encrypt=transform) | transform:
                done = transform(code)
                return await done if isinstance(done, Awaitable) else done

    async def _matches(self, stored: str, code: str) -> bool:
        match self.options.store_otp:
            case "encrypted":
                opened = self._opened(stored)
                return opened is not None and _are_equal(opened, code)
            case Sealing(decrypt=transform):
                done = transform(stored)
                return _are_equal(await done if isinstance(done, Awaitable) else done, code)
            case _:
                return _are_equal(stored, await self._stored(code))

    def _opened(self, stored: str) -> str | None:
        try:
            return self.cabinet.decrypt(stored)
        except DecryptionError:
            # Stored in another way, before the options said so: no code is this.
            return None


def _identifier(key: str) -> str:
    return f"2fa-otp-{key}"


def _read(kept: str) -> tuple[str, int | None]:
    stored, _, guesses = kept.rpartition(":")
    return stored, int(guesses) if guesses.isdecimal() else None


def _are_equal(kept: str, code: str) -> bool:
    # A hostile code may hold lone surrogates; they must fail the comparison, not the request.
    return hmac.compare_digest(kept.encode(), code.encode("utf-8", "surrogatepass"))
