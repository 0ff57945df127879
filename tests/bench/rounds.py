"""Rounds: noise of the machine lasts longer than one measurement, so neighbours are compared and medians taken."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

NameT = TypeVar("NameT", bound=str)


def alternate(measures: dict[NameT, Callable[[], float]], rounds: int) -> dict[NameT, list[float]]:
    """Return what each measure gave in each round; every other round runs backwards, against drift."""
    found: dict[NameT, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        ordered = list(measures.items())
        for name, measure in ordered if number % 2 == 0 else reversed(ordered):
            found[name].append(measure())
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios within each round."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))
