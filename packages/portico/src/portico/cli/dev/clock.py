"""A clock that runs, and that can be put forward."""

import math
from datetime import UTC, datetime, timedelta

LONGEST = 100 * 365 * 86400
"""In seconds; dates further away are none to databases."""


class MovedClock:
    """The real time, plus what it was put forward by: codes of an authenticator app fit until somebody moves it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead  # noqa: TID251  # this is a clock

    def advance(self, seconds: float) -> None:
        """Put it forward; raise ValueError for what is no span of time, or leads too far."""
        ahead = self.ahead.total_seconds() + seconds
        if not math.isfinite(seconds) or seconds < 0 or ahead > LONGEST:
            raise ValueError(f"the clock goes forward, by at most {LONGEST} seconds")
        self.ahead = timedelta(seconds=ahead)

    def reset(self) -> None:
        """Show the real time again."""
        self.ahead = timedelta()
