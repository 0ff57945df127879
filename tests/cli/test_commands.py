import json
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.running import PATIENCE, environment, portico
from requirements import requirement

ROOT = Path(__file__).parents[2]
READY = {
    "BETTER_AUTH_SECRET": "a-secret-that-no-log-may-ever-contain-0123456789",
    "BETTER_AUTH_URL": "http://localhost",
}
APP = """
from portico import Auth
from portico.plugins.username import Username

auth = Auth(database="sqlite:///app.db")
named = Auth(database="sqlite:///app.db", plugins=[Username()])
"""
CORE = ["user", "session", "account", "verification"]
INDEXES = ["session_userId_idx", "account_userId_idx", "verification_identifier_idx"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@requirement("S-257", "S-276")
def test_secret_prints_a_new_secret_and_nothing_else(tmp_path: Path) -> None:
    first, second = (portico("secret", cwd=tmp_path) for _ in range(2))
    assert (first.returncode, first.stderr, second.stderr) == (0, "", "")
    assert first.stdout != second.stdout
    for done in (first, second):
        assert len(done.stdout.strip()) == 48
        assert done.stdout.strip().isalnum()


@requirement("S-257")
def test_migrate_creates_what_is_missing_and_then_nothing(app: Path) -> None:
    checked = portico("migrate", "app:auth", "--check", cwd=app, **READY)
    assert (checked.returncode, checked.stderr) == (1, "")
    assert checked.stdout.splitlines() == [f"missing {name}" for name in (*CORE, *INDEXES)]
    with sqlite3.connect(app / "app.db") as database:
        assert database.execute("select count(*) from sqlite_master").fetchone() == (0,)
    database.close()

    created = portico("migrate", "app:auth", cwd=app, **READY)
    assert (created.returncode, created.stderr) == (0, "")
    assert created.stdout.splitlines() == [f"created {name}" for name in (*CORE, *INDEXES)]

    again = portico("migrate", "app:auth", cwd=app, **READY)
    assert (again.returncode, again.stdout, again.stderr) == (0, "nothing is missing\n", "")
    checked = portico("migrate", "app:auth", "--check", cwd=app, **READY)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@requirement("S-257")
def test_migrate_adds_the_columns_of_a_new_plugin(app: Path) -> None:
    portico("migrate", "app:auth", cwd=app, **READY)
    checked = portico("migrate", "app:named", "--check", cwd=app, **READY)
    missing = "missing user.username\nmissing user.displayUsername\nmissing user_username_uidx\n"
    assert (checked.returncode, checked.stdout) == (1, missing)
    created = portico("migrate", "app:named", cwd=app, **READY)
    assert created.stdout.splitlines()[:2] == ["created user.username", "created user.displayUsername"]


@requirement("S-257")
@pytest.mark.parametrize("option", [(), ("--check",)])
def test_migrate_of_nothing_is_refused(app: Path, option: tuple[str, ...]) -> None:
    done = portico("migrate", "app:nothing", *option, cwd=app, **READY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "portico: 'app' has no 'nothing': name the variable that holds your Auth\n"


@requirement("S-257", "ARCH-published", "S-141")
def test_openapi_prints_the_document_of_an_auth_or_the_committed_one(app: Path) -> None:
    own, published = (portico("openapi", *target, cwd=app, **READY) for target in (["app:named"], []))
    assert (own.returncode, own.stderr, published.returncode, published.stderr) == (0, "", 0, "")
    described = json.loads(own.stdout)
    assert "/sign-in/username" in described["paths"]
    assert "/two-factor/enable" not in described["paths"]
    assert published.stdout == (ROOT / "openapi/portico.json").read_text(encoding="utf-8")


@requirement("S-257")
def test_the_installed_command_finds_modules_of_the_working_directory(app: Path) -> None:
    command = Path(sys.executable).with_name("portico")
    done = subprocess.run(
        [command, "migrate", "app:auth", "--dry-run"],
        cwd=app,
        env=environment(**READY),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('create table "user" (')


@requirement("S-257")
def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    done = portico("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"portico {version('portico')}\n", "")


@requirement("S-257")
def test_the_package_does_not_import_the_command_line() -> None:
    program = "import sys, portico; print({'typer', 'uvicorn', 'portico.cli'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "set()\n"
