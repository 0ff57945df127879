"""Values on their way into a store and back: what each kind of column holds, and what none can."""

import re
import string
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple, cast
from uuid import UUID

from pydantic_core import from_json, to_json

from portico.errors import UnstorableError
from portico.kinds import Kind, plain_numbers
from portico.schema import Field
from portico.wire import parse_timestamp, timestamp

Encode = Callable[[Any], Any]
Decode = Callable[[Any], Any]

LARGEST = 2**63
NOBODYS = UUID(int=0)
NOBODY = 0
"""No serial id."""
SERIAL = re.compile(r"-?[1-9][0-9]{0,18}")
CAPITALS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Codec(NamedTuple):
    """How one kind of column is written and read; None is NULL and reaches neither."""

    encode: Encode
    """Raises UnstorableError for what the column cannot hold."""

    decode: Decode | None = None
    """None where the driver gives the value itself."""

    find: Encode | None = None
    """How a value to look for is written, if otherwise: what no row can hold finds none."""

    @property
    def seek(self) -> Encode:
        """Return what encodes a value to look for."""
        return self.find or self.encode


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


def encode_texts(value: Any) -> str:
    """Return a list of text as compact JSON; text that holds such a list is none."""
    return encode_json([encode_text(each) for each in _listed(value)])


def encode_numbers(value: Any) -> str:
    """Return a list of numbers as compact JSON, whole ones without a point as in JavaScript."""
    return encode_json([_plain_number(each) for each in _listed(value)])


def _listed(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return cast("Sequence[Any]", value)
    raise _unstorable(value, "a list")


def _plain_number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise _unstorable(value, "a number")
    number: int | float = plain_numbers(encode_number(value))
    return number


def encode_serial(value: Any) -> int:
    """Return the number that an id is in the database."""
    number = seek_serial(value)
    if number == NOBODY:
        raise _unstorable(value, "the text of a number")
    return number


def seek_serial(value: Any) -> int:
    """Return the number of an id, whose only spelling is this; of other text, one that no row has."""
    text = encode_text(value)
    number = int(text) if SERIAL.fullmatch(text) else NOBODY
    return number if -LARGEST <= number < LARGEST else NOBODY


def encode_uuid(value: Any) -> UUID:
    """Return the UUID that an id is in the database."""
    found = seek_uuid(value)
    if found == NOBODYS:
        raise _unstorable(value, "the text of a UUID")
    return found


def seek_uuid(value: Any) -> UUID:
    """Return the UUID of an id, whose only spelling is this; of other text, one that no row has."""
    text = encode_text(value)
    try:
        found = UUID(text)
    except ValueError:
        return NOBODYS
    return found if str(found) == text else NOBODYS


def decode_json(value: Any) -> Any:
    """Return what JSON text says; some drivers have read it already."""
    return from_json(value) if isinstance(value, str | bytes) else value


def _encode_date_as_text(value: Any) -> str:
    return timestamp(encode_date(value))


def _encode_boolean_as_number(value: Any) -> int:
    return int(encode_boolean(value))


class Moment(datetime):
    """A date in UTC that drivers also take for one without a time zone, which is what some columns hold.

    asyncpg asks the column, and encodes what it holds as the time since an epoch that has a zone or not.
    """

    def __sub__(self, other: Any) -> Any:
        """Return the time since another date, whether or not that has a zone."""
        has_zone = not isinstance(other, datetime) or other.tzinfo is not None
        return datetime.__sub__(self if has_zone else self.replace(tzinfo=None), other)


def _encode_date_with_or_without_zone(value: Any) -> Moment:
    moment = encode_date(value)
    return Moment.combine(moment.date(), moment.timetz())


def _decode_date_with_or_without_zone(value: Any) -> datetime:
    moment: datetime = value
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


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
    "string[]": Codec(encode_texts, decode_json),
    "number[]": Codec(encode_numbers, decode_json),
    "uuid": Codec(encode_text),
    "serial": Codec(encode_serial, str, seek_serial),
}
"""Without a database between: values keep their types."""

SQLITE: Mapping[Kind, Codec] = {
    "string": Codec(encode_text),
    "number": Codec(encode_number),
    "boolean": Codec(_encode_boolean_as_number, bool),
    "date": Codec(_encode_date_as_text, parse_timestamp),
    "json": Codec(encode_json, decode_json),
    "string[]": Codec(encode_texts, decode_json),
    "number[]": Codec(encode_numbers, decode_json),
    "uuid": Codec(encode_text),
    "serial": Codec(encode_serial, str, seek_serial),
}


POSTGRES: Mapping[Kind, Codec] = {
    "string": Codec(encode_text),
    "number": Codec(encode_number),
    "boolean": Codec(encode_boolean),
    "date": Codec(_encode_date_with_or_without_zone, _decode_date_with_or_without_zone),
    "json": Codec(encode_json, decode_json),
    "string[]": Codec(encode_texts, decode_json),
    "number[]": Codec(encode_numbers, decode_json),
    "uuid": Codec(encode_uuid, str, seek_uuid),
    "serial": Codec(encode_serial, str, seek_serial),
}
"""asyncpg takes and gives values of Python.

Older releases of upstream, and the schemas of Drizzle and Prisma, have dates without a time zone; they are in UTC."""

MYSQL: Mapping[Kind, Codec] = {
    "string": Codec(encode_text),
    "number": Codec(encode_number),
    "boolean": Codec(_encode_boolean_as_number, bool),
    "date": Codec(_encode_date_without_zone, _decode_date_without_zone),
    "json": Codec(encode_json, decode_json),
    "string[]": Codec(encode_texts, decode_json),
    "number[]": Codec(encode_numbers, decode_json),
    "uuid": Codec(encode_text),
    "serial": Codec(encode_serial, str, seek_serial),
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
