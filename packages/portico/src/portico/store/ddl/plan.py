"""What to do so that a database has what the tables of an Auth need."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from portico.schema import Table
from portico.store.ddl.definitions import TableDefinition, define
from portico.store.ddl.dialects import DdlDialect
from portico.store.ddl.statements import DdlStatements


class Step(NamedTuple):
    """One thing to create."""

    name: str
    """A table, `table.column`, or an index."""
    sql: str


def creation(tables: Sequence[Table[Any]], dialect: DdlDialect) -> list[Step]:
    """Return the steps from an empty database, in an order in which they work."""
    statements = DdlStatements(dialect)
    defined = [define(table, dialect) for table in tables]
    return [
        *(Step(table.name, statements.create_table(table)) for table in defined),
        *_indexes(defined, statements),
    ]


def _indexes(tables: Iterable[TableDefinition], statements: DdlStatements) -> Iterator[Step]:
    for table in tables:
        for index in table.indexes:
            yield Step(index.name, statements.create_index(table.name, index))
