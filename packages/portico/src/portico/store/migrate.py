"""Bring the schema of an SQL database up to what the tables of an Auth need, as upstream's migrations would."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from portico.errors import ConfigError
from portico.schema import Field, Table
from portico.store.executors.executor import Executor

if TYPE_CHECKING:
    from portico.store.sql.idioms import Idiom


async def missing(executor: Executor, tables: Sequence[Table[Any]]) -> list[str]:
    """Return what the database lacks and every call would stumble over, as `table` or `table.column`."""
    schema = Schema(executor)
    live = await schema.live_columns()
    return [name for table in tables for name in _missing(table, live)]


async def create_schema(executor: Executor, tables: Sequence[Table[Any]]) -> list[str]:
    """Create what is missing, and the indexes too, in one transaction; return the names of what was created.

    Raises ConfigError for a column that must not be NULL if its table has rows already.
    """
    async with executor.transaction() as inside:
        schema = Schema(inside)
        async with schema.alone():
            live = await schema.live_columns()
            for table in tables:
                await schema.create(table, live.get(table.database_name))
            created = [name for table in tables for name in _missing(table, live)]
            return created + await schema.create_indexes(tables, live)


def _missing(table: Table[Any], live: Mapping[str, set[str]]) -> list[str]:
    columns = live.get(table.database_name)
    if columns is None:
        return [table.database_name]
    return [
        f"{table.database_name}.{field.database_name}"
        for field in table.fields.values()
        if field.database_name not in columns
    ]


class Schema:
    """The schema of one database."""

    def __init__(self, executor: Executor) -> None:
        from portico.store.sql.idioms import idiom_of  # noqa: PLC0415  # an Auth is built without SQLAlchemy

        self._executor = executor
        self._idiom: Idiom = idiom_of(executor.dialect.name)
        self._quote = executor.dialect.identifier_preparer.quote_identifier

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None, None]:
        """Keep other processes from changing the schema at the same time."""
        begin, end = self._idiom.schema_lock or (None, None)
        if begin is not None:
            await self._executor.fetch(begin)
        try:
            yield
        finally:
            if end is not None:
                await self._executor.fetch(end)

    async def live_columns(self) -> dict[str, set[str]]:
        """Return the columns that the database has, by table."""
        live: dict[str, set[str]] = {}
        for table, column in await self._executor.fetch(self._idiom.live_columns):
            live.setdefault(table, set()).add(column)
        return live

    async def create(self, table: Table[Any], live: set[str] | None) -> None:
        """Create the table, or the columns that it lacks."""
        if live is None:
            columns = ", ".join(self._column(table, field) for field in _in_order(table))
            await self._executor.run(f"create table {self._quote(table.database_name)} ({columns})")
            return
        for field in _in_order(table):
            if field.database_name not in live:
                await self._add_column(table, field)

    async def create_indexes(self, tables: Sequence[Table[Any]], live: Mapping[str, set[str]]) -> list[str]:
        """Create the indexes that the database lacks and return their names."""
        present = {name for (name,) in await self._executor.fetch(self._idiom.live_indexes)}
        created: list[str] = []
        for table in tables:
            for name, unique, column in _indexes(table, live.get(table.database_name)):
                if name not in present:
                    on = f"{self._quote(table.database_name)} ({self._quote(column)})"
                    await self._executor.run(f"create {unique}index {self._quote(name)} on {on}")
                    created.append(name)
        return created

    async def _add_column(self, table: Table[Any], field: Field) -> None:
        default = self._default(table, field)
        if not field.nullable and not default and await self._has_rows(table):
            name = table.database_name
            raise ConfigError(
                f"cannot add {name}.{field.database_name}: it must not be NULL and {name} has rows already; "
                "give the field a default, make it `| None`, or add the column yourself with values for these rows"
            )
        added = f"{self._column(table, field, inline_unique=False)}{default}"
        await self._executor.run(f"alter table {self._quote(table.database_name)} add column {added}")

    async def _has_rows(self, table: Table[Any]) -> bool:
        rows = await self._executor.fetch(f"select 1 from {self._quote(table.database_name)} limit 1")  # noqa: S608  # quoted
        return bool(rows)

    def _column(self, table: Table[Any], field: Field, *, inline_unique: bool = True) -> str:
        reference = table.references.get(field.name)
        now = self._idiom.now if field.column.now else ""
        parts = [self._quote(field.database_name), self._idiom.type_of(field) + now]
        if not field.nullable:
            parts.append("not null")
        if field.name == "id":
            parts.append("primary key")
            if table.ids.make is None:
                parts.append(self._idiom.made_ids[field.kind])
        elif field.column.unique and inline_unique:
            parts.append("unique")
        if reference is not None:
            parts.append(f"references {self._quote(reference.table)} ({self._quote(reference.column)})")
            parts.append(f"on delete {field.column.on_delete}")
        return " ".join(parts)

    def _default(self, table: Table[Any], field: Field) -> str:
        """Return what existing rows get, as upstream does: a new column has the default of its field."""
        default: object = table.row.model_fields[field.name].default
        if isinstance(default, bool | int):
            return f" default {self._idiom.codecs[field.kind].encode(default)}"
        return ""


def _in_order(table: Table[Any]) -> list[Field]:
    """Return the fields as upstream orders columns: the id, then as declared."""
    return sorted(table.fields.values(), key=lambda field: field.name != "id")


def _indexes(table: Table[Any], live: set[str] | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, `unique ` or nothing, and column of the indexes that are not part of a column's definition."""
    for field in table.fields.values():
        # SQLite adds no unique column to a table; upstream makes an index of this name.
        if field.column.unique and live is not None and field.database_name not in live:
            yield f"{table.database_name}_{field.database_name}_uidx", "unique ", field.database_name
        elif field.column.index and not field.column.unique:
            yield f"{table.database_name}_{field.database_name}_idx", "", field.database_name
