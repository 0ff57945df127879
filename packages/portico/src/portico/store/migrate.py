"""Bring the schema of an SQL database up to what the tables of an Auth need, as upstream's migrations would."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from portico.errors import ConfigError
from portico.schema import Table
from portico.store.ddl.definitions import ColumnDefinition, define, unique_index
from portico.store.ddl.dialects import ddl_dialect_of
from portico.store.ddl.statements import DdlStatements
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
        self._ddl = ddl_dialect_of(executor.dialect.name)
        self._statements = DdlStatements(self._ddl)

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
        defined = define(table, self._ddl)
        if live is None:
            await self._executor.run(self._statements.create_table(defined))
            return
        for column in defined.columns:
            if column.name not in live:
                await self._add_column(defined.name, column)

    async def create_indexes(self, tables: Sequence[Table[Any]], live: Mapping[str, set[str]]) -> list[str]:
        """Create the indexes that the database lacks and return their names."""
        present = {name for (name,) in await self._executor.fetch(self._idiom.live_indexes)}
        created: list[str] = []
        for table in tables:
            defined = define(table, self._ddl)
            columns = live.get(defined.name)
            added = [each for each in defined.columns if each.unique and columns and each.name not in columns]
            for index in [*(unique_index(defined.name, each, self._ddl) for each in added), *defined.indexes]:
                if index.name not in present:
                    await self._executor.run(self._statements.create_index(defined.name, index))
                    created.append(index.name)
        return created

    async def _add_column(self, table: str, column: ColumnDefinition) -> None:
        has_value = column.nullable or column.default or column.backfill is not None
        if not has_value and await self._has_rows(table):
            raise ConfigError(
                f"cannot add {table}.{column.name}: it must not be NULL and {table} has rows already; "
                "give the field a default, make it `| None`, or add the column yourself with values for these rows"
            )
        await self._executor.run(self._statements.add_column(table, column))

    async def _has_rows(self, table: str) -> bool:
        rows = await self._executor.fetch(f"select 1 from {self._ddl.quote(table)} limit 1")  # noqa: S608  # quoted
        return bool(rows)
