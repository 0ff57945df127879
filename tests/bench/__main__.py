"""`python -m bench`: measure everything in one run and print one table; `--check` exits with 1 if a bound is missed.

Figures are ratios, so that they mean the same on every machine, and noisy, so that without `--check` they only inform.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import client, get_session, imports, machine, memory, million, plugins, sign_in, signing, storage, wrk
from bench.cpu import Witness
from bench.table import Figure, say, shown

SUBJECTS: Mapping[str, Callable[[Path], Iterator[Figure]]] = {
    "get_session": get_session.figures,
    "plugins": plugins.figures,
    "signing": signing.figures,
    "storage": storage.figures,
    "million": million.figures,
    "sign_in": sign_in.figures,
    "memory": memory.figures,
    "imports": imports.figures,
    "client": client.figures,
}


def main() -> None:
    """Measure, print, and say with the exit code how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the hot paths; takes six minutes.")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a figure misses its bound")
    parser.add_argument("subjects", nargs="*", help=f"measure only these: {', '.join(SUBJECTS)}")
    given = parser.parse_args()
    is_checked: bool = given.check
    subjects: list[str] = given.subjects or list(SUBJECTS)
    for each in subjects:
        if each not in SUBJECTS:
            parser.error(f"{each!r} is none of {', '.join(SUBJECTS)}")
    machine.check()
    wrk.check()
    say(machine.described())
    witness = Witness()
    with TemporaryDirectory() as folder:
        machine.keep_bytecode(Path(folder, "bytecode"))
        figures = list(_measured(Path(folder), subjects))
    say(shown(figures))
    say(witness.report())
    if is_checked and not all(figure.is_met for figure in figures):
        raise SystemExit(1)


def _measured(folder: Path, subjects: Sequence[str]) -> Iterator[Figure]:
    for subject in subjects:
        own = folder / subject
        own.mkdir()
        yield from SUBJECTS[subject](own)


if __name__ == "__main__":
    main()
