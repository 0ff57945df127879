"""Bring the schema of an SQL database up to what the tables of an Auth need, as upstream's migrations would."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from portico.errors import StoreBusyError
from portico.schema import Table
from portico.store.adapter import Adapter
from portico.store.ddl.definitions import define
from portico.store.ddl.dialects import ddl_dialect_of
from portico.store.ddl.leftovers import is_known_leftover, may_be_null
from portico.store.ddl.live import LiveSchema, read_columns
from portico.store.ddl.plan import Plan, Step, plan_of
from portico.store.executors.executor import Executor

PATIENCE: Final = 60
"""Seconds to wait for another process that changes the schema, on MySQL; elsewhere the database itself waits."""


async def missing(executor: Executor, tables: Sequence[Table[Any]]) -> list[str]:
    """Return what every call would stumble over, as `table` or `table.column`."""
    live = await read_columns(executor)
    dialect = executor.dialect.name
    return [name for table in tables for name in _missing(table, live, dialect)]


async def planned(store: Adapter, tables: Sequence[Table[Any]]) -> Plan:
    """Return what `create_schema` of a store would do, or why it would do nothing."""
    own = getattr(store, "plan", None)
    if own is not None:
        found: Plan = await own(tables)
        return found
    # Only stores over SQL know statements.
    return Plan(steps=[Step(name, ()) for name in await store.missing(tables)])


async def create_schema(executor: Executor, tables: Sequence[Table[Any]]) -> list[str]:
    """Create what is missing, and the indexes too; return the names of what was created.

    In one transaction, except on MySQL, which commits each statement: what fails there goes on where it stopped.

    Raises:
        ConfigError: something is in the way; nothing was changed.
        StoreBusyError: another process has been changing the schema for a minute.
    """
    async with executor.transaction() as inside, _alone(inside):
        found = await plan_of(inside, tables)
        found.check()
        for step in found.steps:
            for statement in step.statements:
                await inside.run(statement)
        return found.names


def _missing(table: Table[Any], live: LiveSchema, dialect: str) -> Iterator[str]:
    defined = define(table, ddl_dialect_of(dialect))
    there = live.table(defined.name)
    if there is None:
        yield defined.name
        return
    for field in table.fields.values():
        if live.fold_column(field.database_name) not in there.columns:
            yield f"{defined.name}.{field.database_name}"
    for column in there.columns.values():
        if not column.nullable and is_known_leftover(defined, column):
            yield may_be_null(defined.name, column)


@asynccontextmanager
async def _alone(executor: Executor) -> AsyncGenerator[None, None]:
    """Keep other processes from changing the schema of this database at the same time; SQLite's writers take turns."""
    begin, end = LOCKS.get(executor.dialect.name, (None, None))
    if begin is not None and (await executor.fetch(begin))[0][0] == 0:
        raise StoreBusyError("another process is changing the schema: try again when it is done")
    try:
        yield
    finally:
        if end is not None:
            await executor.fetch(end)


MYSQL_LOCK: Final = (
    f"SELECT GET_LOCK(CONCAT('better-auth.', MD5(DATABASE())), {PATIENCE})",
    "SELECT RELEASE_LOCK(CONCAT('better-auth.', MD5(DATABASE())))",
)
LOCKS: Final[dict[str, tuple[str, str | None]]] = {
    # Until the transaction ends.
    "postgresql": ("SELECT pg_advisory_xact_lock(3735879680)", None),
    "mysql": MYSQL_LOCK,
    "mariadb": MYSQL_LOCK,
}
