"""What differs between databases beyond what SQLAlchemy knows, in one place."""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlalchemy import (
    BINARY,
    VARBINARY,
    VARCHAR,
    BindParameter,
    ColumnElement,
    Select,
    String,
    cast,
    collate,
    func,
    literal_column,
    type_coerce,
)

from portico.errors import ConfigError, UnstorableError
from portico.kinds import Kind
from portico.store.adapter import Sort
from portico.store.codecs import MYSQL as MYSQL_CODECS
from portico.store.codecs import POSTGRES as POSTGRES_CODECS
from portico.store.codecs import SQLITE as SQLITE_CODECS
from portico.store.codecs import Codec

# As text: SQLAlchemy would make parameters of them, of a missing OFFSET too, that no caller gives.
ZERO: ColumnElement[int] = literal_column("0")
ONE: ColumnElement[int] = literal_column("1")
LONGEST_ON_MSSQL = 8000
"""Bytes of text with a limit."""
LONGEST_PATTERN = 50_000
"""Bytes of a GLOB pattern that SQLite takes."""


def _first(query: Select[Any]) -> Select[Any]:
    return query.limit(ONE).offset(ZERO)


@dataclass(frozen=True, kw_only=True)
class Idiom:
    """One database's way of saying what they all can."""

    codecs: Mapping[Kind, Codec]

    exact: Callable[[ColumnElement[Any]], ColumnElement[Any]] | None = None
    """Text in a form whose comparison takes no two texts for the same; None where text has it of itself."""

    folded: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    """Text with ASCII's capitals in lower case and everything else as it is."""

    matches: Callable[[ColumnElement[Any], BindParameter[Any]], ColumnElement[bool]]
    """The comparison of text with a pattern; upper and lower case differ."""

    quote_pattern: Callable[[str], str]
    """Return text so that a pattern finds it literally; `*` is put round it as `wildcard`."""

    wildcard: str

    ordered: Callable[[ColumnElement[Any], Sort], ColumnElement[Any]]
    """The column as an ORDER BY names it, NULL before everything else."""

    first: Callable[[Select[Any]], Select[Any]] = _first
    """The query for one row of those that it finds."""

    any_order: ColumnElement[Any] | None = None
    """What an ORDER BY names where the database pages through rows in an order only, and none is wanted."""


def _ordered(column: ColumnElement[Any], sort: Sort) -> ColumnElement[Any]:
    return column.asc() if sort.direction == "asc" else column.desc()


def _ordered_by_name(column: ColumnElement[Any], sort: Sort) -> ColumnElement[Any]:
    if column.key == "id":
        # Never NULL, and with a word about NULL its index would be of no use.
        return _ordered(column, sort)
    return column.asc().nulls_first() if sort.direction == "asc" else column.desc().nulls_last()


def _quote_glob(text: str) -> str:
    quoted = text.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
    if len(quoted.encode()) > LONGEST_PATTERN - 2:
        raise UnstorableError("the text to search for is too long")
    return quoted


def _quote_like(text: str) -> str:
    return text.replace("|", "||").replace("%", "|%").replace("_", "|_")


def _bytes_of(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(cast(column, BINARY), String)


def _folded_bytes(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return _folded_ascii(_bytes_of(column))


def _folded_ascii(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Fold ASCII by hand: LOWER takes the Kelvin sign for a `k` on some databases."""

    def without(before: ColumnElement[Any], capital: str) -> ColumnElement[Any]:
        return func.replace(before, literal_column(f"'{capital}'"), literal_column(f"'{capital.lower()}'"))

    return reduce(without, string.ascii_uppercase, text)


def _exact_on_mssql(column: ColumnElement[Any]) -> ColumnElement[Any]:
    # As bytes: for SQL Server, text with trailing spaces equals text without, in every collation.
    return type_coerce(cast(cast(column, VARCHAR(LONGEST_ON_MSSQL)), VARBINARY(LONGEST_ON_MSSQL)), String)


def _byte_order(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return collate(cast(column, VARCHAR(LONGEST_ON_MSSQL)), "Latin1_General_100_BIN2")


def _folded_on_mssql(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return _folded_ascii(_byte_order(column))


SQLITE = Idiom(
    codecs=SQLITE_CODECS,
    folded=func.lower,  # folds ASCII only
    # SQLite's LIKE ignores case, GLOB does not.
    matches=lambda column, pattern: column.op("GLOB", is_comparison=True)(pattern),
    quote_pattern=_quote_glob,
    wildcard="*",
    ordered=_ordered,
)

POSTGRES = Idiom(
    codecs=POSTGRES_CODECS,
    # In the locale of the database, lower() would fold all of Unicode.
    folded=lambda column: func.lower(collate(column, "C")),
    matches=lambda column, pattern: column.like(pattern, escape="|"),
    quote_pattern=_quote_like,
    wildcard="%",
    ordered=_ordered_by_name,
)

MYSQL = Idiom(
    codecs=MYSQL_CODECS,
    # Its usual collations take upper and lower case, accents and trailing spaces for the same.
    exact=_bytes_of,
    folded=_folded_bytes,
    matches=lambda column, pattern: column.like(pattern, escape="|"),
    quote_pattern=_quote_like,
    wildcard="%",
    ordered=_ordered,
)

MSSQL = Idiom(
    codecs=MYSQL_CODECS,
    exact=_exact_on_mssql,
    folded=_folded_on_mssql,
    matches=lambda column, pattern: _byte_order(column).like(pattern, escape="|"),
    quote_pattern=lambda text: _quote_like(text).replace("[", "|["),
    wildcard="%",
    ordered=_ordered,
    first=lambda query: query.prefix_with("TOP 1"),
    any_order=literal_column("(SELECT NULL)"),
)
"""Compiled for whoever brings an Executor of their own: no driver of SQL Server is served here."""

IDIOMS: Mapping[str, Idiom] = {
    "sqlite": SQLITE,
    "postgresql": POSTGRES,
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "mssql": MSSQL,
}


def idiom_of(dialect: str) -> Idiom:
    """Return the idiom of SQLAlchemy's dialect of this name; raise ConfigError if there is none."""
    if dialect not in IDIOMS:
        raise ConfigError(f"no idiom for the dialect {dialect!r}; there is one for: {', '.join(IDIOMS)}")
    return IDIOMS[dialect]
