"""`portico generate`: where it writes, what it refuses, and that it asks no database."""

from pathlib import Path

import pytest
from sqlalchemy.schema import CreateTable

from cli.described import described, is_formatted, loaded
from cli.golden.files import HERE, written
from cli.running import portico
from portico.cli.generate.sqlalchemy_models import sqlalchemy_models
from portico.store.ddl.definitions import define
from portico.store.ddl.dialects import MSSQL
from portico.store.executors.dialects import mssql_dialect
from requirements import requirement

pytestmark = requirement("ARCH-generate", "S-256", "S-257")

READY = {
    "BETTER_AUTH_SECRET": "a-secret-that-no-log-may-ever-contain-0123456789",
    "BETTER_AUTH_URL": "http://localhost",
}
# Nobody listens there.
APP = """
from portico import Auth

auth = Auth(database="postgresql://nobody@127.0.0.1:1/nothing")
remembered = Auth()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def test_it_prints_for_the_database_of_the_auth_without_connecting(app: Path) -> None:
    printed = portico("generate", "app:auth", cwd=app, **READY)
    assert (printed.returncode, printed.stderr) == (0, "")
    head, first = printed.stdout.splitlines()[:2]
    assert head == "-- The tables of app:auth on PostgreSQL, written by `portico generate`."
    assert first.startswith('create table "user" (')
    assert '"createdAt" timestamptz default CURRENT_TIMESTAMP not null' in first
    assert [path.name for path in app.iterdir() if path.suffix] == ["app.py"]


def test_a_file_is_written_and_replaced_only_if_asked(app: Path) -> None:
    command = ("generate", "app:auth", "--dialect", "sqlite", "--out", "made/auth.sql")
    assert portico(*command, cwd=app, **READY).stdout == "wrote made/auth.sql\n"
    made = app / "made" / "auth.sql"
    assert '"createdAt" date not null' in made.read_text()
    made.write_text("mine")
    refused = portico(*command, "--format", "alembic", cwd=app, **READY)
    assert (refused.returncode, refused.stdout) == (2, "")
    advice = "name another file, or replace it with --force"
    assert refused.stderr == f"portico: made/auth.sql is there already: {advice}\n"
    assert made.read_text() == "mine"
    assert portico(*command, "--format", "alembic", "--force", cwd=app, **READY).returncode == 0
    assert "def upgrade()" in made.read_text()


def test_an_auth_without_a_database_needs_to_know_for_which(app: Path) -> None:
    refused = portico("generate", "app:remembered", cwd=app, **READY)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "app:remembered has no SQL database: say for which kind with --dialect" in refused.stderr
    assert portico("generate", "app:remembered", "--dialect", "mssql", cwd=app, **READY).returncode == 0


def test_the_help_of_generate_has_an_example(tmp_path: Path) -> None:
    done = portico("generate", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "portico generate app:auth --format alembic" in done.stdout


@pytest.mark.parametrize("name", written())
def test_what_is_written_is_what_was_reviewed(name: str) -> None:
    reviewed = (HERE / name).read_text("utf-8")
    assert reviewed == written()[name]
    assert name.endswith(".sql") or is_formatted(reviewed)


def test_models_for_sql_server_have_the_types_of_its_tables() -> None:
    """No server is asked: SQLAlchemy says what it would create."""
    tables = described("letters", None).database_tables
    models = loaded(sqlalchemy_models(tables, MSSQL, "Tables."), "models_mssql")
    created = {
        name: str(CreateTable(table).compile(dialect=mssql_dialect()))
        for name, table in models.Base.metadata.tables.items()
    }
    for table in tables:
        lines = [
            line.strip().upper().replace("[", "").replace("]", "") for line in created[table.database_name].splitlines()
        ]
        for column in define(table, MSSQL).columns:
            declared = column.type.upper()
            assert any(line.startswith(f"{column.name.upper()} {declared} ") for line in lines), (column.name, lines)
