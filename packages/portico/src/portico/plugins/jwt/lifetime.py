"""When a token ends, from a text such as `15m`, a duration or a moment."""

import math
import re
from datetime import datetime, timedelta

from portico.errors import ConfigError
from portico.plugins.jwt.declarations import Lifetime

DAY = 24 * 60 * 60
UNITS = {
    "s sec secs second seconds": 1,
    "m min mins minute minutes": 60,
    "h hr hrs hour hours": 60 * 60,
    "d day days": DAY,
    "w week weeks": 7 * DAY,
    "mo month months": 30 * DAY,
    "y yr yrs year years": 31_557_600,
}
SECONDS = {name: seconds for names, seconds in UNITS.items() for name in names.split()}
SPAN = re.compile(
    r"(?P<sign>[+-]?) ?(?P<number>\d+(?:\.\d+)?) ?(?P<unit>[a-z]+)(?P<way> from now| ago)?", re.ASCII | re.IGNORECASE
)


def ends_at(lifetime: Lifetime, issued: int) -> int:
    """Return the end of a token that was issued then, both in unix seconds.

    Raises:
        ConfigError: the text is no span of time.
    """
    if isinstance(lifetime, datetime):
        return int(lifetime.timestamp())
    if isinstance(lifetime, timedelta):
        return issued + round(lifetime.total_seconds())
    return issued + _seconds(lifetime)


def _seconds(text: str) -> int:
    # Of a number upstream makes the end itself, and a reader a span: it is text, and refused.
    span = SPAN.fullmatch(str(text))
    unit = SECONDS.get(span["unit"].lower()) if span else None
    length = float(span["number"]) * unit if span and unit else math.inf
    if span is None or not math.isfinite(length) or (span["sign"] and span["way"]):
        raise ConfigError(f"a lifetime is a text such as '15m' or '2 days', a timedelta or a datetime, not {text!r}")
    is_past = span["sign"] == "-" or (span["way"] or "").lower() == " ago"
    # Half a second counts as upstream counts it: forward.
    return math.floor((-length if is_past else length) + 0.5)
