"""What the database must have for the tables of an Auth, said for one kind of database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from portico.kinds import Kind
from portico.schema import Field, OnDelete, Table
from portico.store.ddl.dialects import WIDTHS, DdlDialect, MadeId, text_role

NOTHING: Final = MadeId()


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """What a column points to."""

    table: str
    column: str
    on_delete: OnDelete


@dataclass(frozen=True, kw_only=True)
class ColumnDefinition:
    """One column."""

    name: str
    field: Field
    type: str
    nullable: bool
    primary_key: bool = False
    unique: bool = False
    default: str = ""
    """An expression for rows that come without a value."""
    made: MadeId = NOTHING
    """How the database counts ids."""
    foreign_key: ForeignKey | None = None
    width: int | None = None
    """How many characters the text must be able to hold; None is any number."""
    backfill: bool | float | str | None = None
    """What rows get that are there before the column."""

    @property
    def kind(self) -> Kind:
        """Return what the column holds."""
        return self.field.kind


@dataclass(frozen=True, kw_only=True)
class IndexDefinition:
    """An index beside the definitions of the columns."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    skips_null: bool = False
    """Rows with NULL are left out, which would otherwise be one another's duplicates."""


@dataclass(frozen=True, kw_only=True)
class TableDefinition:
    """One table, its columns in upstream's order."""

    name: str
    columns: Sequence[ColumnDefinition]
    indexes: Sequence[IndexDefinition]
    """Those of a new table, where unique columns are unique of themselves."""


def define(table: Table[Any], dialect: DdlDialect) -> TableDefinition:
    """Return what the database needs for a table."""
    # As upstream orders columns: the id, then as declared.
    ordered = sorted(table.fields.values(), key=lambda field: field.name != "id")
    columns = [_column(table, field, dialect) for field in ordered]
    indexes = list(_indexes(table))
    # By an index of its own, where that was asked for, and on SQL Server, which takes NULL in one row only of a unique
    # column.
    beside = [
        column
        for column in columns
        if column.unique and (column.field.column.index or (column.nullable and not dialect.unique_skips_null))
    ]
    indexes += [unique_index(table.database_name, column, dialect) for column in beside]
    columns = [replace(column, unique=False) if column in beside else column for column in columns]
    return TableDefinition(name=table.database_name, columns=columns, indexes=indexes)


def unique_index(table: str, column: ColumnDefinition, dialect: DdlDialect) -> IndexDefinition:
    """Return the index that makes a column unique which was not created so, under upstream's name."""
    return IndexDefinition(
        name=f"{table}_{column.name}_uidx",
        columns=(column.name,),
        unique=True,
        skips_null=column.nullable and not dialect.unique_skips_null,
    )


def _column(table: Table[Any], field: Field, dialect: DdlDialect) -> ColumnDefinition:
    is_id = field.name == "id"
    made = dialect.made_ids.get(field.kind, NOTHING) if is_id and table.ids.make is None else NOTHING
    default = made.default
    if is_id and field.kind == "uuid":
        default = dialect.uuid_default
    elif field.column.now:
        default = dialect.now
    reference = table.references.get(field.name)
    return ColumnDefinition(
        name=field.database_name,
        field=field,
        type=dialect.type_of(field),
        nullable=field.nullable,
        primary_key=is_id,
        unique=field.column.unique and not is_id,
        default=default,
        made=made,
        foreign_key=reference
        and ForeignKey(table=reference.table, column=reference.column, on_delete=field.column.on_delete),
        width=WIDTHS[text_role(field)],
        backfill=_backfill(table, field),
    )


def _backfill(table: Table[Any], field: Field) -> bool | float | str | None:
    """Return the default of a field, which upstream gives to rows that were there before it."""
    default: object = table.row.model_fields[field.name].default
    # Rows with one default would not be unique.
    is_shared = not (field.column.unique and field.nullable)
    plain = isinstance(default, bool | int | float | str) and field.kind in {"string", "number", "boolean"}
    return default if is_shared and plain else None  # type: ignore[return-value]  # narrowed by the line above


def _indexes(table: Table[Any]) -> Iterator[IndexDefinition]:
    for field in table.fields.values():
        if field.column.index and not field.column.unique:
            name = f"{table.database_name}_{field.database_name}_idx"
            yield IndexDefinition(name=name, columns=(field.database_name,))
