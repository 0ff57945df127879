"""Rate limits by client address and path, as upstream counts them.

A window slides: each allowed request moves its start, and it ends after a quiet time of its own length. A refused
request moves nothing.
"""

import math
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from portico.errors import ConfigError

SHARED = "no-trusted-ip"
"""Stands for every client whose address is not known: they share one bucket, so that hiding it gains nothing."""


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """How often one client may call one path."""

    window: int
    """In seconds."""

    max: int
    """Requests in one window."""


class RateLimitStore(Protocol):
    """Where requests are counted; `consume` must be atomic."""

    async def consume(self, key: str, limit: RateLimit, now: float) -> int | None:
        """Count one request at `now`, in seconds; return None if it is allowed, else the seconds to wait."""
        ...


class MemoryRateLimits:
    """Counts in this process; of more than `capacity` keys, the quiet ones are forgotten first."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._counts: dict[str, tuple[int, float, int]] = {}
        self._lock = threading.Lock()

    async def consume(self, key: str, limit: RateLimit, now: float) -> int | None:
        """Count one request; no await happens between looking and counting, and threads take turns."""
        with self._lock:
            count, last, _ = self._counts.get(key, (0, now, 0))
            if now - last > limit.window:
                count = 0
            if count >= limit.max:
                return seconds_left(last, limit, now)
            if count == 0 and len(self._counts) >= self._capacity:
                self._prune(now)
            self._counts[key] = (count + 1, now, limit.window)
            return None

    def _prune(self, now: float) -> None:
        self._counts = {key: entry for key, entry in self._counts.items() if now - entry[1] <= entry[2]}
        if len(self._counts) >= self._capacity:
            # Every key is active: the oldest half makes room, which costs an attacker more addresses than it gains.
            for key in sorted(self._counts, key=lambda each: self._counts[each][1])[: self._capacity // 2]:
                del self._counts[key]


def seconds_left(last: float, limit: RateLimit, now: float) -> int:
    """Return how long a full window that was last used at `last` stays closed."""
    return max(1, math.ceil(last + limit.window - now))


Rule = RateLimit | Literal[False]
"""A limit, or False for none."""

SIGNING = RateLimit(window=10, max=3)
MAILING = RateLimit(window=60, max=3)
SPECIAL: Mapping[str, RateLimit] = {
    "/sign-in**": SIGNING,
    "/sign-up**": SIGNING,
    "/change-password**": SIGNING,
    "/change-email**": SIGNING,
    "/request-password-reset": MAILING,
    "/send-verification-email": MAILING,
    "/forget-password**": MAILING,
    "/email-otp/send-verification-otp": MAILING,
    "/email-otp/request-password-reset": MAILING,
}
"""Upstream's stricter limits; a later layer of rules overrides an earlier one."""


def rule_for(paths: Iterable[str], layers: Iterable[Mapping[str, Rule]], default: Rule) -> Rule:
    """Return the rule of the last layer that names one of an endpoint's paths; decided once, when Auth is built."""
    known, chosen = tuple(paths), default
    for layer in layers:
        for pattern, rule in layer.items():
            if any(matches(pattern, path) for path in known):
                chosen = rule
                break
    return chosen


def matches(pattern: str, path: str) -> bool:
    """Tell whether a path pattern covers `path`: `*` stands for one segment or its rest, `**` for anything."""
    if "*" not in pattern:
        return pattern == path
    parts = re.split(r"(\*\*|\*)", pattern)
    regex = "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(regex, path) is not None


def check(limit: RateLimit) -> None:
    """Refuse a limit that nobody can meet."""
    if limit.window <= 0 or limit.max <= 0:
        raise ConfigError(f"a rate limit needs a window and a max above 0, not {limit!r}; False turns it off")
