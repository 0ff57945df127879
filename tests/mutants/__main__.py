"""`python -m mutants`: make a sample of mistakes, one at a time, and see whether the tests that matter notice."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import monotonic

from mutants.mutant import Mutant, accepted, drawn, stale
from mutants.mutations import mutants
from mutants.observer import Observed
from mutants.targets import TARGETS, source_of
from mutants.workbench import Workbench, processes

SEED = 1
SIZE = 400
LEAST = 0.85
"""The share of the sample that tests must notice."""


def main() -> None:
    """Try the sample and say with the exit code whether enough of it was noticed."""
    parser = argparse.ArgumentParser(prog="python -m mutants", description="Test the tests.")
    parser.add_argument("--size", type=int, default=SIZE, help="how many mistakes to make (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="which ones (%(default)s)")
    parser.add_argument("--only", nargs="*", choices=sorted(TARGETS), default=sorted(TARGETS), help="modules")
    given = parser.parse_args()
    started = monotonic()
    known = [mutant for module in given.only for mutant in mutants(module, source_of(module))]
    sample = drawn(known, given.size, given.seed)
    with TemporaryDirectory() as folder:
        starting, count = processes(), os.cpu_count() or 1
        survivors = tried(sample, [Workbench(Path(folder, str(each)), starting) for each in range(count)])
    told = _report(sample, survivors)
    reasons = {change: why for change, why in accepted().items() if change.module in given.only}
    killed = [mutant.change for mutant in sample if mutant not in survivors]
    wrong = stale(reasons, [mutant.change for mutant in known], killed)
    for mutant in survivors:
        told.append(f"survived: {mutant.change}\n    {reasons.get(mutant.change, 'NOT ACCEPTED')}")
    told += [f"accepted for nothing: {change}" for change in wrong]
    share = len(killed) / len(sample)
    told.append(f"{len(killed)} of {len(sample)} mutants ({len(known)} known) killed, {share:.1%}, seed {given.seed}")
    told.append(f"{monotonic() - started:.0f} s")
    sys.stdout.write("\n".join(told) + "\n")
    raise SystemExit(1 if wrong or share < LEAST else 0)


def tried(sample: Iterable[Mutant], benches: Iterable[Workbench]) -> list[Mutant]:
    """Return the mutants that no test noticed."""
    free: SimpleQueue[Workbench] = SimpleQueue()
    for bench in benches:
        free.put(bench)
    sample = list(sample)
    modules = sorted({mutant.change.module for mutant in sample})
    with ThreadPoolExecutor(free.qsize()) as pool:

        def look(module: str) -> Observed:
            bench = free.get()
            try:
                return bench.observed(module)
            finally:
                free.put(bench)

        observed = dict(zip(modules, pool.map(look, modules), strict=True))

        def is_killed(mutant: Mutant) -> bool:
            bench = free.get()
            module = mutant.change.module
            try:
                return bench.is_killed(module, mutant.write(), observed[module])
            finally:
                free.put(bench)

        found = {pool.submit(is_killed, mutant): mutant for mutant in sample}
        for each in as_completed(found):
            sys.stdout.write("." if each.result() else "S")
            sys.stdout.flush()
    sys.stdout.write("\n")
    return [mutant for each, mutant in found.items() if not each.result()]


def _report(sample: Iterable[Mutant], survivors: Iterable[Mutant]) -> list[str]:
    total: Mapping[str, int] = Counter(mutant.change.module for mutant in sample)
    left = Counter(mutant.change.module for mutant in survivors)
    return [f"{module}: {count - left[module]} of {count}" for module, count in total.items()]


if __name__ == "__main__":
    main()
