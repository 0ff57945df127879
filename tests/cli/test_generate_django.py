"""A generated migration of Django is applied, and the generated models read what Portico stores."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app import content, signed_up
from cli.described import VARIANTS, described, is_formatted
from portico.cli.generate.django_migration import django_migration
from portico.cli.generate.django_models import django_models
from portico.store.ddl.dialects import ddl_dialect_of
from requirements import requirement
from store.places import place_at

pytestmark = [pytest.mark.anyio, requirement("ARCH-generate")]

MANAGE = """
import shlex
import sys

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "auth.db"}},
    INSTALLED_APPS=["accounts"],
    USE_TZ=True,
)
django.setup()
for command in sys.argv[1:]:
    call_command(*shlex.split(command))
"""
READ = """
import json

from datetime import UTC, datetime

from accounts.models import Session, User

session = Session.objects.select_related("user").get()
user = session.user
print(json.dumps([
    user.pk, user.email, user.email_verified, user.shoe_size, user.score, user.tags, user.settings, user.class_field,
    user.born_at.isoformat(), user.chief_id, session.expires_at > session.created_at, User.objects.count(),
]))
user.settings = {"a": 1}
user.email_verified = True
user.chief = user
user.born_at = datetime(1991, 1, 2, 12, tzinfo=UTC)
assert User.objects.filter(created_at__lt=session.expires_at, born_at="1990-01-02T03:04:05.678Z").exists()
user.save()
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def manage(folder: Path, *commands: str, program: str = "") -> subprocess.CompletedProcess[str]:
    """Run commands of Django, one after the other as long as they succeed, in one process."""
    return subprocess.run(
        [sys.executable, "manage.py", *commands],
        cwd=folder,
        input=program,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def project(folder: Path, variant: str) -> None:
    """Write a site with one app, which has the generated models and their migration."""
    tables, dialect = described(variant, None).database_tables, ddl_dialect_of("sqlite")
    models = django_models(tables, dialect, "Tables.")
    migration = django_migration(tables, dialect, "Tables.", app="accounts")
    assert is_formatted(models), models
    assert is_formatted(migration), migration
    (folder / "accounts" / "migrations").mkdir(parents=True)
    for name, text in {
        "manage.py": MANAGE,
        "accounts/__init__.py": "",
        "accounts/models.py": models,
        "accounts/migrations/__init__.py": "",
        "accounts/migrations/0001_initial.py": migration,
    }.items():
        (folder / name).write_text(text)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_a_migration_is_applied_agrees_with_the_models_and_is_taken_back(variant: str, tmp_path: Path) -> None:
    project(tmp_path, variant)
    async with place_at("sqlite", tmp_path) as place:
        commands = ("migrate --skip-checks", "makemigrations --check --dry-run", "check --fail-level WARNING")
        applied = manage(tmp_path, *commands)
        assert applied.returncode == 0, applied.stderr
        auth = described(variant, place.database)
        planned = await auth.plan_schema()
        assert (planned.sql, planned.refusals) == ("", [])
        made = [row for row in await place.schema() if "django" not in str(row)]
        back = manage(tmp_path, "migrate accounts zero")
        assert back.returncode == 0, back.stderr
        assert [row for row in await place.schema() if "django" not in str(row)] == []
        await auth.create_schema()
        await auth.close()
        assert [row for row in await place.schema() if "django" not in str(row)] == made


@pytest.mark.parametrize("variant", ["letters", "serial", "snake"])
async def test_models_read_and_change_the_rows_of_portico(variant: str, tmp_path: Path) -> None:
    project(tmp_path, variant)
    assert manage(tmp_path, "migrate").returncode == 0
    async with place_at("sqlite", tmp_path) as place:
        auth = described(variant, place.database)
        browser = await signed_up(auth, shoeSize=42, tags=["a", "ü"], bornAt="1990-01-02T03:04:05.678Z")
        before = content(await browser.get("/get-session"))["user"]
        read = manage(tmp_path, "shell --no-imports", program=READ)
        assert read.returncode == 0, read.stderr
        key = int(before["id"]) if variant == "serial" else before["id"]
        assert json.loads(read.stdout) == [
            *(key, "ann@example.com", False, 42, 0.5, ["a", "ü"], None, None),
            *("1990-01-02T03:04:05.678000+00:00", None, True, 1),
        ]
        after = content(await browser.get("/get-session"))["user"]
        changed = {
            "settings": {"a": 1},
            "emailVerified": True,
            "chiefId": before["id"],
            "bornAt": "1991-01-02T12:00:00.000Z",
        }
        assert after == {**before, **changed}
        column = "born_at" if variant == "snake" else "bornAt"
        assert await place.fetch(f"select {column} from user") == [("1991-01-02T12:00:00.000Z",)]
        await auth.close()
