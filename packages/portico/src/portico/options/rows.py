"""Options of accounts, verifications and rows in general."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

StoreIdentifier = Literal["plain", "hashed"] | Callable[[str], str | Awaitable[str]]
"""How identifiers of verifications are stored: as they are, as SHA-256 in base64url, or as your function has it."""


@dataclass(frozen=True, kw_only=True)
class TableNames:
    """What a table and its columns are called in the database; wire and Python names stay as they are."""

    model_name: str | None = None
    """The name of the table."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Names of columns by their names in Python, such as `{"email_verified": "is_verified"}`; `id` keeps its name."""


@dataclass(frozen=True, kw_only=True)
class AccountLinking:
    """How accounts come to a user and leave again."""

    allow_unlinking_all: bool = False
    """A user may unlink their last account, and then cannot sign in any more."""


@dataclass(frozen=True, kw_only=True)
class AccountOptions(TableNames):
    """Accounts: the ways in which a user signs in; and the names of their table."""

    account_linking: AccountLinking = field(default_factory=AccountLinking)

    encrypt_oauth_tokens: bool | None = None
    """Tokens of providers are encrypted in the database, so that a copy of it opens nobody's account elsewhere. Tokens
    that are stored in the clear stay readable until they are refreshed. None: with `security="strict"`."""

    store_account_cookie: bool = False
    """The browser holds an account with its tokens in an encrypted cookie, for calls with `useAccountCookie`."""


@dataclass(frozen=True, kw_only=True)
class IdentifiersByPrefix:
    """Identifiers that are stored in different ways."""

    default: StoreIdentifier = "plain"
    """For those that no prefix fits."""

    overrides: Mapping[str, StoreIdentifier] = field(default_factory=dict[str, Any])
    """By prefix, such as `reset-password:`; the first that fits counts."""


@dataclass(frozen=True, kw_only=True)
class VerificationOptions(TableNames):
    """Verifications: the tokens of mails, codes and challenges, which live for minutes; and the names of their
    table."""

    store_identifier: StoreIdentifier | IdentifiersByPrefix | None = None
    """`hashed` lets nobody who reads the database follow a link that was mailed. A function of your own returns the
    same name for the same identifier. Rows that were stored plain before are still found. None: plain; hashed with
    `security="strict"`."""

    disable_cleanup: bool = False
    """What has expired stays in the database; without it, it is deleted once a minute at most."""

    store_in_database: bool = False
    """With secondary storage, which verifications move to: keep them in the database as well, which then decides.
    Without secondary storage they always are there."""


@dataclass(frozen=True, kw_only=True)
class DatabaseOptions:
    """How rows are kept."""

    generate_id: Literal["uuid", "serial", "database"] | Callable[[str], str] | None = None
    """What ids are. None: 32 random letters. `uuid`: random UUIDs. `serial`: numbers that the database counts, with
    which everybody can tell how many users there are, and sign-up whether an address is taken. `database`: text that
    the database makes, by a default of the column. Or a function of the table's name, such as "user". A database that
    has rows cannot change from numbers to text or back."""

    default_find_many_limit: int = 100
    """The most rows that a list has for which nobody says how many."""
