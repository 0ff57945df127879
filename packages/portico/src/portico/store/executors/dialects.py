"""What to compile for, with the placeholders of the drivers that are served."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from portico.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

DIALECTS: Final[Mapping[str, tuple[str, str]]] = {
    "postgresql": ("sqlalchemy.dialects.postgresql.asyncpg", "numeric_dollar"),
    "mysql": ("sqlalchemy.dialects.mysql.asyncmy", "format"),
    "mariadb": ("sqlalchemy.dialects.mysql.asyncmy", "format"),
    "sqlite": ("sqlalchemy.dialects.sqlite.pysqlite", "qmark"),
}
"""By SQLAlchemy's name of the database."""


def dialect_of(name: str) -> "Dialect":
    """Return what to compile for on a database that SQLAlchemy calls `name`, with the placeholders of the drivers."""
    module, style = DIALECTS.get(name, ("", ""))
    if not module:
        raise ConfigError(f"a database of the kind {name!r} is not served; these are: {', '.join(DIALECTS)}")
    # SQLAlchemy is imported on first use.
    dialect: Dialect = import_module(module).dialect(paramstyle=style)
    return dialect


def mssql_dialect() -> "Dialect":
    """Return what to compile for on SQL Server 2012 or later, for an Executor of your own: no driver is served here."""
    dialect: Dialect = import_module("sqlalchemy.dialects.mssql.pyodbc").dialect(paramstyle="qmark")
    # Otherwise learnt from a connection; without it, pages would come in no certain order.
    setattr(dialect, "_supports_offset_fetch", True)
    return dialect
