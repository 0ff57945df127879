"""One mistake in one place, and which of all mistakes are made."""

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ACCEPTED = Path(__file__).with_name("accepted.toml")
FEWEST = 4
"""Mutants of a module, if it has as many."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a mutant changes, as it is told to people and found again when the code has moved."""

    module: str
    scope: str
    """The function or class that it stands in."""
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.module} {self.scope}\n    - {self.before}\n    + {self.after}"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A module that was made wrong in one place."""

    change: Change
    write: Callable[[], str]
    """Returns the text of the module."""


def drawn(mutants: Iterable[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return about `size` mutants, of each module in proportion; other code and another size leave most as they are."""
    by_module: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_module.setdefault(mutant.change.module, []).append(mutant)
    total = sum(map(len, by_module.values()))
    sample: list[Mutant] = []
    for found in by_module.values():
        share = max(FEWEST, round(size * len(found) / total))
        sample += sorted(found, key=lambda each: _lot(each.change, seed))[:share]
    return sample


def _lot(change: Change, seed: int) -> str:
    return hashlib.sha256(f"{seed} {change!r}".encode()).hexdigest()


def accepted(path: Path = ACCEPTED) -> Mapping[Change, str]:
    """Return the changes that no test needs to notice, each with the reason."""
    listed: list[dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    reasons: dict[Change, str] = {}
    for entry in listed:
        reason = entry.pop("reason")
        reasons[Change(**entry)] = reason
    return reasons


def stale(reasons: Mapping[Change, str], known: Iterable[Change], killed: Iterable[Change]) -> list[Change]:
    """Return what is accepted for nothing: it changes code that is not there, or a test does notice it."""
    there, noticed = set(known), set(killed)
    return [change for change in reasons if change not in there or change in noticed]
