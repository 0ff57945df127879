import sqlite3
from pathlib import Path

import pytest

from cli.running import on_a_terminal, portico
from requirements import requirement

pytestmark = requirement("ARCH-cleanup")

READY = {
    "BETTER_AUTH_SECRET": "a-secret-that-no-log-may-ever-contain-0123456789",
    "BETTER_AUTH_URL": "http://localhost",
}
APP = """
from portico import Auth

auth = Auth(database="sqlite:///app.db")
forgetful = Auth()
"""
EXPIRED = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
INSERT INTO verification (id, identifier, value, "expiresAt", "createdAt", "updatedAt")
SELECT 'v' || i, 'i' || i, '', iif(i <= 50, '2999', '2020') || '-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z',
    '2020-01-01T00:00:00.000Z' FROM n
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    assert portico("migrate", "app:auth", cwd=tmp_path, **READY).returncode == 0
    run_sql(tmp_path, EXPIRED)
    return tmp_path


def run_sql(folder: Path, statement: str) -> int:
    database = sqlite3.connect(folder / "app.db")
    with database:
        rows = database.execute(statement).fetchone()
    database.close()
    return int(rows[0]) if rows else 0


def verifications(folder: Path) -> int:
    return run_sql(folder, "SELECT count(*) FROM verification")


def test_a_dry_run_counts_and_deletes_nothing(app: Path) -> None:
    done = portico("cleanup", "app:auth", "--dry-run", cwd=app, **READY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "session: 0 expired\nverification: 200 expired\n"
    assert verifications(app) == 250


def test_without_a_terminal_a_line_tells_of_each_tenth(app: Path) -> None:
    done = portico("cleanup", "app:auth", "--batch", "10", cwd=app, **READY)
    assert (done.returncode, done.stderr) == (0, "")
    tenths = [f"verification {rows} of 200" for rows in range(20, 200, 20)]
    assert done.stdout.splitlines() == [*tenths, "session: 0 deleted", "verification: 200 deleted"]
    assert verifications(app) == 50
    again = portico("cleanup", "app:auth", cwd=app, **READY)
    assert (again.returncode, again.stdout) == (0, "session: 0 deleted\nverification: 0 deleted\n")


def test_a_terminal_shows_a_bar(app: Path) -> None:
    code, shown = on_a_terminal("cleanup", "app:auth", "--batch", "1", cwd=app, **READY)
    assert code == 0
    assert "━" in shown
    assert "200/200" in shown
    assert "verification: 200 deleted" in shown


@requirement("ARCH-commands")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("app:forgetful",), "portico: the rows of 'app:forgetful' live in the memory of the process that serves it"),
        (("app:nothing",), "portico: 'app' has no 'nothing'"),
        (("app:auth", "--batch", "0"), "Usage: portico cleanup"),
    ],
)
def test_what_cannot_be_cleaned_up_is_refused(app: Path, arguments: tuple[str, ...], complaint: str) -> None:
    done = portico("cleanup", *arguments, cwd=app, **READY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(complaint)
    assert verifications(app) == 250


@requirement("ARCH-commands")
def test_a_database_without_tables_is_told_with_the_command_to_run(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    done = portico("cleanup", "app:auth", cwd=tmp_path, **READY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("run `portico migrate app:auth`\n")


@requirement("ARCH-commands")
def test_a_server_that_is_away_is_a_failure_and_no_secret_is_shown(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.replace("sqlite:///app.db", "postgresql://me:hush-hush@127.0.0.1:9/x"))
    done = portico("cleanup", "app:auth", cwd=tmp_path, **READY)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "portico: PostgreSQL is not available: ConnectionRefusedError\n"
