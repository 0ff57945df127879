"""The statements that create tables, columns and indexes."""

from portico.store.ddl.definitions import ColumnDefinition, IndexDefinition, TableDefinition
from portico.store.ddl.dialects import DdlDialect


class DdlStatements:
    """The statements for one kind of database; none ends with a semicolon."""

    def __init__(self, dialect: DdlDialect) -> None:
        self._dialect = dialect
        self._quote = dialect.quote

    def create_table(self, table: TableDefinition) -> str:
        """Return the statement that creates a table without its indexes."""
        columns = ", ".join(self.column(column) for column in table.columns)
        return f"create table {self._quote(table.name)} ({columns})"

    def add_column(self, table: str, column: ColumnDefinition) -> str:
        """Return the statement that adds a column, which is made unique by an index: SQLite adds no unique ones."""
        add = "add" if self._dialect.name == "mssql" else "add column"
        return f"alter table {self._quote(table)} {add} {self.column(column, is_added=True)}"

    def create_index(self, table: str, index: IndexDefinition, *, prefix: int | None = None) -> str:
        """Return the statement that creates an index, of the first `prefix` characters if that is given."""
        length = f"({prefix})" if prefix else ""
        columns = ", ".join(f"{self._quote(column)}{length}" for column in index.columns)
        kind = "unique index" if index.unique else "index"
        where = "".join(f" where {self._quote(column)} is not null" for column in index.columns if index.skips_null)
        return f"create {kind} {self._quote(index.name)} on {self._quote(table)} ({columns}){where}"

    def find_row(self, table: str, *, beyond: int = 0) -> str:
        """Return the query that finds a row if there are more than `beyond`."""
        return f"select 1 from {self._quote(table)} limit 1 offset {beyond}"  # noqa: S608  # quoted

    def find_shared(self, table: str, column: str) -> str:
        """Return the query that finds a row if two hold the same value in a column."""
        name = self._quote(column)
        return (
            f"select 1 from {self._quote(table)} where {name} is not null"  # noqa: S608  # quoted
            f" group by {name} having count(*) > 1 limit 1"
        )

    def find_longer(self, table: str, column: str, characters: int) -> str:
        """Return the query that finds a row whose text is longer."""
        long = f"char_length({self._quote(column)}) > {characters}"
        return f"select 1 from {self._quote(table)} where {long} limit 1"  # noqa: S608  # quoted

    def limit_text(self, table: str, column: ColumnDefinition, *, nullable: bool) -> str:
        """Return the statement by which MySQL gives text a limit."""
        null = "null" if nullable else "not null"
        return f"alter table {self._quote(table)} modify column {self._quote(column.name)} {column.type} {null}"

    def column(self, column: ColumnDefinition, *, is_added: bool = False) -> str:
        """Return the definition of a column, of one that is added to rows with what these get."""
        parts = [self._quote(column.name), column.type, column.made.identity]
        if default := self.default(column, is_added=is_added):
            parts.append(f"default {default}")
        if not column.nullable:
            parts.append("not null")
        if column.primary_key:
            parts.append("primary key")
        parts.append(column.made.counting)
        if column.unique and not is_added:
            parts.append("unique")
        if column.foreign_key is not None:
            target = column.foreign_key
            parts.append(f"references {self._quote(target.table)} ({self._quote(target.column)})")
            parts.append(f"on delete {target.on_delete}")
        return " ".join(part for part in parts if part)

    def default(self, column: ColumnDefinition, *, is_added: bool) -> str:
        """Return the expression for rows without a value; those that an added column finds get the field's default."""
        if column.default or not is_added or column.backfill is None:
            return column.default
        return self._dialect.literal(column.backfill)
