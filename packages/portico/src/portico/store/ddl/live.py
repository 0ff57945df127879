"""What a database has already: its tables, columns and indexes, read from its catalogue."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from portico.errors import ConfigError
from portico.store.executors.executor import Executor

SIZE: Final = re.compile(r"\s*\((\d+)[^)]*\)")


@dataclass(frozen=True, kw_only=True)
class LiveColumn:
    """One column."""

    name: str
    type: str
    """In lower case, without its size."""
    size: int | None
    """The first number behind its type: of characters, for text."""
    nullable: bool
    has_default: bool
    """The database has a value for rows that come without one."""
    declared: str
    """The type as the database tells it."""


@dataclass(kw_only=True)
class LiveTable:
    """One table."""

    columns: dict[str, LiveColumn] = field(default_factory=dict[str, LiveColumn])
    primary_key: list[str] = field(default_factory=list[str])
    indexes: dict[str, "LiveIndex"] = field(default_factory=dict[str, "LiveIndex"])

    def is_unique(self, column: str) -> bool:
        """Tell whether no two rows can hold the same value in this column."""
        return self.primary_key == [column] or any(
            index.is_unique and index.columns == [column] for index in self.indexes.values()
        )

    def is_indexed(self, column: str) -> bool:
        """Tell whether rows are found by this column without reading all of them."""
        return self.primary_key[:1] == [column] or any(index.columns[:1] == [column] for index in self.indexes.values())


@dataclass(kw_only=True)
class LiveIndex:
    """One index."""

    is_unique: bool
    """Of whole values, and of every row."""
    columns: list[str] = field(default_factory=list[str])


class LiveSchema:
    """What one database has; names that it takes for one are one here."""

    def __init__(self, fold_table: Callable[[str], str], fold_column: Callable[[str], str]) -> None:
        self._tables: dict[str, LiveTable] = {}
        self.fold_table, self.fold_column = fold_table, fold_column

    def table(self, name: str) -> LiveTable | None:
        """Return the table of this name, if there is one."""
        return self._tables.get(self.fold_table(name))

    def made(self, name: str) -> LiveTable:
        """Return the table of this name, which the catalogue tells of."""
        return self._tables.setdefault(self.fold_table(name), LiveTable())

    def table_of_index(self, name: str) -> str | None:
        """Return which table has an index of this name."""
        return next((table for table, live in self._tables.items() if name in live.indexes), None)


async def read_columns(executor: Executor) -> LiveSchema:
    """Return the tables of the database and their columns, without indexes."""
    catalogue = _catalogue_of(executor.dialect.name)
    live = LiveSchema(catalogue.fold_table, catalogue.fold_column)
    for table, column, declared, nullable, has_default, in_key in await executor.fetch(catalogue.columns):
        made, name = live.made(table), live.fold_column(column)
        plain, size = _type_of(declared)
        made.columns[name] = LiveColumn(
            name=column,
            type=plain,
            size=size,
            nullable=bool(nullable),
            has_default=bool(has_default),
            declared=declared.lower(),
        )
        if in_key:
            made.primary_key.append(name)
    return live


async def read_schema(executor: Executor) -> LiveSchema:
    """Return the tables of the database, their columns and indexes."""
    live = await read_columns(executor)
    for table, name, is_unique, column in await executor.fetch(_catalogue_of(executor.dialect.name).indexes):
        index = live.made(table).indexes.setdefault(name, LiveIndex(is_unique=True))
        # One column that is not taken whole is enough.
        index.is_unique = index.is_unique and bool(is_unique)
        # An expression has no name.
        index.columns.append(live.fold_column(column or ""))
    return live


def _type_of(declared: str) -> tuple[str, int | None]:
    size = SIZE.search(declared)
    return SIZE.sub("", declared).lower().strip(), int(size[1]) if size else None


class Catalogue(NamedTuple):
    """How a database tells what it has."""

    columns: str
    """Gives table, column, type, nullable, has_default, in_primary_key; columns of a key in its order."""
    indexes: str
    """Gives table, index, is_unique, column; columns in the order of their index."""
    fold_table: Callable[[str], str] = str
    fold_column: Callable[[str], str] = str


def _sql(text: str) -> str:
    return " ".join(text.split())


SQLITE: Final = Catalogue(
    columns=_sql("""
        SELECT m.name, c.name, c.type, NOT c."notnull",
            c.dflt_value IS NOT NULL OR (c.pk AND lower(c.type) = 'integer'), c.pk
        FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
        WHERE m.type = 'table' ORDER BY m.rowid, c.pk, c.cid
    """),
    indexes=_sql("""
        SELECT m.name, l.name, l."unique" AND NOT l.partial, i.name
        FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS l JOIN pragma_index_info(l.name) AS i
        WHERE m.type = 'table' ORDER BY m.rowid, l.seq, i.seqno
    """),
    fold_table=str.lower,
    fold_column=str.lower,
)
POSTGRES: Final = Catalogue(
    # Tables that a name without a schema means. The type of a domain is what it is made of.
    columns=_sql("""
        SELECT c.relname, a.attname,
            CASE t.typtype WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod)
                ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END,
            NOT a.attnotnull, a.atthasdef OR a.attidentity <> '', k.place IS NOT NULL
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        LEFT JOIN pg_catalog.pg_index AS x ON x.indrelid = c.oid AND x.indisprimary
        LEFT JOIN LATERAL pg_catalog.unnest(x.indkey) WITH ORDINALITY AS k (attnum, place) ON k.attnum = a.attnum
        WHERE c.relkind IN ('r', 'p') AND pg_catalog.pg_table_is_visible(c.oid)
            AND c.relnamespace <> ALL (ARRAY['pg_catalog'::regnamespace, 'information_schema'::regnamespace])
        ORDER BY c.relname, k.place, a.attnum
    """),
    indexes=_sql("""
        SELECT c.relname, i.relname, x.indisunique AND x.indisvalid AND x.indpred IS NULL, a.attname
        FROM pg_catalog.pg_index AS x
        JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid
        JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
        JOIN LATERAL pg_catalog.unnest(x.indkey) WITH ORDINALITY AS k (attnum, place) ON k.place <= x.indnkeyatts
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE pg_catalog.pg_table_is_visible(c.oid)
            AND c.relnamespace <> ALL (ARRAY['pg_catalog'::regnamespace, 'information_schema'::regnamespace])
        ORDER BY c.relname, i.relname, k.place
    """),
)
MYSQL: Final = Catalogue(
    # MariaDB says NULL as text where there is no default.
    columns=_sql("""
        SELECT table_name, column_name, column_type, is_nullable = 'YES',
            column_default <> 'NULL' OR extra LIKE '%auto_increment%' OR extra LIKE '%GENERATED%', column_key = 'PRI'
        FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position
    """),
    indexes=_sql("""
        SELECT table_name, index_name, non_unique = 0 AND sub_part IS NULL, column_name
        FROM information_schema.statistics WHERE table_schema = DATABASE()
        ORDER BY table_name, index_name, seq_in_index
    """),
    fold_column=str.lower,
)
CATALOGUES: Final[Mapping[str, Catalogue]] = {
    "sqlite": SQLITE,
    "postgresql": POSTGRES,
    "mysql": MYSQL,
    "mariadb": MYSQL,
}


def _catalogue_of(dialect: str) -> Catalogue:
    if dialect not in CATALOGUES:
        raise ConfigError(
            f"what a database of the kind {dialect!r} has cannot be read here: apply what "
            f"`portico generate --format sql --dialect {dialect}` prints"
        )
    return CATALOGUES[dialect]
