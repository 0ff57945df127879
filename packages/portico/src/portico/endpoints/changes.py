"""What a body says about the columns of a row that clients may set."""

from dataclasses import replace
from typing import Any

from portico.context import Context
from portico.errors import FIELD_NOT_ALLOWED, MISSING_FIELD, ApiError
from portico.schema import Field, Row, Table
from portico.wire import Wire


def changes_in(ctx: Context, table: Table[Any], core: type[Row], body: Wire) -> dict[str, Any]:
    """Return what `body` says about the columns that a client may set, by Python name.

    Names that nobody knows and columns of `core`, the row without any addition, are ignored.

    Raises:
        ApiError: FIELD_NOT_ALLOWED, for a further column that is not for clients to set.
    """
    refuse_protected(ctx, table)
    for field in _further(table, core):
        if not field.column.input:
            _refuse_closed(ctx, field)
    return table.given(body)


def inputs_in(ctx: Context, table: Table[Any], core: type[Row], body: Wire) -> dict[str, Any]:
    """Return what `body` says about the columns of a new row that a client may set, by Python name.

    Names that nobody knows, columns of `core` and those that have a default of their own are ignored.

    Raises:
        ApiError: FIELD_NOT_ALLOWED, for a further column that is not for clients to set; MISSING_FIELD, for one that
            they have to set.
    """
    refuse_protected(ctx, table)
    for field in _further(table, core):
        if field.column.input:
            if field.is_required and field.name not in body.model_fields_set:
                raise ApiError(replace(MISSING_FIELD, message=f"{field.wire} is required"))
        elif not field.has_default:
            _refuse_closed(ctx, field)
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


def _further(table: Table[Any], core: type[Row]) -> list[Field]:
    return [field for field in table.fields.values() if field.name not in core.model_fields]


def _refuse_closed(ctx: Context, field: Field) -> None:
    # Upstream ignores what JavaScript takes for nothing.
    if ctx.fields.get(field.wire) not in (None, False, 0, ""):
        raise ApiError(replace(FIELD_NOT_ALLOWED, message=f"{field.wire} is not allowed to be set"))
