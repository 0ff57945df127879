"""Which key signs, which keys are published, and when the next one is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portico.errors import ConfigError
from portico.plugins.jwt.declarations import Jwk

LONGEST_LEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How the keys of one Auth take turns."""

    interval: timedelta | None
    """How long a key signs; None if it does so forever."""
    grace: timedelta
    """How long it is published afterwards."""
    keep: int | None
    """How many keys are, at most."""

    @classmethod
    def of(cls, interval: int | None, grace: int, keep: int | None) -> "Rotation":
        """Read the options; the times are in seconds, and no interval or 0 is none."""
        if (interval or 0) < 0 or grace < 0 or (keep or 0) < 0:
            raise ConfigError("jwt: rotation_interval, grace_period and keep_previous_keys count from 0")
        return cls(timedelta(seconds=interval) if interval else None, timedelta(seconds=grace), keep)

    @property
    def lead(self) -> timedelta:
        """How long a key is published before it signs, so that who keeps a copy of the key set has it by then."""
        return timedelta(0) if self.interval is None else min(LONGEST_LEAD, self.interval / 4)

    def published(self, keys: Sequence[Jwk], now: datetime) -> list[Jwk]:
        """Return the keys that sign or will, and those whose tokens are still to be verified."""
        ended = {key.id: key.expires_at for key in keys if key.expires_at is not None and key.expires_at <= now}
        kept = sorted((each for each, end in ended.items() if end + self.grace > now), key=ended.__getitem__)
        kept = kept[max(0, len(kept) - self.keep) :] if self.keep is not None else kept
        return [key for key in keys if key.id not in ended or key.id in kept]

    def chosen(self, keys: Sequence[Jwk], now: datetime) -> Jwk | None:
        """Return the key to sign with, of keys of one algorithm: the newest that is known by now."""
        live = sorted((key for key in keys if _is_live(key, now)), key=_age)
        known = [key for key in live if key.created_at + self.lead <= now]
        return known[-1] if known else live[0] if live else None

    def is_due(self, current: Jwk, keys: Sequence[Jwk], now: datetime) -> bool:
        """Tell whether the key after `current` is to be published now."""
        end = self.end_of(current)
        if end is None or now < end - self.lead:
            return False
        return not any(_age(key) > _age(current) and _is_live(key, now) for key in keys)

    def end_of(self, key: Jwk) -> datetime | None:
        """Return when a key stops to sign, also one that was made before keys took turns."""
        if key.expires_at is not None or self.interval is None:
            return key.expires_at
        return key.created_at + self.interval

    def end_after(self, previous: Jwk | None, now: datetime) -> datetime | None:
        """Return when the key stops to sign that is made now, and takes over when the previous one ends."""
        if self.interval is None:
            return None
        end = self.end_of(previous) if previous is not None else None
        return max(end or now, now) + self.interval


def _is_live(key: Jwk, now: datetime) -> bool:
    return key.expires_at is None or key.expires_at > now


def _age(key: Jwk) -> tuple[datetime, str]:
    return key.created_at, key.id
