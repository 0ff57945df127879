"""What the ids of rows are and who makes them; in Python and on the wire an id is text, whatever the database keeps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal
from uuid import UUID

from portico.crypto.digest import hash_token
from portico.crypto.random import random_letters, random_uuid
from portico.kinds import Kind

IdStrategy = Literal["uuid", "serial", "database"] | Callable[[str], str] | None
LARGEST_SERIAL = 2**31 - 1
"""Some databases keep serial ids in 32 bits."""


@dataclass(frozen=True, kw_only=True)
class Ids:
    """The ids of one table."""

    kind: Kind = "string"
    references: Kind = "string"
    """The kind of the ids that columns of this table point to."""
    make: Callable[[str], str] | None = None
    """Returns a new id for a table of this name; None if the database makes it."""

    def new(self, table: str) -> str | None:
        """Return the id of a new row; None if the database makes it."""
        return None if self.make is None else self.make(table)

    def made_of(self, text: str) -> str:
        """Return the id that belongs to `text`: always the same, and no other text's."""
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
        if self.kind == "uuid":
            return str(UUID(bytes=digest[:16], version=5))
        if self.kind == "serial":
            # Below zero, where the database makes none. Two texts that share one, of two thousand million, are refused.
            return str(-1 - int.from_bytes(digest[:4]) % LARGEST_SERIAL)
        # As long as other ids: some databases have columns for no more.
        return hash_token(text)[:32]

    def beside(self) -> "Ids":
        """Return the same for rows that are in no database, which therefore makes none."""
        return self if self.make is not None else replace(self, kind="string", make=_letters)


def _letters(table: str) -> str:
    return random_letters()


def _uuid(table: str) -> str:
    return random_uuid()


LETTERS = Ids(make=_letters)


def ids_of(strategy: IdStrategy) -> Ids:
    """Return what `advanced.database.generate_id` says; raise ConfigError if it says nothing that is known."""
    if strategy is None:
        return LETTERS
    if strategy == "uuid":
        return Ids(kind="uuid", references="uuid", make=_uuid)
    if strategy == "serial":
        return Ids(kind="serial", references="serial")
    if strategy == "database":
        return Ids()
    return Ids(make=strategy)
