"""Every plugin does on PostgreSQL what upstream's does there."""

from collections.abc import Iterator

import pytest

from parity.compare import agree
from parity.differences import unexpected
from parity.field import Field
from parity.scenario import Scenario
from parity.scenarios import SCENARIOS
from parity.servers import CONFIGURATIONS
from parity.test_parity import between
from requirements import requirement

pytestmark = requirement("ARCH-formats", "ARCH-schema", "S-153")

PLUGINS = {
    "username",
    "two-factor",
    "sent codes",
    "second factors",
    "magic-link",
    "jwt",
    "multi-session",
    "devices",
}
"""Subjects whose every scenario runs, but for those without a database."""


CHOSEN: list[Scenario] = [
    each for each in SCENARIOS if each.subject in PLUGINS and "STATELESS" not in CONFIGURATIONS[each.configuration]
]
# The server of the database has connections for the servers of one configuration at a time.
CHOSEN.sort(key=lambda scenario: scenario.configuration)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    field = Field(tmp_path_factory.mktemp("postgresql"), "postgresql")
    yield field
    field.close()


@pytest.mark.parametrize("scenario", CHOSEN, ids=str)
def test_portico_answers_as_upstream_does(field: Field, scenario: Scenario) -> None:
    field.leave_others(scenario.configuration)
    found = unexpected(str(scenario), between(field, scenario, "portico"), "portico")
    agree(found)
