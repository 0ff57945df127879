"""The tables of an Auth as a revision of Alembic, which needs nothing of Portico to run."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from portico.cli.generate.source import call, literal
from portico.cli.generate.sqlalchemy_types import dialects_in, index_arguments, type_expression
from portico.schema import Table
from portico.store.ddl.definitions import ColumnDefinition, IndexDefinition, TableDefinition, define
from portico.store.ddl.dialects import DdlDialect


def alembic_revision(tables: Sequence[Table[Any]], dialect: DdlDialect, title: str, *, after: str | None = None) -> str:
    """Return a revision that creates the tables, and follows the revision `after`."""
    defined = [define(table, dialect) for table in tables]
    created = [_create_table(table) for table in defined]
    created += [_create_index(table.name, index) for table in defined for index in table.indexes]
    dropped = [
        f"    op.drop_index({literal(index.name)}, table_name={literal(table.name)})"
        for table in reversed(defined)
        for index in table.indexes
        # MySQL needs the index of a foreign key as long as there is the key; both go with the table.
        if dialect.name != "mysql"
    ]
    dropped += [f"    op.drop_table({literal(table.name)})" for table in reversed(defined)]
    upgrade, downgrade = "\n".join(created), "\n".join(dropped)
    revision = sha256(f"{after}{upgrade}".encode()).hexdigest()[:12]
    specific = dialects_in(upgrade)
    imports = ["import sqlalchemy as sa", "from alembic import op"]
    if specific:
        imports.append(f"from sqlalchemy.dialects import {', '.join(specific)}")
    return "\n".join(
        [
            f'"""{title}',
            "",
            f"Revision ID: {revision}",
            f"Revises: {after or ''}".rstrip(),
            '"""',
            "",
            *imports,
            "",
            f"revision = {literal(revision)}",
            f"down_revision = {literal(after) if after else None}",
            "branch_labels = None",
            "depends_on = None",
            "",
            "",
            "def upgrade() -> None:",
            upgrade,
            "",
            "",
            "def downgrade() -> None:",
            downgrade,
            "",
        ]
    )


def _create_table(table: TableDefinition) -> str:
    arguments = [literal(table.name), *(_column(column) for column in table.columns)]
    if any(column.made.counting == "autoincrement" for column in table.columns):
        arguments.append("sqlite_autoincrement=True")
    return call("    op.create_table(", arguments, indent=4)


def _create_index(table: str, index: IndexDefinition) -> str:
    columns = ", ".join(map(literal, index.columns))
    arguments = [literal(index.name), literal(table), f"[{columns}]", *index_arguments(index)]
    return call("    op.create_index(", arguments, indent=4)


def _column(column: ColumnDefinition) -> str:
    arguments = [literal(column.name), type_expression(column.type)]
    if column.foreign_key is not None:
        target = column.foreign_key
        path = literal(f"{target.table}.{target.column}")
        arguments.append(f"sa.ForeignKey({path}, ondelete={literal(target.on_delete)})")
    if column.made.identity.startswith("GENERATED"):
        arguments.append("sa.Identity(always=False)")
    if column.primary_key:
        arguments.append("primary_key=True")
    if column.default:
        arguments.append(f"server_default=sa.text({literal(column.default)})")
    arguments.append(f"nullable={column.nullable}")
    if column.unique:
        arguments.append("unique=True")
    return call("sa.Column(", arguments, indent=8, tail=1)
