"""What a body changes of a row that belongs to the caller."""

from dataclasses import replace
from typing import Any

from portico.context import Context
from portico.errors import FIELD_NOT_ALLOWED, ApiError
from portico.schema import Row, Table
from portico.wire import Wire


def changes_in(ctx: Context, table: Table[Any], core: type[Row], body: Wire) -> dict[str, Any]:
    """Return what `body` says about the columns that a client may set, by Python name.

    Names that nobody knows and columns of `core`, the row without any addition, are ignored.

    Raises:
        ApiError: FIELD_NOT_ALLOWED, for a further column that is not for clients to set.
    """
    refuse_protected(ctx, table)
    for field in table.fields.values():
        is_closed = not field.column.input and field.name not in core.model_fields
        # Upstream ignores what JavaScript takes for nothing.
        if is_closed and ctx.fields.get(field.wire) not in (None, False, 0, ""):
            raise ApiError(replace(FIELD_NOT_ALLOWED, message=f"{field.wire} is not allowed to be set"))
    return table.given(body)


def refuse_protected(ctx: Context, table: Table[Any]) -> None:
    """Refuse every column of `table` in the body that is not for clients to set, where the application wants that.

    Raises:
        ApiError: FIELD_NOT_ALLOWED.
    """
    if not ctx.auth.advanced.refuse_protected_fields:
        return
    for field in table.fields.values():
        if not field.column.input and field.wire in ctx.fields:
            raise ApiError(replace(FIELD_NOT_ALLOWED, message=f"{field.wire} is not allowed to be set"))
