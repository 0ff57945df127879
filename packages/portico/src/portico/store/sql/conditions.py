"""Conditions in SQL: their shape decides the text, their values are its parameters."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy
from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from portico.schema import Table
from portico.store.adapter import Operator, Where
from portico.store.codecs import Encode, fold
from portico.store.sql.idioms import Idiom
from portico.store.where import LISTS, PATTERNS, field_of, is_text, listed

Columns = ReadOnlyColumnCollection[str, Any]

COMPARISONS: Final[Mapping[Operator, Callable[[Any, Any], ColumnElement[bool]]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
IMPOSSIBLE: Final = -1


def shape_of(where: Sequence[Where]) -> tuple[Any, ...]:
    """Return what two lists of conditions with the same SQL have in common."""
    return tuple(
        [(each[0], each[2], each[3], each[4], _size(each) if each[2] in LISTS else each[1] is None) for each in where]
    )


def values_of(where: Sequence[Where]) -> list[Any]:
    """Return the values in the order in which `Parameters.condition` binds them."""
    values: list[Any] = []
    for each in where:
        if each[2] in LISTS:
            values.extend(_padded(each))
        elif each[1] is not None:
            values.append(each[1])
    return values


def _size(where: Where) -> int:
    # Powers of two, so that lists of any length share a few statements.
    values = listed(where)
    if values is None:
        return IMPOSSIBLE
    return 1 << (len(values) - 1).bit_length() if values else 0


def _padded(where: Where) -> list[Any]:
    values = listed(where)
    return values + values[-1:] * (_size(where) - len(values)) if values else []


class Parameters:
    """The placeholders of one statement, in the order in which they were asked for."""

    def __init__(self, idiom: Idiom) -> None:
        self.encoders: list[Encode] = []
        self._idiom = idiom

    def bind(self, encode: Encode) -> BindParameter[Any]:
        """Return a new placeholder for a value that `encode` makes fit for the database."""
        self.encoders.append(encode)
        return sqlalchemy.bindparam(f"p{len(self.encoders) - 1}")

    def condition(self, table: Table[Any], columns: Columns, where: Sequence[Where]) -> ColumnElement[bool]:
        """Return the conditions as one."""
        terms = [(each.connector, self._term(table, columns, each)) for each in where]
        required = [term for connector, term in terms if connector == "AND"]
        alternatives = [term for connector, term in terms if connector == "OR"]
        if alternatives:
            required.append(sqlalchemy.or_(*alternatives))
        return sqlalchemy.and_(sqlalchemy.true(), *required)

    def _term(self, table: Table[Any], columns: Columns, where: Where) -> ColumnElement[bool]:
        field = field_of(table, where.field)
        column: ColumnElement[Any] = columns[field.database_name]
        encode = self._idiom.codecs[field.kind].seek
        if where.value is None:
            return _null_term(column, where.operator)
        if is_text(table, where):
            if where.mode == "insensitive":
                column, encode = self._idiom.folded(column), _folding(encode)
            elif self._idiom.exact is not None:
                return self._exact_term(column, where, encode, self._idiom.exact)
        if where.operator in LISTS:
            return self._list_term(column, where, encode)
        if where.operator in PATTERNS:
            return self._idiom.matches(column, self.bind(self._pattern(where.operator, encode)))
        return COMPARISONS[where.operator](column, self.bind(encode))

    def _exact_term(
        self, column: ColumnElement[Any], where: Where, encode: Encode, exact: Callable[[Any], ColumnElement[Any]]
    ) -> ColumnElement[bool]:
        """Compare text where the database would take different texts for the same."""
        if where.operator in PATTERNS:
            return self._idiom.matches(exact(column), self.bind(self._pattern(where.operator, encode)))
        if where.operator in LISTS:
            return self._list_term(column, where, encode, exact)
        value = self.bind(encode)
        if where.operator == "ne":
            return exact(column) != exact(value)
        compared = COMPARISONS[where.operator](column, value)
        # The first comparison finds the row through an index, the second is sure of it.
        return sqlalchemy.and_(compared, exact(column) == exact(value)) if where.operator == "eq" else compared

    def _list_term(
        self,
        column: ColumnElement[Any],
        where: Where,
        encode: Encode,
        exact: Callable[[Any], ColumnElement[Any]] | None = None,
    ) -> ColumnElement[bool]:
        size = _size(where)
        if size <= 0:
            return sqlalchemy.true() if size == 0 and where.operator == "not_in" else sqlalchemy.false()
        values: list[ColumnElement[Any]] = [self.bind(encode) for _ in range(size)]
        same = list(map(exact, values)) if exact else values
        if where.operator == "not_in":
            return (exact(column) if exact else column).not_in(same)
        found = column.in_(values)
        return sqlalchemy.and_(found, exact(column).in_(same)) if exact else found

    def _pattern(self, matching: Operator, encode: Encode) -> Encode:
        quote, wildcard = self._idiom.quote_pattern, self._idiom.wildcard
        before = "" if matching == "starts_with" else wildcard
        after = "" if matching == "ends_with" else wildcard
        return lambda value: f"{before}{quote(encode(value))}{after}"


def _null_term(column: ColumnElement[Any], comparison: Operator) -> ColumnElement[bool]:
    if comparison == "eq":
        return column.is_(None)
    return column.is_not(None) if comparison == "ne" else sqlalchemy.false()


def _folding(encode: Encode) -> Encode:
    return lambda value: fold(encode(value))
