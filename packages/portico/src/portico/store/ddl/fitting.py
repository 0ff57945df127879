"""Whether a column that is there can hold what a field holds, and if not, what to tell."""

from collections.abc import Mapping
from typing import Final

from portico.kinds import Kind
from portico.store.ddl.definitions import ColumnDefinition
from portico.store.ddl.dialects import DialectName
from portico.store.ddl.live import LiveColumn

LONG_ENOUGH: Final = 8000
"""Characters that text without a limit should be able to hold, where a column has one."""


def misfit(column: ColumnDefinition, live: LiveColumn, dialect: DialectName) -> str | None:
    """Return why the live column cannot serve, as the end of a sentence about it; None if it can."""
    narrower = NARROWER.get(dialect, {}).get(live.type)
    if narrower is not None and column.kind in narrower:
        return f"is {live.declared} and holds less than {column.type}"
    if not _takes(column, live, dialect):
        return f"is {live.declared or 'without a type'}, not {column.type}"
    needed = LONG_ENOUGH if column.width is None else column.width
    if column.kind == "string" and live.size is not None and dialect != "sqlite" and live.size < needed:
        return f"is {live.declared} and holds less than {column.type}"
    if live.nullable or not column.nullable:
        return None
    return "must not be NULL in the database, and None is among its values"


def _takes(column: ColumnDefinition, live: LiveColumn, dialect: DialectName) -> bool:
    if dialect == "sqlite":
        return _affinity(live.type) in AFFINITIES[column.kind]
    types = TYPES[dialect]
    if column.field.is_fractional and column.kind == "number":
        return live.type in types["fraction"]
    if column.field.column.big:
        return live.type == "bigint"
    return live.type in types[column.kind]


def _affinity(declared: str) -> str:
    """Return how SQLite treats values of a column: see "Datatypes In SQLite", section 3.1."""
    for words, affinity in (
        (("int",), "integer"),
        (("char", "clob", "text"), "text"),
        (("blob",), "blob"),
        (("real", "floa", "doub"), "real"),
    ):
        if any(word in declared for word in words):
            return affinity
    return "numeric" if declared else "blob"


NUMERIC: Final = frozenset({"integer", "numeric", "real"})
# Numbers would be made of text that looks like one.
TEXTUAL: Final = frozenset({"text", "blob"})
AFFINITIES: Final[Mapping[Kind, frozenset[str]]] = {
    "string": TEXTUAL,
    "uuid": TEXTUAL,
    "json": TEXTUAL,
    "string[]": TEXTUAL,
    "number[]": TEXTUAL,
    # A type with "date" in it is numeric to SQLite, and dates do not look like numbers.
    "date": frozenset({"text", "blob", "numeric"}),
    "boolean": NUMERIC,
    "number": NUMERIC,
    "serial": frozenset({"integer", "numeric"}),
}

Types = Mapping[str, frozenset[str]]


def _types(json: frozenset[str], **kinds: frozenset[str]) -> Types:
    return {**kinds, "json": json, "string[]": json, "number[]": json}


MYSQL_TEXT: Final = frozenset({"varchar", "char", "text", "mediumtext", "longtext"})
TYPES: Final[Mapping[DialectName, Types]] = {
    "postgresql": _types(
        frozenset({"jsonb", "json", "text"}),
        string=frozenset({"text", "character varying", "citext"}),
        number=frozenset({"integer", "bigint"}),
        fraction=frozenset({"double precision"}),
        boolean=frozenset({"boolean"}),
        date=frozenset({"timestamp with time zone", "timestamp without time zone"}),
        uuid=frozenset({"uuid"}),
        serial=frozenset({"integer", "bigint"}),
    ),
    "mysql": _types(
        frozenset({"json", "longtext", "mediumtext", "text"}),
        string=MYSQL_TEXT,
        number=frozenset({"int", "integer", "bigint"}),
        fraction=frozenset({"double"}),
        boolean=frozenset({"tinyint", "boolean"}),
        date=frozenset({"timestamp", "datetime"}),
        uuid=frozenset({"varchar", "char", "uuid"}),
        serial=frozenset({"int", "integer", "bigint"}),
    ),
}
"""Which types a driver takes and gives the values of a kind in."""

SMALL: Final = frozenset[Kind]({"number", "serial"})
NARROWER: Final[Mapping[DialectName, Mapping[str, frozenset[Kind]]]] = {
    "postgresql": {"smallint": SMALL, "real": SMALL},
    "mysql": {
        "tinyint": SMALL,
        "smallint": SMALL,
        "mediumint": SMALL,
        "float": SMALL,
        "tinytext": frozenset[Kind]({"string", "json", "string[]", "number[]"}),
    },
}
"""Types that hold some of the values of a kind."""
