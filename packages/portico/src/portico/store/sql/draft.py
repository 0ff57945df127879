"""One statement under construction: its table, its parameters, and what its rows mean."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

import sqlalchemy
from sqlalchemy import ClauseElement, ColumnElement
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import FromClause

from portico.schema import Record, Table
from portico.store.adapter import Where
from portico.store.codecs import Encode, decoders, encode_number, encoder
from portico.store.sql.conditions import Parameters, values_of
from portico.store.sql.idioms import Idiom
from portico.store.where import field_of

RowT = TypeVar("RowT")
Values = Sequence[Any]


class Statement(NamedTuple, Generic[RowT]):
    """A compiled statement."""

    sql: str

    encoders: tuple[Encode, ...]
    """How each value is encoded."""

    places: tuple[int, ...] | None
    """Which value goes to each placeholder; None if each goes to its own."""

    decode: Callable[[Values], RowT]
    """Returns what one row of the answer means."""

    def args(self, where: Sequence[Where] = (), *, changes: Values = (), page: Values = ()) -> list[Any]:
        """Return the parameters for these values; raise UnstorableError for what no column can hold."""
        values = values_of(where)
        if changes or page:
            values = [*changes, *values, *page]
        encoded = [encode(value) for encode, value in zip(self.encoders, values, strict=True)]
        return encoded if self.places is None else [encoded[place] for place in self.places]


class Draft:
    """A statement about the rows of one table."""

    def __init__(self, table: Table[Any], idiom: Idiom) -> None:
        self.table = table
        self.clause = clause_of(table)
        self.parameters = Parameters(idiom)
        self._idiom = idiom

    def columns(self, table: Table[Any], clause: FromClause) -> list[ColumnElement[Any]]:
        """Return the columns of `clause` in the order of the fields."""
        return [clause.c[field.database_name] for field in table.fields.values()]

    def condition(self, where: Sequence[Where]) -> ColumnElement[bool]:
        return self.parameters.condition(self.table, self.clause.c, where)

    def is_first(self, where: Sequence[Where]) -> ColumnElement[bool]:
        """Return the condition that holds for the first row that matches, and for no other."""
        candidates = clause_of(self.table).alias("candidate")
        # Locked where the database locks rows: whoever waited for another's change looks at the changed row again.
        found = sqlalchemy.select(candidates.c.id).where(self.parameters.condition(self.table, candidates.c, where))
        return self.clause.c.id.in_(self._idiom.first(found).with_for_update())

    def added(self, name: str) -> tuple[str, ColumnElement[Any]]:
        """Return the column of field `name` and what it becomes when a number is added; NULL counts as 0."""
        column = self.clause.c[field_of(self.table, name).database_name]
        return column.name, sqlalchemy.func.coalesce(column, sqlalchemy.literal_column("0")) + self.parameters.bind(
            encode_number
        )

    def given(self, name: str) -> tuple[str, ColumnElement[Any]]:
        """Return the column of field `name` and a placeholder for its value."""
        field = field_of(self.table, name)
        return field.database_name, self.parameters.bind(encoder(self._idiom.codecs, field))

    def decoder(self, table: Table[Any]) -> Callable[[Values], Record]:
        """Return what makes a record of the columns of `table`, which a row begins with."""
        names = tuple(table.fields)
        decoded = decoders(self._idiom.codecs, table.fields)

        def decode(row: Values) -> Record:
            record = dict(zip(names, row))  # noqa: B905  # a joined row goes on
            for name, decode_value in decoded:
                value = record[name]
                if value is not None:
                    record[name] = decode_value(value)
            return record

        return decode

    def compiled(self, statement: ClauseElement, dialect: Dialect, decode: Callable[[Values], RowT]) -> Statement[RowT]:
        """Return the statement as `dialect` says it."""
        compiled = cast("SQLCompiler", statement.compile(dialect=dialect))
        # SQLAlchemy leaves out what cannot change the answer, such as everything besides a false condition.
        places = tuple(int(name[1:]) for name in compiled.positiontup or ())
        encoders = tuple(self.parameters.encoders)
        return Statement(compiled.string, encoders, None if places == tuple(range(len(encoders))) else places, decode)


def clause_of(table: Table[Any]) -> sqlalchemy.TableClause:
    """Return the table as SQLAlchemy knows it, in upstream's order of columns: `id` first."""
    names = sorted((field.database_name for field in table.fields.values()), key=lambda name: name != "id")
    return sqlalchemy.table(table.database_name, *map(_column, names))


def _column(name: str) -> sqlalchemy.ColumnClause[Any]:
    return sqlalchemy.column(name)
