"""An endpoint as one Auth serves it: with the plugins' extensions and the app's columns and rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import create_model

from portico.endpoint import Endpoint, Extension
from portico.schema import Row, Table
from portico.wire import Wire


def merge(declared: Endpoint, extensions: Sequence[Extension], tables: Mapping[str, Table[Any]]) -> Endpoint:
    """Return the endpoint with everything that plugins and columns add to it."""
    own = [extension for extension in extensions if extension.path == declared.path]
    reply = resolve(declared.reply, tables)
    for extension in own:
        reply = reply | extension.reply if extension.reply else reply
    added = [extension.body for extension in reversed(own) if extension.body]
    return replace(declared, body=_merged_body(declared, added, tables), reply=reply)


def _merged_body(
    declared: Endpoint, added: Sequence[type[Wire]], tables: Mapping[str, Table[Any]]
) -> type[Wire] | None:
    body = declared.body
    if body is None or not (added or declared.columns or declared.updates):
        return body
    known = {name for model in (body, *added) for name in model.model_fields}
    fields = {name: field for name, field in _columns(declared, tables) if name not in known}
    bases: Any = (*added, body)
    merged: Any = create_model(body.__name__, __base__=bases, __module__=body.__module__, **fields)
    made: type[Wire] = merged
    return made


def _columns(declared: Endpoint, tables: Mapping[str, Table[Any]]) -> Iterator[tuple[str, Any]]:
    for table in (tables[name] for name in (declared.columns, declared.updates) if name):
        for name in table.inputs:
            info = table.row.model_fields[name]
            yield name, (info.annotation, None if declared.updates else info)


def resolve(annotation: Any, tables: Mapping[str, Table[Any]]) -> Any:
    """Put the rows of one Auth in place of the type variables of a reply."""
    if isinstance(annotation, TypeVar):
        return next(table.row for table in tables.values() if issubclass(table.row, annotation.__bound__ or Row))
    origin: Any = get_origin(annotation)
    if origin is not None:
        arguments = tuple(resolve(each, tables) for each in get_args(annotation))
        return Union[arguments] if origin in {Union, UnionType} else origin[arguments]  # noqa: UP007  # from a tuple
    # A generic message that is written with its own variables is the bare class to pydantic.
    variables = getattr(annotation, "__pydantic_generic_metadata__", {}).get("parameters")
    return annotation[tuple(resolve(each, tables) for each in variables)] if variables else annotation
