"""What to do so that a database has what the tables of an Auth need, and what stands in the way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from portico.errors import ConfigError
from portico.schema import Table
from portico.store.ddl.definitions import (
    ColumnDefinition,
    IndexDefinition,
    TableDefinition,
    define,
    unique_index,
)
from portico.store.ddl.dialects import DdlDialect, ddl_dialect_of
from portico.store.ddl.fitting import misfit
from portico.store.ddl.leftovers import is_known_leftover, is_known_limit, may_be_null, relaxed
from portico.store.ddl.live import LiveColumn, LiveSchema, LiveTable, read_schema
from portico.store.ddl.statements import DdlStatements
from portico.store.executors.executor import Executor

PREFIX: Final = 255
"""Characters of unlimited text that MySQL has in an index."""


class Step(NamedTuple):
    """One thing to do."""

    name: str
    """What is created: a table, `table.column`, or an index; or the column that may be NULL from now on."""
    statements: tuple[str, ...]


@dataclass(kw_only=True)
class Plan:
    """What the database lacks, in an order in which it can be created."""

    steps: list[Step] = field(default_factory=list[Step])
    refusals: list[str] = field(default_factory=list[str])
    """Why nothing may be done as long as somebody has not decided; each a sentence that says what to do."""

    @property
    def names(self) -> list[str]:
        """Return what would be created."""
        return [step.name for step in self.steps]

    @property
    def sql(self) -> str:
        """Return the statements as a script; a comment for what a store does without any."""
        return "".join(
            f"{line}\n"
            for step in self.steps
            for line in [f"{statement};" for statement in step.statements] or [f"-- {step.name}: by the store itself"]
        )

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is lacking and nothing in the way."""
        return not self.steps and not self.refusals

    def check(self) -> None:
        """Raise ConfigError with every reason to change nothing."""
        if self.refusals:
            raise ConfigError("nothing was changed:" + "".join(f"\n- {reason}" for reason in self.refusals))


def creation(tables: Sequence[Table[Any]], dialect: DdlDialect) -> Plan:
    """Return the plan for an empty database."""
    statements = DdlStatements(dialect)
    defined = [define(table, dialect) for table in tables]
    steps = [Step(table.name, (statements.create_table(table),)) for table in defined]
    return Plan(steps=[*steps, *_new_indexes(defined, statements)])


def _new_indexes(tables: Iterable[TableDefinition], statements: DdlStatements) -> Iterator[Step]:
    for table in tables:
        for index in table.indexes:
            yield Step(index.name, (statements.create_index(table.name, index),))


async def plan_of(executor: Executor, tables: Sequence[Table[Any]]) -> Plan:
    """Return the plan for the database as it is. No rows are read: the database itself is asked about them."""
    planner = Planner(executor, await read_schema(executor))
    for table in tables:
        await planner.add(table)
    return planner.finished()


def is_unlimited_text(column: LiveColumn) -> bool:
    """Tell whether a column of MySQL is one of its kinds of unlimited text."""
    return column.size is None and column.type.endswith("text")


