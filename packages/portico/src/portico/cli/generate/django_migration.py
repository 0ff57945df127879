"""The tables of an Auth as a migration of Django: the statements of Portico, and models for what follows it."""

from collections.abc import Sequence
from typing import Any

from portico.cli.generate.django_models import DjangoModel, models_of
from portico.cli.generate.source import call, literal
from portico.schema import Table
from portico.store.ddl.dialects import DdlDialect
from portico.store.ddl.plan import creation


def django_migration(tables: Sequence[Table[Any]], dialect: DdlDialect, title: str, *, app: str) -> str:
    """Return the first migration of the app `app`, for one kind of database."""
    created = [literal(statement) for step in creation(tables, dialect).steps for statement in step.statements]
    dropped = [literal(f"drop table {dialect.quote(table.database_name)}") for table in reversed(tables)]
    run = call(
        "migrations.RunSQL(",
        [_listed("sql=[", created, 20), _listed("reverse_sql=[", dropped, 20)],
        indent=16,
    )
    models = [_created(model) for model in models_of(tables, dialect, prefix=f"{app}.")]
    both = call(
        "migrations.SeparateDatabaseAndState(",
        [_listed("database_operations=[", [run], 12), _listed("state_operations=[", models, 12)],
        indent=8,
    )
    return "\n".join(
        [
            f'"""{title}"""',
            "",
            "from django.db import migrations, models",
            "",
            "from portico.django_fields import TimestampField",
            "",
            "",
            "class Migration(migrations.Migration):",
            "    initial = True",
            "",
            "    dependencies = []",
            "",
            f"    {_listed('operations = [', [both], 4)}",
            "",
        ]
    )


def _listed(opening: str, items: Sequence[str], indent: int) -> str:
    """Return a list with each item on a line of its own."""
    inner = " " * (indent + 4)
    return "\n".join([opening, *(f"{inner}{item}," for item in items), " " * indent + "]"])


def _created(model: DjangoModel) -> str:
    fields = [
        call("(", [literal(name), call(kind, arguments, indent=28, tail=1)], indent=24, tail=1)
        for name, kind, arguments in model.fields
    ]
    return call(
        "migrations.CreateModel(",
        [
            f"name={literal(model.name)}",
            _listed("fields=[", fields, 20),
            f'options={{"db_table": {literal(model.table)}, "managed": False}}',
        ],
        indent=16,
    )
