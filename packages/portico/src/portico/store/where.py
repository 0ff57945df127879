"""What conditions mean, whatever store answers them.

NULL is as in SQL: `eq None` finds it, `ne None` everything else, and no other comparison is true of it, `ne "x"` and
`not_in ["x"]` included. An empty `in` finds nothing, an empty `not_in` everything.
"""

from typing import Any, Final

from portico.errors import ConfigError, UnstorableError
from portico.schema import Field, Table
from portico.store.adapter import Operator, Where

LISTS: Final[frozenset[Operator]] = frozenset({"in", "not_in"})
PATTERNS: Final[frozenset[Operator]] = frozenset({"contains", "starts_with", "ends_with"})
MOST_LISTED: Final = 16_384
"""Values in one list; SQLite takes 32,766 parameters in a statement."""


def field_of(table: Table[Any], name: str) -> Field:
    """Return the field of a condition or a change; raise ConfigError if the table has none of that name."""
    field = table.fields.get(name)
    if field is None:
        raise ConfigError(f"{table.name} has no field {name!r}; it has: {', '.join(table.fields)}")
    return field


def is_text(table: Table[Any], where: Where) -> bool:
    """Tell whether the condition is on text; raise UnstorableError if it must be and is not."""
    field = field_of(table, where.field)
    if where.operator in PATTERNS and field.kind != "string":
        raise UnstorableError(f"{where.operator} is for text; {table.name}.{where.field} holds a {field.kind}")
    return field.kind == "string"


def listed(where: Where) -> list[Any] | None:
    """Return the values of `in` and `not_in` without None; None if nothing can satisfy the condition."""
    given: Any = where.value
    if not isinstance(given, list | tuple | set | frozenset):
        raise UnstorableError(f"{where.operator} takes a list, got {type(given).__name__}")
    values: list[Any] = list(given)  # pyright: ignore[reportUnknownArgumentType]  # of whatever it holds
    if len(values) > MOST_LISTED:
        raise UnstorableError(f"{len(values)} values in one condition; at most {MOST_LISTED} are possible")
    present = [value for value in values if value is not None]
    return None if where.operator == "not_in" and len(present) < len(values) else present
