"""Values on their way into a store and back: what each kind of column holds, and what none can."""

import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from portico.errors import UnstorableError
from portico.schema import Field, Kind
from portico.wire import parse_timestamp, timestamp

Encode = Callable[[Any], Any]
Decode = Callable[[Any], Any]

LARGEST = 2**63
CAPITALS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Codec(NamedTuple):
    """How one kind of column is written and read; None is NULL and reaches neither."""

    encode: Encode
    """Raises UnstorableError for what the column cannot hold."""

    decode: Decode | None = None
    """None where the driver gives the value itself."""


def encode_text(value: Any) -> str:
    """Return text that every database can store: no NUL, no lone surrogates."""
    if not isinstance(value, str):
        raise _unstorable(value, "text")
    if "\0" in value:
        raise UnstorableError("text with a NUL character cannot be stored")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UnstorableError("text with a lone surrogate cannot be stored") from None
    return value


def encode_number(value: Any) -> int | float:
    """Return a number of at most 64 bits."""
    if isinstance(value, int) and -LARGEST <= value < LARGEST:
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    raise _unstorable(value, "a number of at most 64 bits")


def encode_boolean(value: Any) -> bool:
    """Return a boolean, and nothing that merely counts as one."""
    if isinstance(value, bool):
        return value
    raise _unstorable(value, "a boolean")


def encode_date(value: Any) -> datetime:
    """Return the moment in UTC, in whole milliseconds as the wire has it."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _unstorable(value, "a date with a time zone")
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise UnstorableError("a date before the year 1 or after 9999 cannot be stored") from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def encode_json(value: Any) -> str:
    """Return compact JSON, as JavaScript writes it."""
    try:
        return to_json(value, inf_nan_mode="null").decode()
    except ValueError:
        raise _unstorable(value, "JSON") from None


def decode_json(value: Any) -> Any:
    """Return what JSON text says; some drivers have read it already."""
    return from_json(value) if isinstance(value, str | bytes) else value


def _encode_date_as_text(value: Any) -> str:
    return timestamp(encode_date(value))


def _encode_boolean_as_number(value: Any) -> int:
    return int(encode_boolean(value))


def _encode_date_without_zone(value: Any) -> datetime:
    return encode_date(value).replace(tzinfo=None)


def _decode_date_without_zone(value: Any) -> datetime:
    moment: datetime = value
    return moment.replace(tzinfo=UTC)


MEMORY: Mapping[Kind, Codec] = {
    "string": Codec(encode_text),
    "number": Codec(encode_number),
    "boolean": Codec(encode_boolean),
    "date": Codec(encode_date),
    "json": Codec(encode_json, decode_json),
}
"""Without a database between: values keep their types."""

SQLITE: Mapping[Kind, Codec] = {
    "string": Codec(encode_text),
    "number": Codec(encode_number),
    "boolean": Codec(_encode_boolean_as_number, bool),
    "date": Codec(_encode_date_as_text, parse_timestamp),
    "json": Codec(encode_json, decode_json),
}


POSTGRES: Mapping[Kind, Codec] = {
    "string": Codec(encode_text),
    "number": Codec(encode_number),
    "boolean": Codec(encode_boolean),
    "date": Codec(encode_date),
    "json": Codec(encode_json, decode_json),
}
"""asyncpg takes and gives values of Python."""

MYSQL: Mapping[Kind, Codec] = {
    "string": Codec(encode_text),
    "number": Codec(encode_number),
    "boolean": Codec(_encode_boolean_as_number, bool),
    "date": Codec(_encode_date_without_zone, _decode_date_without_zone),
    "json": Codec(encode_json, decode_json),
}
"""Dates are in UTC, which every connection is told to speak, and carry no zone."""


def encoder(codecs: Mapping[Kind, Codec], field: Field) -> Encode:
    """Return what encodes a value that is written to `field`, None included."""
    encode = codecs[field.kind].encode
    return (lambda value: None if value is None else encode(value)) if field.nullable else encode


def decoders(codecs: Mapping[Kind, Codec], fields: Mapping[str, Field]) -> list[tuple[str, Decode]]:
    """Return the fields that need decoding, and how."""
    return [(name, decode) for name, field in fields.items() if (decode := codecs[field.kind].decode)]


def fold(text: str) -> str:
    """Return `text` for a comparison that ignores case.

    Only ASCII: folding all of Unicode would take `K` (the Kelvin sign) for `k`, and so one address for another.
    """
    return text.translate(CAPITALS)


def _unstorable(value: object, wanted: str) -> UnstorableError:
    # Not the value itself: it may be a secret.
    return UnstorableError(f"expected {wanted}, got {type(value).__name__}")
