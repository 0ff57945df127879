"""What differs between databases beyond what SQLAlchemy knows, in one place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, func

from portico.errors import ConfigError, UnstorableError
from portico.schema import Kind
from portico.store.codecs import SQLITE as SQLITE_CODECS
from portico.store.codecs import Codec

LONGEST_PATTERN = 50_000
"""Bytes of a GLOB pattern that SQLite takes."""


@dataclass(frozen=True, kw_only=True)
class Idiom:
    """One database's way of saying what they all can."""

    codecs: Mapping[Kind, Codec]

    types: Mapping[Kind, str]
    """As upstream's migrations write them."""

    folded: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    """Text with ASCII's capitals in lower case and everything else as it is."""

    matches: Callable[[ColumnElement[Any], BindParameter[Any]], ColumnElement[bool]]
    """The comparison of text with a pattern; upper and lower case differ."""

    quote_pattern: Callable[[str], str]
    """Return text so that a pattern finds it literally; `*` is put round it as `wildcard`."""

    wildcard: str

    live_columns: str
    """The statement that lists (table, column) of what the database has."""

    live_indexes: str
    """The statement that lists the names of its indexes."""


def _quote_glob(text: str) -> str:
    quoted = text.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
    if len(quoted.encode()) > LONGEST_PATTERN - 2:
        raise UnstorableError("the text to search for is too long")
    return quoted


SQLITE = Idiom(
    codecs=SQLITE_CODECS,
    types={"string": "text", "number": "integer", "boolean": "integer", "date": "date", "json": "text"},
    folded=func.lower,  # folds ASCII only
    # SQLite's LIKE ignores case, GLOB does not.
    matches=lambda column, pattern: column.op("GLOB", is_comparison=True)(pattern),
    quote_pattern=_quote_glob,
    wildcard="*",
    live_columns=(
        "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'"
    ),
    live_indexes="SELECT name FROM sqlite_master WHERE type = 'index'",
)

IDIOMS: Mapping[str, Idiom] = {"sqlite": SQLITE}


def idiom_of(dialect: str) -> Idiom:
    """Return the idiom of SQLAlchemy's dialect of this name; raise ConfigError if there is none."""
    if dialect not in IDIOMS:
        raise ConfigError(f"no idiom for the dialect {dialect!r}; there is one for: {', '.join(IDIOMS)}")
    return IDIOMS[dialect]
