"""An endpoint as one Auth serves it: with the plugins' extensions and the app's columns and rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BeforeValidator, create_model
from pydantic.fields import FieldInfo

from portico.endpoint import Endpoint, EndpointGroup, Plugin
from portico.http import Html
from portico.messages import Challenge
from portico.options import AdvancedOptions, SessionOptions
from portico.schema import Column, Field, Row, Table
from portico.wire import Needed, NotNull, Wire, parse_timestamp


def merge(
    declared: Endpoint,
    group: EndpointGroup[Any, Any],
    plugins: Sequence[Plugin[Any, Any]],
    tables: Mapping[str, Table[Any]],
) -> Endpoint:
    """Return the endpoint of `group` with everything that plugins and columns add to it."""
    extensions = [each for plugin in plugins for each in plugin.extensions if each.path == declared.path]
    reply = resolve(declared.reply, tables)
    if Challenge in get_args(reply):
        # Who signs in may be asked for one more step by every plugin, but not for the step that this is.
        steps = [challenge for plugin in plugins if plugin is not group for challenge in plugin.challenges()]
        reply = Union[(reply, *steps)]  # from a tuple
    return replace(
        declared,
        plugin=group.id if isinstance(group, Plugin) else declared.plugin,
        body=_merged_body(declared, [each.body for each in reversed(extensions) if each.body], tables),
        errors=(*declared.errors, *(error for each in extensions for error in each.errors)),
        reply=reply,
    )


def adapt(endpoint: Endpoint, session: SessionOptions, advanced: AdvancedOptions) -> Endpoint:
    """Return an endpoint as the options want it: with a stricter session rule, or a page that asks first."""
    if endpoint.sensitive and session.fresh_for_sensitive:
        own = endpoint.session if isinstance(endpoint.session, tuple) else (endpoint.session,)
        endpoint = replace(endpoint, session=(*own, "fresh"))
    if endpoint.confirmation is not None and advanced.confirm_mailed_links:
        return replace(endpoint, reply=Union[endpoint.reply, Html])  # noqa: UP007  # of values, not of annotations
    return replace(endpoint, routes=tuple(route for route in endpoint.routes if not route.confirms), confirmation=None)


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
            yield name, _sent(table.row.model_fields[name], table.fields[name], is_update=bool(declared.updates))


def _sent(info: FieldInfo, field: Field, *, is_update: bool) -> Any:
    """Return a column as a body has it, validated as in the row."""
    markers: list[Any] = [each for each in info.metadata if not isinstance(each, Column)]
    if field.kind == "date":
        # Strict validation takes no text for a date, and a decoded JSON body holds nothing else.
        markers.append(BeforeValidator(parse_timestamp))
    sent: Any = Annotated[(info.annotation, *markers)] if markers else info.annotation
    if is_update:
        return sent, None
    if field.is_required:
        return Annotated[sent | None, *(() if field.nullable else (NotNull(),)), Needed()], None
    return sent, FieldInfo(default=info.default, default_factory=info.default_factory)


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
