"""Tables of plugins that have dates: a row is added without naming them, whatever made the table."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar

import pytest

from app import plain
from portico import Column, Plugin, Row
from portico.models import SessionT, UserT
from portico.testing import Clock
from portico.wire import Timestamp
from requirements import requirement
from store.database_servers import database_on

pytestmark = [pytest.mark.anyio, requirement("S-259")]

NOT_NULL = {
    "sqlite": 'CREATE TABLE "team" ("id" text PRIMARY KEY, "name" text NOT NULL, "createdAt" date NOT NULL,'
    ' "updatedAt" date NOT NULL)',
    "postgresql": 'CREATE TABLE "team" ("id" text PRIMARY KEY, "name" text NOT NULL, "createdAt" timestamptz NOT NULL,'
    ' "updatedAt" timestamptz NOT NULL)',
    "mysql": "CREATE TABLE team (id varchar(36) PRIMARY KEY, name text NOT NULL, createdAt timestamp(3) NOT NULL,"
    " updatedAt timestamp(3) NOT NULL)",
}
"""As older releases of upstream made such tables."""


class Team(Row):
    name: Annotated[str, Column()]
    created_at: Timestamp
    updated_at: Timestamp


class LooseTeam(Row):
    name: Annotated[str, Column()]
    updated_at: Timestamp | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Teams(Plugin[UserT, SessionT]):
    id: ClassVar[str] = "teams"
    tables = MappingProxyType({"team": Team})


@dataclass(frozen=True, kw_only=True, eq=False)
class LooseTeams(Plugin[UserT, SessionT]):
    id: ClassVar[str] = "loose-teams"
    tables = MappingProxyType({"looseTeam": LooseTeam})


@pytest.fixture
def anyio_backend() -> str:
    """The drivers of servers run on asyncio only."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/auth.db"
        return
    with database_on(request.param) as server:
        yield server.url


@pytest.mark.parametrize("made_by", ["us", "others"])
async def test_a_date_that_the_database_insists_on_is_written(url: str, made_by: str) -> None:
    clock = Clock()
    auth = plain(Teams(), database=url, clock=clock, instrumentation=False)
    if made_by == "others":
        executor = vars(auth.store)["executor"]
        async with executor.transaction() as inside:
            await inside.run(NOT_NULL[url.partition(":")[0]])
    created = await auth.create_schema()
    assert ("team" in created) is (made_by == "us")
    row = await auth.rows(Team).create(auth.context(None), name="Owners")
    # In whole milliseconds, as every database has them.
    assert row.created_at == row.updated_at == clock.now.replace(microsecond=clock.now.microsecond // 1000 * 1000)
    assert await auth.rows(Team).find(auth.context(None), name="Owners") == row
    await auth.close()


async def test_a_date_that_may_be_missing_is_nullable_in_what_we_make(url: str) -> None:
    auth = plain(LooseTeams(), database=url)
    await auth.create_schema()
    await auth.store.create(auth.tables["looseTeam"], {"id": "t1", "name": "Owners", "updated_at": None})
    found = await auth.rows(LooseTeam).find(auth.context(None), id="t1")
    assert found is not None
    assert found.updated_at is None
    row = await auth.rows(LooseTeam).create(auth.context(None), name="Guests")
    assert row.updated_at is not None
    await auth.close()
