"""`python -m bench`: measure everything in one run and print one table; `--check` exits with 1 if a bound is missed.

Figures are ratios, so that they mean the same on every machine, and noisy, so that without `--check` they only inform.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import client, get_session, imports, machine, memory, sign_in, storage, wrk
from bench.cpu import Witness
from bench.table import Figure, say, shown


def main() -> None:
    """Measure, print, and say with the exit code how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the hot paths; takes six minutes.")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a figure misses its bound")
    is_checked: bool = parser.parse_args().check
    machine.check()
    wrk.check()
    say(machine.described())
    witness = Witness()
    with TemporaryDirectory() as folder:
        machine.keep_bytecode(Path(folder, "bytecode"))
        figures = list(_measured(Path(folder)))
    say(shown(figures))
    say(witness.report())
    if is_checked and not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _measured(folder: Path) -> Iterator[Figure]:
    for measure in (get_session.figures, storage.figures, sign_in.figures, memory.figures):
        own = folder / measure.__module__
        own.mkdir()
        yield from measure(own)
    yield from imports.figures()
    generated = folder / "client"
    generated.mkdir()
    yield from client.figures(generated)


if __name__ == "__main__":
    main()
