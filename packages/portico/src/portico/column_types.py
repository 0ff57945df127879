"""Types of SQLAlchemy columns that hold what Portico stores, for models of your own and generated ones."""

from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Boolean, DateTime, Integer, SmallInteger, String, Text
from sqlalchemy.dialects import mssql, mysql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine, UserDefinedType

from portico.wire import parse_timestamp, timestamp

WITHOUT_ZONE = frozenset({"mysql", "mariadb", "mssql"})


class IsoDate(UserDefinedType[str]):
    """A date on SQLite: text, in a column that says what it is for."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the type of the column."""
        return "date"


class Timestamp(TypeDecorator[datetime]):
    """A moment, in UTC on every database; connections to MySQL must have the time zone `+00:00`."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of one database."""
        match dialect.name:
            case "sqlite":
                return IsoDate()
            case "mysql" | "mariadb":
                return mysql.TIMESTAMP(fsp=3)
            case "mssql":
                return mssql.DATETIME2(3)  # type: ignore[no-untyped-call]  # SQLAlchemy has no types there
            case _:
                return DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what is stored; raise ValueError for a moment without a time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a timestamp has a time zone, such as datetime.now(UTC) has")
        if dialect.name == "sqlite":
            return timestamp(value)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name in WITHOUT_ZONE else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the moment that is stored."""
        found = parse_timestamp(value)
        return found.replace(tzinfo=UTC) if isinstance(found, datetime) and found.tzinfo is None else found


class Flag(TypeDecorator[bool]):
    """A boolean, which is a number on SQLite and SQL Server."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of one database."""
        return {"sqlite": Integer(), "mssql": SmallInteger()}.get(dialect.name, Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        """Return what is stored."""
        is_number = dialect.name in {"sqlite", "mssql"}
        return int(value) if is_number and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        """Return the boolean that is stored."""
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """JSON, which is text on SQLite and SQL Server; None is NULL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of one database."""
        match dialect.name:
            case "postgresql":
                return postgresql.JSONB(none_as_null=True)
            case "mysql" | "mariadb":
                return JSON(none_as_null=True)
            case "mssql":
                return String(8000)
            case _:
                return Text()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what is stored."""
        is_text = dialect.name in {"sqlite", "mssql"}
        return to_json(value).decode() if is_text and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the value that is stored."""
        return from_json(value) if isinstance(value, str) and dialect.name in {"sqlite", "mssql"} else value
