"""Annotations of columns → what a database keeps of them."""

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, is_typeddict

from typing_extensions import TypeAliasType

from portico.errors import ConfigError

Kind = Literal["string", "number", "boolean", "date", "json", "string[]", "number[]", "uuid", "serial"]
"""What a column holds; each dialect has one database type for it.

The last two are ids: text to everybody but stores."""

SCALARS: Mapping[Any, Kind] = {str: "string", int: "number", float: "number", bool: "boolean", datetime: "date"}
LISTS: Mapping[Kind, Kind] = {"string": "string[]", "number": "number[]"}
SEQUENCES = frozenset({list, Sequence, MutableSequence})
LARGEST_EXACT = 2**53
"""Up to here a float holds every whole number."""
JSON = frozenset({dict, Mapping, MutableMapping, *SEQUENCES, Any, object})


def is_nullable(annotation: Any) -> bool:
    """Tell whether None is among the values."""
    return NoneType in _members(annotation)


def has_floats(annotation: Any) -> bool:
    """Tell whether the values are fractional numbers or lists of them."""
    members = _members(annotation)
    lists = [part for each in members if get_origin(each) in SEQUENCES for part in get_args(each)]
    return float in members or any(has_floats(each) for each in lists)


def plain_numbers(value: Any) -> Any:
    """Return numbers as JavaScript has them: whole ones without a point."""
    if isinstance(value, list | tuple):
        return [plain_numbers(each) for each in cast("Sequence[Any]", value)]
    is_whole = isinstance(value, float) and abs(value) < LARGEST_EXACT and value.is_integer()
    return int(value) if is_whole else value


def kind_of(annotation: Any, name: str) -> Kind:
    """Return what a column of this annotation holds.

    Raises:
        ConfigError: reading such a column could not give back what was written.
    """
    kinds: set[Kind] = {_kind(each, name) for each in _members(annotation) if each is not NoneType}
    return kinds.pop() if len(kinds) == 1 else "json"


def _kind(member: Any, name: str) -> Kind:
    """Return the kind of one plain type."""
    if member in SCALARS:
        return SCALARS[member]
    origin = get_origin(member) or member
    if origin in SEQUENCES and get_args(member):
        return LISTS.get(kind_of(get_args(member)[0], name), "json")
    if origin in JSON or is_typeddict(origin):
        return "json"
    raise ConfigError(
        f"the column {name} cannot hold {member!r}: there are str, int, float, bool, datetime, Literal[...], "
        "lists of these, and dict or TypedDict for JSON"
    )


def _members(annotation: Any) -> list[Any]:
    """Return the plain types of an annotation: without Annotated, unions and literals taken apart."""
    origin = get_origin(annotation)
    if isinstance(annotation, TypeAliasType):
        return _members(annotation.__value__)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return [kind for each in get_args(annotation) for kind in _members(each)]
    if origin is Literal:
        return [type(value) for value in get_args(annotation)]
    return [annotation]
