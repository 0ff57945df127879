"""Claims: what a token says, as JSON text of the very bytes that JavaScript's JSON.stringify writes."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from pydantic_core import PydanticSerializationError, from_json, to_json

Claims = Mapping[str, Any]

_MAYBE_INTEGRAL_FLOAT = re.compile(rb"\.0[,}\]]")
_MAYBE_SURROGATE = re.compile(rb"\\u[dD]")


def write_claims(claims: Claims) -> bytes:
    """Return the JSON text of `claims` in their order, without spaces."""
    try:
        text = to_json(claims, inf_nan_mode="null")
    except PydanticSerializationError:
        # JSON.stringify escapes lone surrogates and nothing else beyond ASCII; pydantic refuses them.
        text = json.dumps(
            _as_javascript(dict(claims)), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode("utf-8", "backslashreplace")
    else:
        if _MAYBE_INTEGRAL_FLOAT.search(text):
            text = to_json(_as_javascript(dict(claims)), inf_nan_mode="null")
    return text


def read_claims(text: bytes) -> dict[str, Any] | None:
    """Return the claims, or None when `text` is not a JSON object."""
    try:
        claims = from_json(text, allow_inf_nan=False)
    except ValueError:
        claims = _read_with_surrogates(text)
    return claims if is_object(claims) else None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a JSON value is an object."""
    return isinstance(value, dict)


def are_current(claims: Claims, now: int, *, leeway: int = 0, must_expire: bool = True) -> bool:
    """Tell whether `now`, in unix seconds, lies between `nbf` and `exp`. See RFC 7519 §4.1.

    `leeway` is the tolerated difference between two clocks, in seconds.
    """
    expires = claims.get("exp", None if must_expire else now + 1)
    begins = claims.get("nbf", now)
    if not _is_number(expires) or not _is_number(begins):
        return False
    return bool(begins - leeway <= now < expires + leeway)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_array(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether a JSON value is an array."""
    return isinstance(value, list | tuple)


def _as_javascript(value: Any) -> Any:
    """Return `value` with the numbers that JavaScript would write: 5 for 5.0, null for what is not finite."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004  # from here on JavaScript writes an exponent
            return int(value)
        return value if value - value == 0 else None
    if is_object(value):
        return {key: _as_javascript(each) for key, each in value.items()}
    if is_array(value):
        return [_as_javascript(each) for each in value]
    return value


def _read_with_surrogates(text: bytes) -> Any:
    if not _MAYBE_SURROGATE.search(text):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
