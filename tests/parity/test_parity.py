"""Portico answers every scenario as upstream does, apart from the listed differences."""

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from parity.compare import Deliberate, Difference, OwnRows, agree, compare, without
from parity.differences import DIFFERENCES, OWN_ROWS, unexpected
from parity.field import Field
from parity.normal_form import normal_form
from parity.rows import ELSEWHERE, ROWS
from parity.scenario import Scenario
from parity.scenarios import SCENARIOS, SUBJECTS
from parity.servers import CONFIGURATIONS, Side
from requirements import BEHAVIOURS, requirement

pytestmark = requirement("ARCH-formats")

CONTROLS = [
    max((each for each in SCENARIOS if each.subject == subject), key=lambda each: len(each.steps))
    for subject in SUBJECTS
]
"""The longest scenario of each subject: what differs between two runs of upstream's would be no difference of ours."""


def between(field: Field, scenario: Scenario, other: Side) -> list[Difference]:
    expected, actual = field.transcripts(scenario, "upstream", other)
    if other == "portico":
        actual = replace(actual, rows=without(OWN_ROWS, actual.rows))
    return compare(normal_form(expected), normal_form(actual))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_portico_answers_as_upstream_does(field: Field, scenario: Scenario) -> None:
    found = unexpected(str(scenario), between(field, scenario, "portico"), "portico")
    agree(found)


@pytest.mark.parametrize("scenario", CONTROLS, ids=str)
def test_upstream_answers_as_it_does_itself(field: Field, scenario: Scenario) -> None:
    found = between(field, scenario, "upstream again")
    agree(found)


@pytest.mark.parametrize("known", DIFFERENCES, ids=str)
def test_a_listed_difference_still_occurs(field: Field, known: Deliberate) -> None:
    affected = [each for each in SCENARIOS if known.concerns(str(each))]
    assert any(known.covers(str(each), found) for each in affected for found in between(field, each, "portico"))


@pytest.mark.parametrize("own", OWN_ROWS, ids=str)
def test_rows_of_our_own_still_occur(field: Field, own: OwnRows) -> None:
    configurations = {"plugins", "mails", "tokens"}
    runs = (field.transcripts(each, "portico")[0] for each in SCENARIOS if each.configuration in configurations)
    assert any(own.are(row) for run in runs for row in run.rows[own.table])


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_both_make_the_same_tables(field: Field, configuration: str) -> None:
    ours, theirs = (field.server(side, configuration).database.schema() for side in ("portico", "upstream"))
    assert ours == theirs


@pytest.mark.parametrize("row", ROWS)
def test_scenarios_show_each_behaviour_of_the_core(row: str) -> None:
    names = [str(each) for each in SCENARIOS]
    assert [pattern for pattern in ROWS[row] if not any(fnmatchcase(name, pattern) for name in names)] == []


def test_every_behaviour_of_the_core_is_shown_by_scenarios_or_elsewhere() -> None:
    core = {row for row in BEHAVIOURS if int(row[2:]) < 64} | {"B-75", "B-76"}
    assert ROWS.keys() | ELSEWHERE.keys() == core
    assert not ROWS.keys() & ELSEWHERE.keys()


def test_every_scenario_has_a_name_of_its_own() -> None:
    names = [str(each) for each in SCENARIOS]
    assert sorted(set(names)) == sorted(names)
