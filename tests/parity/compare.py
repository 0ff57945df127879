"""Finds every difference between two normal forms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import pytest

from parity.normal_form import Random, Text, Tree


@dataclass(frozen=True)
class Difference:
    """What upstream did and the other side did not."""

    place: str
    """Step, then the path into the answer, such as `1 POST /sign-out: cookies.0.attributes`."""
    upstream: str
    other: str

    def __str__(self) -> str:
        return f"{self.place}\n    upstream: {self.upstream}\n    other:    {self.other}"


@dataclass(frozen=True)
class Deliberate:
    """A difference that Portico means to have; the patterns are those of fnmatch."""

    scenario: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.scenario} {self.place}"

    def concerns(self, scenario: str) -> bool:
        return fnmatchcase(scenario, self.scenario)

    def covers(self, scenario: str, difference: Difference) -> bool:
        return self.concerns(scenario) and fnmatchcase(difference.place, self.place)


@dataclass(frozen=True)
class OwnRows:
    """Rows that Portico keeps in one of upstream's tables, told by the pattern of one column."""

    table: str
    column: str
    pattern: str
    reason: str

    def __str__(self) -> str:
        return f"{self.table} {self.pattern}"

    def are(self, row: Mapping[str, object]) -> bool:
        return fnmatchcase(str(row.get(self.column)), self.pattern)


def without(own: Sequence[OwnRows], rows: Mapping[str, list[dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
    """Return the rows that upstream would know too."""
    return {
        table: [row for row in found if not any(each.table == table and each.are(row) for each in own)]
        for table, found in rows.items()
    }


def compare(upstream: dict[str, Tree], other: dict[str, Tree]) -> list[Difference]:
    """Return the differences between two runs of one scenario."""
    pairing = _Pairing()
    found: list[Difference] = []
    for step in [*upstream, *(step for step in other if step not in upstream)]:
        found += pairing.differences(f"{step}: ", upstream.get(step), other.get(step))
    return found


def agree(found: Sequence[Difference]) -> None:
    """Fail the test with every difference that was found."""
    if found:
        pytest.fail("\n".join(["", *map(str, found)]), pytrace=False)


@dataclass
class _Pairing:
    """Random values that stand for each other: each has one partner for the whole run."""

    partners: dict[Random, Random] = field(default_factory=dict[Random, Random])
    taken: dict[Random, Random] = field(default_factory=dict[Random, Random])

    def differences(self, place: str, upstream: Tree, other: Tree) -> Iterator[Difference]:
        if isinstance(upstream, dict) and isinstance(other, dict):
            yield from self._objects(place, upstream, other)
        elif isinstance(upstream, list) and isinstance(other, list):
            yield from self._lists(place, upstream, other)
        elif not self._equal(upstream, other):
            yield Difference(place, _shown(upstream), _shown(other))

    def _objects(self, place: str, upstream: dict[str, Tree], other: dict[str, Tree]) -> Iterator[Difference]:
        if list(upstream) != list(other) and set(upstream) == set(other):
            yield Difference(f"{place}(order)", ", ".join(upstream), ", ".join(other))
        for key in [*upstream, *(key for key in other if key not in upstream)]:
            below = f"{place}{key}" if place.endswith(": ") else f"{place}.{key}"
            if key not in other:
                yield Difference(below, _shown(upstream[key]), "(absent)")
            elif key not in upstream:
                yield Difference(below, "(absent)", _shown(other[key]))
            else:
                yield from self.differences(below, upstream[key], other[key])

    def _lists(self, place: str, upstream: list[Tree], other: list[Tree]) -> Iterator[Difference]:
        if len(upstream) != len(other):
            yield Difference(place, _shown(upstream), _shown(other))
            return
        for index, (one, two) in enumerate(zip(upstream, other, strict=True)):
            yield from self.differences(f"{place}.{index}", one, two)

    def _equal(self, upstream: Tree, other: Tree) -> bool:
        if isinstance(upstream, Text) and isinstance(other, Text):
            return len(upstream.parts) == len(other.parts) and all(
                self._equal(one, two) for one, two in zip(upstream.parts, other.parts, strict=True)
            )
        if isinstance(upstream, Random) and isinstance(other, Random):
            return self._partners(upstream, other)
        return type(upstream) is type(other) and bool(upstream == other)

    def _partners(self, upstream: Random, other: Random) -> bool:
        if upstream.kind != other.kind or len(upstream.value) != len(other.value):
            return False
        return self.partners.setdefault(upstream, other) == other and self.taken.setdefault(other, upstream) == upstream


def _shown(value: Tree) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(_shown(each) for each in value) + "]"
        case str():
            return repr(value)
        case _:
            return str(value)
