"""The golden files and what they should be."""

from collections.abc import Mapping
from pathlib import Path

from cli.described import described
from portico.cli.generate.alembic_revision import alembic_revision
from portico.cli.generate.django_migration import django_migration
from portico.cli.generate.django_models import django_models
from portico.cli.generate.sqlalchemy_models import sqlalchemy_models
from portico.store.ddl.dialects import ddl_dialect_of
from portico.store.ddl.plan import creation

HERE = Path(__file__).parent
TITLE = "The tables of app:auth."


def written() -> Mapping[str, str]:
    """Return each file as it would be written now, by its name."""
    tables = described("letters", None).database_tables
    sqlite, postgresql, mysql, mssql = map(ddl_dialect_of, ("sqlite", "postgresql", "mysql", "mssql"))
    return {
        "models.py": sqlalchemy_models(tables, postgresql, TITLE),
        "revision.txt": alembic_revision(tables, mysql, TITLE),
        "django_models.txt": django_models(tables, sqlite, TITLE),
        "django_migration.txt": django_migration(tables, sqlite, TITLE, app="accounts"),
        "mssql_models.txt": sqlalchemy_models(tables, mssql, TITLE),
        "mssql.sql": creation(tables, mssql).sql,
    }
