"""Which tests run which lines of a module, and how long each takes."""

import json
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import coverage
import pytest


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What was seen of one run of tests."""

    seconds: Mapping[str, float]
    tests: Mapping[int, list[str]]
    """Of each line that ran: the tests, or a nameless one for what runs when the module is imported."""

    def running(self, lines: Iterable[int]) -> list[str]:
        """Return the tests that run one of some neighbouring lines, the quickest first."""
        first = min(lines)
        # A statement is known by its first line.
        begun = max((line for line in self.tests if line <= first), default=first)
        found = {test for line in {begun, *lines} for test in self.tests.get(line, ())}
        if "" in found:
            found = set(self.seconds)
        return sorted(found, key=lambda test: (self.seconds[test], test))


class Observer:
    """A plugin of pytest that looks at one module."""

    def __init__(self, module: Path) -> None:
        self._module = str(module)
        self._seen = coverage.Coverage(data_file=None, include=[self._module], config_file=False)
        self._seconds: dict[str, float] = {}

    def __enter__(self) -> "Observer":
        self._seen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._seen.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note whose lines are seen, and for how long."""
        self._seen.switch_context(item.nodeid)
        started = monotonic()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = monotonic() - started
            self._seen.switch_context("")

    def write(self, path: Path) -> None:
        """Keep what was seen in a file."""
        tests = self._seen.get_data().contexts_by_lineno(self._module)
        path.write_text(json.dumps({"seconds": self._seconds, "tests": tests}), encoding="utf-8")


def read(path: Path) -> Observed:
    """Return what an observer wrote."""
    written = json.loads(path.read_text(encoding="utf-8"))
    return Observed(seconds=written["seconds"], tests={int(line): each for line, each in written["tests"].items()})
