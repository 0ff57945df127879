"""How far long work has come: bars on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

import typer

STEPS = 10
"""How many lines there are about one thing, where there is no terminal."""


@contextmanager
def progress(totals: Mapping[str, int]) -> Generator[Callable[[str, int], None]]:
    """Give a function to call with what was worked on and how much of it was done; `totals` say how much there is."""
    if not sys.stdout.isatty():
        yield _Lines(totals).advance
        return
    from rich import progress as bars  # noqa: PLC0415  # a server has no use for them

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, transient=True) as shown:
        tasks = {name: shown.add_task(name, total=total) for name, total in totals.items()}

        def advance(name: str, done: int) -> None:
            shown.advance(tasks[name], done)

        yield advance


@contextmanager
def working(what: str) -> Generator[None]:
    """Say on a terminal that something is under way whose length nobody knows, and for how long."""
    if not sys.stdout.isatty():
        yield
        return
    from rich import progress as bars  # noqa: PLC0415  # as above

    columns = (bars.SpinnerColumn(), bars.TextColumn("{task.description}"), bars.TimeElapsedColumn())
    with bars.Progress(*columns, transient=True) as shown:
        shown.add_task(what, total=None)
        yield


class _Lines:
    """Says each tenth of the work."""

    def __init__(self, totals: Mapping[str, int]) -> None:
        self._totals = totals
        self._done = dict.fromkeys(totals, 0)

    def advance(self, name: str, done: int) -> None:
        before, total = self._done[name], self._totals[name]
        now = self._done[name] = before + done
        if total > 0 and before * STEPS // total < now * STEPS // total and now < total:
            typer.echo(f"{name} {now} of {total}")
