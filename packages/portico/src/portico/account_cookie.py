"""The account cookie: the account by which somebody signed in, with its tokens, encrypted in the browser.

It lets server code use the tokens where no database keeps accounts.
"""

from collections.abc import Mapping
from copy import copy
from typing import Any

from portico.cookies import ACCOUNT_DATA, Cookies, Line
from portico.crypto.keyring import Keyring
from portico.http import Headers
from portico.models import Account
from portico.schema import Table
from portico.wire import to_wire

SALT = "better-auth-account"
NAMES = ("id", "userId", "providerId", "accountId")
"""What every account has."""


class AccountCookie:
    """Reads and writes the account cookie of one Auth."""

    def __init__(self, table: Table[Account], cookies: Cookies, keyring: Keyring, max_age: int) -> None:
        """Take how long the cookie lasts, in seconds."""
        # Its library takes longer to import than all the rest of the package.
        from portico.crypto.jwe import Envelope  # noqa: PLC0415

        self._table = table
        self._cookies = cookies
        self._max_age = max_age
        self._envelope = Envelope(keyring, SALT)

    def at(self, cookies: Cookies) -> "AccountCookie":
        """Return the same under the attributes of another place of the Auth."""
        there = copy(self)
        there._cookies = cookies
        return there

    def read(self, headers: Headers, now: int) -> Account | None:
        """Return the account that a browser holds, or None when anything is wrong with it; `now` is in unix seconds."""
        value = self._cookies.read_chunked(headers, ACCOUNT_DATA)
        claims = None if value is None else self._envelope.unseal(value, now)
        if claims is None or not all(isinstance(claims.get(name), str) for name in NAMES):
            return None
        return self._table.from_wire(claims)

    def write(self, account: Account, headers: Headers, now: int) -> list[Line]:
        """Return the headers that give a browser the account."""
        value = self._envelope.seal(self._claims(account), self._max_age, now)
        return self._cookies.write_chunked(ACCOUNT_DATA, value, self._max_age, headers)

    def expire(self, headers: Headers) -> list[Line]:
        """Return the headers that make a browser forget the account."""
        return self._cookies.expire_chunked(ACCOUNT_DATA, headers)

    def _claims(self, account: Account) -> Mapping[str, Any]:
        return {field.wire: to_wire(getattr(account, field.name)) for field in self._table.fields.values()}
