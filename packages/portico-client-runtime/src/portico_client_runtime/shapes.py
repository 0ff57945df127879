"""What a decoded JSON value is."""

from collections.abc import Mapping
from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether `value` is a JSON object."""
    return isinstance(value, dict)


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether `value` will be a JSON object."""
    return isinstance(value, Mapping)


def is_collection(value: object) -> TypeGuard[list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any]]:
    """Tell whether `value` is or will be a JSON array."""
    return isinstance(value, list | tuple | set | frozenset)