class Planner:
    """Makes the plan for one database."""

    def __init__(self, executor: Executor, live: LiveSchema) -> None:
        self._executor, self._live = executor, live
        self._dialect = ddl_dialect_of(executor.dialect.name)
        self._statements = DdlStatements(self._dialect)
        self._plan = Plan()
        self._indexes: list[Step] = []

    def finished(self) -> Plan:
        """Return the plan: tables and columns, then indexes."""
        self._plan.steps += self._indexes
        return self._plan

    async def add(self, table: Table[Any]) -> None:
        """Plan for one more table, after those that it refers to."""
        defined = define(table, self._dialect)
        live = self._live.table(defined.name)
        if live is None:
            self._plan.steps.append(Step(defined.name, (self._statements.create_table(defined),)))
        else:
            for column in defined.columns:
                there = live.columns.get(self._live.fold_column(column.name))
                if there is None:
                    await self._add_column(defined.name, column)
                else:
                    await self._check_column(defined.name, column, there, live)
            await self._check_leftovers(defined, live)
        for index in defined.indexes:
            if index.unique and live is not None:
                await self._add_unique_index(defined, index, live)
            else:
                self._add_index(defined.name, index, live)

    async def _add_unique_index(self, table: TableDefinition, index: IndexDefinition, live: LiveTable) -> None:
        """Plan for a unique index beside a table that is there, and whose rows may be in the way."""
        (column,) = (column for column in table.columns if column.name in index.columns)
        there = live.columns.get(self._live.fold_column(column.name))
        if there is None:
            self._add_index(table.name, index, None)
        elif not live.is_unique(self._live.fold_column(there.name)):
            await self._make_unique(table.name, column, there, live)

    async def _add_column(self, table: str, column: ColumnDefinition) -> None:
        has_value = column.nullable or column.default or column.backfill is not None
        if not has_value and await self._found(self._statements.find_row(table)):
            self._refuse(
                f"cannot add {table}.{column.name}: it must not be NULL and {table} has rows already; "
                "give the field a default, make it `| None`, or add the column yourself with values for these rows"
            )
            return
        is_shared = column.unique and column.backfill is not None
        if is_shared and await self._found(self._statements.find_row(table, beyond=1)):
            self._refuse(
                f"cannot add {table}.{column.name}: it is unique, and the rows that are there would share its "
                "default; make the field `| None`, or add the column yourself with values for these rows"
            )
            return
        self._plan.steps.append(Step(f"{table}.{column.name}", (self._statements.add_column(table, column),)))
        if column.unique:
            self._add_index(table, unique_index(table, column, self._dialect), None)

    async def _check_column(self, table: str, column: ColumnDefinition, there: LiveColumn, live: LiveTable) -> None:
        problem = misfit(column, there, self._dialect.name)
        if problem is not None and not is_known_limit(column, there):
            self._refuse(f"{table}.{column.name} {problem}; change the column, or the field that it is for")
            return
        if (column.unique or column.primary_key) and not live.is_unique(self._live.fold_column(there.name)):
            await self._make_unique(table, column, there, live)

    async def _make_unique(self, table: str, column: ColumnDefinition, there: LiveColumn, live: LiveTable) -> None:
        if await self._found(self._statements.find_shared(table, column.name)):
            self._refuse(
                f"{table}.{column.name} must be unique, and some rows share a value: "
                "decide which of them keeps it, and change or delete the others"
            )
            return
        if self._dialect.name == "mysql" and is_unlimited_text(there):
            # MySQL keeps limited text unique only.
            is_longer = await self._found(self._statements.find_longer(table, column.name, column.width or 0))
            if is_longer or there.has_default:
                self._refuse(
                    f"{table}.{column.name} is {there.declared}, which MySQL cannot keep unique: make it {column.type}"
                )
                return
            limited = self._statements.limit_text(table, column, nullable=there.nullable)
            self._plan.steps.append(Step(f"{table}.{column.name} as {column.type}", (limited,)))
        self._add_index(table, unique_index(table, column, self._dialect), live)

    async def _check_leftovers(self, table: TableDefinition, live: LiveTable) -> None:
        declared = {self._live.fold_column(column.name) for column in table.columns}
        for name, column in live.columns.items():
            if name in declared or column.nullable or column.has_default:
                continue
            if is_known_leftover(table, column):
                statements = await relaxed(self._executor, table.name, column, self._dialect)
                self._plan.steps.append(Step(may_be_null(table.name, column), statements))
                continue
            self._refuse(
                f"no row could be added to {table.name}: {table.name}.{column.name} must not be NULL and nobody sets "
                "it; declare it in additional_fields, give it a default, or let it be NULL"
            )

    def _add_index(self, table: str, index: IndexDefinition, live: LiveTable | None) -> None:
        columns = [self._live.fold_column(column) for column in index.columns]
        if live is not None and not index.unique and live.is_indexed(columns[0]):
            return
        if reason := self._taken(table, index.name, live):
            self._refuse(reason)
            return
        there = live.columns.get(columns[0]) if live else None
        # MySQL has limited text in its indexes only, or the beginning of unlimited text.
        is_endless = self._dialect.name == "mysql" and there is not None and is_unlimited_text(there)
        prefix = PREFIX if is_endless and not index.unique else None
        self._indexes.append(Step(index.name, (self._statements.create_index(table, index, prefix=prefix),)))

    async def _found(self, query: str) -> bool:
        return bool(await self._executor.fetch(query))

    def _taken(self, table: str, index: str, live: LiveTable | None) -> str | None:
        """Return why an index cannot have its name."""
        if live is not None and index in live.indexes:
            return f"{table} has another index {index} than it needs: rename that one"
        owner = self._live.table_of_index(index)
        # MySQL has names of indexes for each table.
        if owner is None or self._dialect.name == "mysql":
            return None
        return f"{owner} has an index {index}, which {table} needs: rename it"

    def _refuse(self, reason: str) -> None:
        self._plan.refusals.append(reason)
