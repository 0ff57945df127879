"""Fields of Django that hold what Portico stores, for models of your own and generated ones."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from portico.wire import timestamp

if TYPE_CHECKING:
    Moments = models.DateTimeField[datetime | None, datetime | None]
else:
    Moments = models.DateTimeField


class TimestampField(Moments):
    """A moment. On SQLite, Django would write it in another form, and read None from a column whose type is `date`."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        """Return the column as a query names it."""
        if compiler.connection.vendor == "sqlite":
            # Without a type, so that nothing tries to make a date without a time of it.
            return f"cast({sql} as text)", params
        return sql, params

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Return what is stored, or compared with what is."""
        if connection.vendor != "sqlite":
            return super().get_db_prep_value(value, connection, prepared)
        moment = value if prepared else self.get_prep_value(value)
        if not isinstance(moment, datetime):
            return moment
        return timestamp(moment if timezone.is_aware(moment) else timezone.make_aware(moment, connection.timezone))
