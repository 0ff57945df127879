"""Backup codes: written down by the user, kept as one list, each taken off it when it is used."""

import hmac
import json
from collections.abc import Awaitable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from portico.context import Context
from portico.crypto.random import random_letters
from portico.crypto.symmetric import Cabinet, DecryptionError
from portico.plugins.two_factor.declarations import TwoFactorRow
from portico.plugins.two_factor.options import BackupCodeOptions, Transform
from portico.store.rows import Rows

HALF = 5
LIST = TypeAdapter(list[str])


@dataclass(frozen=True)
class BackupCodeList:
    """Makes, keeps and spends the backup codes of users as the options say."""

    options: BackupCodeOptions
    cabinet: Cabinet

    def new(self) -> list[str]:
        """Return codes as the user writes them down."""
        if self.options.generate is not None:
            return list(self.options.generate())
        drawn = [random_letters(self.options.length) for _ in range(self.options.amount)]
        return [f"{code[:HALF]}-{code[HALF:]}" for code in drawn]

    async def sealed(self, codes: list[str]) -> str:
        """Return codes as their column holds them."""
        text = json.dumps(codes, ensure_ascii=False, separators=(",", ":"))
        match self.options.store:
            case "plain":
                return text
            case "encrypted":
                return self.cabinet.encrypt(text)
            case own:
                return await _apply(own.encrypt, text)

    async def opened(self, row: TwoFactorRow) -> list[str] | None:
        """Return the codes that are left; None if the column holds anything but a list."""
        match self.options.store:
            case "plain":
                text = row.backup_codes
            case "encrypted":
                try:
                    text = self.cabinet.decrypt(row.backup_codes)
                except DecryptionError:
                    # Stored in another way, or under a secret that the server no longer knows.
                    return None
            case own:
                text = await _apply(own.decrypt, row.backup_codes)
        return _read(text)

    async def spend(self, ctx: Context, secrets: Rows[TwoFactorRow], row: TwoFactorRow, code: str) -> bool:
        """Tell whether `code` is one of the row's backup codes, and take it off the list."""
        found = row
        while True:
            codes = await self.opened(found) or []
            # Every code is compared, so that the time taken does not tell which one it was.
            left = [each for each in codes if not hmac.compare_digest(_bytes(each), _bytes(code))]
            if len(left) == len(codes):
                return False
            # Only if the list still is what was looked at: the same code at the same time works once.
            where = {"id": found.id, "backup_codes": found.backup_codes}
            if await secrets.update(ctx, where, backup_codes=await self.sealed(left)) is not None:
                return True
            changed = await secrets.find(ctx, id=row.id)
            if changed is None:
                return False
            found = changed


async def _apply(transform: Transform, text: str) -> str:
    done = transform(text)
    return await done if isinstance(done, Awaitable) else done


def _read(text: str) -> list[str] | None:
    try:
        return LIST.validate_json(text)
    except ValidationError:
        return None


def _bytes(code: str) -> bytes:
    # A hostile code may hold lone surrogates; they must fail the comparison, not the request.
    return code.encode("utf-8", "surrogatepass")
