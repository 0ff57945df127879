"""`portico migrate`, with its exit codes, and many of them at once."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.running import PATIENCE, PORTICO, environment, on_a_terminal, portico
from requirements import requirement
from store.database_servers import database_on

pytestmark = requirement("ARCH-migrate", "S-257")

READY = {
    "BETTER_AUTH_SECRET": "a-secret-that-no-log-may-ever-contain-0123456789",
    "BETTER_AUTH_URL": "http://localhost",
}
APP = """
import os
from typing import Annotated

from portico import Auth, Column
from portico.plugins.username import Username

auth = Auth(database=os.environ["APP_DATABASE"])
named = Auth(database=os.environ["APP_DATABASE"], plugins=[Username()])
shod = Auth(
    database=os.environ["APP_DATABASE"],
    plugins=[Username()],
    additional_fields={"user": {"shoe_size": (Annotated[int, Column()], ...)}},
)
"""
USER = """
    insert into user (id, name, email, emailVerified, createdAt, updatedAt)
    values ('u1', 'Ann', 'ann@example.com', 1, '2030-01-02T03:04:05.678Z', '2030-01-02T03:04:05.678Z')
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def on_file(*arguments: str, app: Path) -> subprocess.CompletedProcess[str]:
    return portico("migrate", *arguments, cwd=app, APP_DATABASE="sqlite:///app.db", **READY)


def schema(app: Path) -> list[str]:
    with closing(sqlite3.connect(app / "app.db")) as database:
        return [sql for (sql,) in database.execute("select sql from sqlite_master where sql is not null")]


@requirement("S-256")
def test_a_dry_run_prints_the_sql_that_a_run_would_run(app: Path) -> None:
    dry = on_file("app:auth", "--dry-run", app=app)
    assert (dry.returncode, dry.stderr, schema(app)) == (0, "", [])
    with closing(sqlite3.connect(app / "app.db")) as database:
        database.executescript(dry.stdout)
    assert on_file("app:auth", "--check", app=app).returncode == 0
    again = on_file("app:auth", "--dry-run", app=app)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@requirement("S-271")
def test_what_is_in_the_way_is_told_and_nothing_is_changed(app: Path) -> None:
    on_file("app:auth", app=app)
    with closing(sqlite3.connect(app / "app.db")) as database, database:
        database.execute(USER)
    before = schema(app)
    reason = (
        "cannot add user.shoeSize: it must not be NULL and user has rows already; give the field a default, "
        "make it `| None`, or add the column yourself with values for these rows\n"
    )
    run = on_file("app:shod", app=app)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"portico: nothing was changed:\n- {reason}")
    missing = "missing user.username\nmissing user.displayUsername\nmissing user_username_uidx\n"
    checked = on_file("app:shod", "--check", app=app)
    assert (checked.returncode, checked.stdout, checked.stderr) == (1, missing, f"in the way: {reason}")
    dry = on_file("app:shod", "--dry-run", app=app)
    assert (dry.returncode, dry.stdout.count(";\n"), dry.stderr) == (1, 3, f"in the way: {reason}")
    assert schema(app) == before


@requirement("S-271")
def test_a_check_in_ci_fails_until_nothing_is_pending(app: Path) -> None:
    on_file("app:auth", app=app)
    checked = on_file("app:named", "--check", "--dry-run", app=app)
    assert (checked.returncode, checked.stdout.count(";\n"), checked.stderr) == (1, 3, "")
    assert on_file("app:named", app=app).returncode == 0
    checked = on_file("app:named", "--check", "--dry-run", app=app)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@requirement("S-271")
@pytest.mark.parametrize("arguments", [[], ["--check"], ["--dry-run"]], ids=str)
def test_a_server_that_is_gone_is_no_failed_check(app: Path, arguments: list[str]) -> None:
    gone = "postgresql://somebody:sesame@127.0.0.1:1/auth"
    run = portico("migrate", "app:auth", *arguments, cwd=app, APP_DATABASE=gone, **READY)
    told = "portico: PostgreSQL is not available: ConnectionRefusedError\n"
    assert (run.returncode, run.stdout, run.stderr) == (3, "", told)


@requirement("S-271")
def test_a_terminal_shows_that_something_is_under_way(app: Path) -> None:
    code, shown = on_a_terminal("migrate", "app:auth", cwd=app, APP_DATABASE="sqlite:///app.db", **READY)
    assert code == 0
    assert "creating what is missing" in shown
    assert "created user" in shown


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shared.db"
        return
    with database_on(request.param) as server:
        yield server.url


def test_of_several_processes_that_migrate_at_once_one_does(app: Path, url: str) -> None:
    command = [*PORTICO, "migrate", "app:named"]
    processes = [
        subprocess.Popen(
            command,
            cwd=app,
            env=environment(APP_DATABASE=url, **READY),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ended = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [(process.returncode, errors) for process, (_, errors) in zip(processes, ended, strict=True)] == [
        (0, "")
    ] * 3
    told = sorted(output.splitlines()[0] for output, _ in ended)
    assert told == ["created user", "nothing is missing", "nothing is missing"]
    checked = portico("migrate", "app:named", "--check", cwd=app, APP_DATABASE=url, **READY)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_help_has_an_example(tmp_path: Path) -> None:
    done = portico("migrate", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "portico migrate app:auth --check" in done.stdout
