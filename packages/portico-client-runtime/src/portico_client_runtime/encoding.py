"""Python values in paths, queries and bodies."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel
from pydantic_core import to_json

from portico_client_runtime.errors import ConfigError
from portico_client_runtime.operation import Omit
from portico_client_runtime.shapes import is_collection, is_mapping


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a path with its `{placeholders}` filled in.

    Raises:
        ConfigError: A value would lead to another path: it is empty, `.` or `..`.
    """
    for name, value in values.items():
        # Servers and proxies resolve dot segments even if they are percent-encoded.
        if value in {"", ".", ".."}:
            raise ConfigError(f"{name}={value!r} cannot be part of the path {template}")
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


def query_string(values: Mapping[str, Any]) -> str:
    """Return the query; OMIT and None are left out, a list is a repeated name."""
    return urlencode([*_query_fields(values)]) if values else ""


def body_bytes(values: Mapping[str, Any]) -> bytes:
    """Return a body as JSON; OMIT is left out, None is null, models are written by alias without what was not set."""
    return to_json(_plain(values))


def _query_fields(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        for each in value if is_collection(value) else (value,):
            if each is not None and not isinstance(each, Omit):
                yield name, _text(each)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, BaseModel) or is_mapping(value):
        return to_json(_plain(value)).decode()
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        # What was not set must not be sent as null: a server may refuse null where it accepts nothing.
        return _plain(value.model_dump(by_alias=True, exclude_unset=True))
    if isinstance(value, datetime):
        return timestamp(value)
    if is_mapping(value):
        return {name: _plain(each) for name, each in value.items() if not isinstance(each, Omit)}
    if is_collection(value):
        return [_plain(each) for each in value]
    return value


def timestamp(moment: datetime) -> str:
    """Return `moment` as JavaScript writes dates; one without a time zone is local time."""
    return moment.astimezone(UTC).isoformat("T", "milliseconds")[:23] + "Z"
