"""Which mistakes are made on purpose, and which of them no test needs to notice."""

from pathlib import Path

from mutants.mutant import FEWEST, Change, Mutant, accepted, drawn, stale
from requirements import requirement


def change(number: int, module: str = "cookies") -> Change:
    return Change(module=module, scope="read", before=f"return {number}", after=f"return {number + 1}")


def mutants(module: str, count: int) -> list[Mutant]:
    return [Mutant(change=change(number, module), write=str) for number in range(count)]


@requirement("ARCH-mutants")
def test_a_seed_draws_the_same_mistakes_of_each_module_in_proportion() -> None:
    known = mutants("cookies", 300) + mutants("origin", 100) + mutants("digest", 3)
    sample = drawn(known, 80, 1)
    modules = [mutant.change.module for mutant in sample]
    assert [modules.count(module) for module in ("cookies", "origin", "digest")] == [60, 20, 3]
    assert {mutant.change for mutant in drawn(known[::-1], 80, 1)} == {mutant.change for mutant in sample}
    assert {mutant.change for mutant in drawn(known, 80, 2)} != {mutant.change for mutant in sample}
    assert len(drawn(mutants("random", 60), 1, 1)) == FEWEST


@requirement("ARCH-mutants")
def test_most_of_a_sample_stays_when_the_code_or_the_size_changes() -> None:
    sample = {mutant.change for mutant in drawn(mutants("cookies", 300), 60, 1)}
    assert len(sample & {mutant.change for mutant in drawn(mutants("cookies", 310), 60, 1)}) > 50
    assert sample <= {mutant.change for mutant in drawn(mutants("cookies", 300), 90, 1)}


@requirement("ARCH-mutants")
def test_what_is_accepted_for_nothing_is_found() -> None:
    lived, noticed, gone = change(1), change(2), change(3)
    reasons = dict.fromkeys((lived, noticed, gone), "the same")
    assert stale(reasons, known=[lived, noticed], killed=[noticed]) == [noticed, gone]


@requirement("ARCH-mutants")
def test_each_accepted_mistake_has_a_reason(tmp_path: Path) -> None:
    assert all(reason.strip() for reason in accepted().values())
    (tmp_path / "empty.toml").write_text("")
    assert accepted(tmp_path / "empty.toml") == {}
