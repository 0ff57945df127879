"""The types of columns as expressions of SQLAlchemy."""

import re

from portico.cli.generate.source import literal
from portico.store.ddl.definitions import IndexDefinition

SIMPLE = {
    "text": "sa.Text()",
    "integer": "sa.Integer()",
    "bigint": "sa.BigInteger()",
    "smallint": "sa.SmallInteger()",
    "boolean": "sa.Boolean()",
    "date": "sa.Date()",
    "timestamptz": "sa.DateTime(timezone=True)",
    "timestamp(3)": "mysql.TIMESTAMP(fsp=3)",
    "datetime2(3)": "mssql.DATETIME2(3)",
    "jsonb": "postgresql.JSONB()",
    "json": "sa.JSON()",
    "uuid": "sa.Uuid(as_uuid=False)",
    "double precision": "sa.Double()",
    "double": "sa.Double()",
    "float": "sa.Float()",
}
SIZED = re.compile(r"varchar\((\d+)\)")


def type_expression(declared: str) -> str:
    """Return the expression for a type as `DdlDialect` writes it."""
    sized = SIZED.fullmatch(declared)
    return f"sa.String({sized[1]})" if sized else SIMPLE[declared]


def dialects_in(source: str) -> list[str]:
    """Return which dialects of SQLAlchemy some source names, in order."""
    return [name for name in ("mssql", "mysql", "postgresql") if f" {name}." in source]


def index_arguments(index: IndexDefinition) -> list[str]:
    """Return the arguments that say what is special about an index."""
    arguments = ["unique=True"] if index.unique else []
    if index.skips_null:
        present = " and ".join(f"[{name}] is not null" for name in index.columns)
        arguments.append(f"mssql_where=sa.text({literal(present)})")
    return arguments
