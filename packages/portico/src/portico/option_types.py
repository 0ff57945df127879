"""Whether options have the types that they are declared with, as far as that can be told when an Auth is built."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, is_typeddict

from portico.errors import ConfigError

NUMBERS: Mapping[Any, tuple[type, ...]] = {int: (int, float), float: (int, float)}
MANY: Collection[Any] = (Collection, Iterable, Sequence, list, tuple, set, frozenset)
WORDS: Mapping[Any, str] = {
    int: "a number",
    float: "a number",
    str: "a text",
    bool: "True or False",
    NoneType: "None",
    Callable: "a function",
    **dict.fromkeys(MANY, "a list"),
    Mapping: "a mapping",
}


def check_types(options: Any) -> None:
    """Refuse what fits no type of its field, in options and in options within them."""
    if isinstance(options, list | tuple):
        for each in cast("Sequence[Any]", options):
            check_types(each)
    elif is_dataclass(options) and not isinstance(options, type):
        for field in fields(options):
            check_type(f"{type(options).__name__}({field.name}=...)", getattr(options, field.name), field.type)


def check_type(name: str, value: object, declared: Any) -> None:
    """Refuse a value that does not fit the declared type of the option `name`.

    The value itself is told only where there are few to choose from: others may be secrets.
    """
    if not any(_fits(value, each) for each in _members(declared)):
        given = repr(value) if value is None or _has_choices(declared) else type(value).__name__
        raise ConfigError(f"{name} takes {' or '.join(dict.fromkeys(_words(declared)))}, not {given}")
    check_types(value)


def _members(declared: Any) -> tuple[Any, ...]:
    """Return the types of a union, and of a type alone."""
    if get_origin(declared) is Annotated:
        return _members(get_args(declared)[0])
    if get_origin(declared) in {Union, UnionType}:
        return tuple(member for each in get_args(declared) for member in _members(each))
    return (NoneType,) if declared is None else (declared,)


def _has_choices(declared: Any) -> bool:
    return any(get_origin(each) is Literal for each in _members(declared))


def _fits(value: object, kind: Any) -> bool:
    origin = get_origin(kind) or kind
    if origin is Literal:
        return any(value is each or (value == each and type(value) is type(each)) for each in get_args(kind))
    if origin in NUMBERS:
        return isinstance(value, NUMBERS[origin]) and not isinstance(value, bool)
    # What is quoted, a variable, a protocol or anything at all is left to type checkers.
    if origin is Any or not isinstance(origin, type) or getattr(origin, "_is_protocol", False):
        return True
    if is_typeddict(origin):
        return isinstance(value, Mapping)
    if origin in MANY:
        # A list does for a tuple; a text would be taken for its letters.
        return isinstance(value, Collection) and not isinstance(value, str | bytes)
    return isinstance(value, origin)


def _words(declared: Any) -> Iterator[str]:
    """Say what is wanted, for people."""
    for each in _members(declared):
        origin = get_origin(each) or each
        if origin is Literal:
            yield from map(repr, get_args(each))
        else:
            yield WORDS.get(origin) or str(getattr(origin, "__name__", origin))
