"""What older releases of upstream left behind in databases, and must not keep them from working."""

from portico.store.ddl.definitions import ColumnDefinition, TableDefinition
from portico.store.ddl.dialects import DdlDialect
from portico.store.ddl.live import LiveColumn
from portico.store.executors.executor import Executor

# Required from 1.7.0 to 1.7.2; no release before or since has it.
ISSUER = "issuer"
FIELDS_OF_ACCOUNTS = {"account_id", "provider_id"}
# On MySQL; before and since, ids at providers have no limit.
LIMITED = {"account_id": 191}


def is_known_leftover(table: TableDefinition, column: LiveColumn) -> bool:
    """Tell whether upstream itself left this column behind."""
    fields = {each.field.name for each in table.columns}
    return column.name == ISSUER and fields >= FIELDS_OF_ACCOUNTS


def is_known_limit(column: ColumnDefinition, live: LiveColumn) -> bool:
    """Tell whether upstream itself made this text as short as it is."""
    return live.size is not None and live.size == LIMITED.get(column.field.name)


def may_be_null(table: str, column: LiveColumn) -> str:
    """Return what is lacking as long as rows need a value there."""
    return f"{table}.{column.name} that may be NULL"


async def relaxed(executor: Executor, table: str, column: LiveColumn, dialect: DdlDialect) -> tuple[str, ...]:
    """Return the statements that let the column be NULL and keep what it holds."""
    name, on = dialect.quote(column.name), dialect.quote(table)
    if dialect.name == "postgresql":
        return (f"alter table {on} alter column {name} drop not null",)
    if dialect.name == "mysql":
        return (f"alter table {on} modify column {name} {column.declared} null",)
    # SQLite changes no column: another takes its place, and its indexes are made again.
    indexes = await executor.fetch(
        "SELECT DISTINCT l.name, m.sql FROM pragma_index_list(?) AS l JOIN pragma_index_info(l.name) AS i"
        " JOIN sqlite_master AS m ON m.name = l.name WHERE i.name = ? AND m.sql IS NOT NULL",
        (table, column.name),
    )
    kept = dialect.quote(f"{column.name}_kept")
    return (
        f"alter table {on} add column {kept} {column.declared}",
        f"update {on} set {kept} = {name}",  # noqa: S608  # quoted
        *(f"drop index {dialect.quote(index)}" for index, _ in indexes),
        f"alter table {on} drop column {name}",
        f"alter table {on} rename column {kept} to {name}",
        *(sql for _, sql in indexes),
    )
