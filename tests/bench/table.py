"""The table: what was measured, what is wanted, and whether the one meets the other."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Comparison = Literal["at least", "under"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table."""

    name: str
    measured: float | None
    """None if it could not be measured; `detail` says why."""
    wanted: Comparison
    bound: float
    unit: str = ""
    detail: str = ""
    """The figures that it was made from."""

    @property
    def is_met(self) -> bool:
        """Whether it was measured and keeps its bound."""
        if self.measured is None:
            return False
        return self.measured >= self.bound if self.wanted == "at least" else self.measured < self.bound

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Name, measured, wanted, verdict."""
        wanted = f"{self.wanted} {self.bound:g}{self.unit}"
        if self.measured is None:
            return self.name, f"not measured: {self.detail}", wanted, "NOT MEASURED"
        measured = f"{self.measured:.3g}{self.unit}"
        if self.detail:
            measured += f"  ({self.detail})"
        return self.name, measured, wanted, "ok" if self.is_met else "MISSED"


def shown(figures: Iterable[Figure]) -> str:
    """Return the table as text."""
    rows = [("name", "measured", "wanted", "verdict"), *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def say(text: str) -> None:
    """Print a line at once, so that who waits sees how far it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
