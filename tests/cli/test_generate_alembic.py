"""A generated revision of Alembic goes up and down, and agrees with the generated models."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.described import described, is_formatted
from portico.cli.generate.alembic_revision import alembic_revision
from portico.cli.generate.sqlalchemy_models import sqlalchemy_models
from portico.store.ddl.dialects import ddl_dialect_of
from requirements import requirement
from store.places import OWN, Place, PlaceName, place_at

pytestmark = [pytest.mark.anyio, requirement("ARCH-generate")]

DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "asyncmy"}
INI = """
[alembic]
script_location = %(here)s/migrations
path_separator = os
"""
ENV = """
import asyncio
import os

from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

from models import Base


def run(connection):
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    engine = create_async_engine(os.environ["ALEMBIC_URL"])
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
"""
MAKO = '"""${message}"""\n'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


PROGRAM = "import shlex, sys, alembic.config\nfor each in sys.argv[1:]: alembic.config.main(shlex.split(each))"


def alembic(folder: Path, place: Place, *commands: str) -> subprocess.CompletedProcess[str]:
    """Run commands of Alembic, one after the other as long as they succeed, in one process."""
    url = place.url.replace(place.kind, f"{place.kind}+{DRIVERS[place.kind]}", 1)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *commands],
        cwd=folder,
        env={"ALEMBIC_URL": url, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def project(folder: Path, place: Place, variant: str) -> None:
    """Write what `alembic init` writes, the generated revision, and the generated models."""
    tables, dialect = described(variant, None).database_tables, ddl_dialect_of(place.kind)
    source = alembic_revision(tables, dialect, "Create the tables.", after=None)
    assert is_formatted(source), source
    (folder / "migrations" / "versions").mkdir(parents=True)
    for name, text in {
        "alembic.ini": INI,
        "migrations/env.py": ENV,
        "migrations/script.py.mako": MAKO,
        "migrations/versions/auth.py": source,
        "models.py": sqlalchemy_models(tables, dialect, "Tables."),
    }.items():
        (folder / name).write_text(text)


EACH: Sequence[tuple[PlaceName, str]] = [
    *((name, "letters") for name in OWN),
    ("sqlite", "serial"),
    ("postgresql", "serial"),
    ("postgresql", "uuid"),
]


@pytest.mark.parametrize(("name", "variant"), EACH)
async def test_a_revision_goes_up_agrees_with_the_models_and_goes_down(
    name: PlaceName, variant: str, tmp_path: Path
) -> None:
    async with place_at(name, tmp_path) as place:
        project(tmp_path, place, variant)
        up = alembic(tmp_path, place, "upgrade head", "check")
        assert up.returncode == 0, up.stderr
        auth = described(variant, place.database)
        planned = await auth.plan_schema()
        assert (planned.sql, planned.refusals) == ("", [])
        made = [row for row in await place.structure() if "alembic_version" not in str(row)]
        down = alembic(tmp_path, place, "downgrade base")
        assert down.returncode == 0, down.stderr
        assert {row[0] for row in await place.structure() if "alembic_version" not in str(row)} <= {"sqlite_sequence"}
        await auth.create_schema()
        await auth.close()
        ours = [row for row in await place.structure() if "alembic_version" not in str(row)]
        assert made == ours


def test_a_revision_follows_the_one_that_is_named() -> None:
    tables, dialect = described("letters", None).database_tables, ddl_dialect_of("sqlite")
    first = alembic_revision(tables, dialect, "Tables.")
    assert first == alembic_revision(tables, dialect, "Tables.")
    second = alembic_revision(tables, dialect, "Tables.", after="0123456789ab")
    assert '\ndown_revision = "0123456789ab"\n' in second
    revisions = [line for text in (first, second) for line in text.splitlines() if line.startswith("revision = ")]
    assert len(set(revisions)) == 2
