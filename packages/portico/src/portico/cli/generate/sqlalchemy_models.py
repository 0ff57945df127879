"""The tables of an Auth as declarative models of SQLAlchemy 2."""

from collections.abc import Sequence
from typing import Any

from portico.cli.generate.source import WIDTH, attribute, call, class_name, literal
from portico.cli.generate.sqlalchemy_types import index_arguments, type_expression
from portico.kinds import Kind
from portico.schema import Table
from portico.store.ddl.definitions import ColumnDefinition, IndexDefinition, TableDefinition, define
from portico.store.ddl.dialects import DdlDialect

RESERVED = frozenset({"metadata", "registry"})
PYTHON: dict[Kind, str] = {
    "string": "str",
    "uuid": "str",
    "serial": "int",
    "number": "int",
    "boolean": "bool",
    "date": "datetime",
    "json": "Any",
    "string[]": "list[str]",
    "number[]": "list[float]",
}
OWN: dict[Kind, str] = {
    "boolean": "Flag()",
    "date": "Timestamp()",
    "json": "Json()",
    "string[]": "Json()",
    "number[]": "Json()",
}
"""Types whose values need help on some databases."""


def sqlalchemy_models(tables: Sequence[Table[Any]], dialect: DdlDialect, title: str) -> str:
    """Return a module of models; rows that Portico wrote read as Portico reads them."""
    classes = [_model(table, define(table, dialect)) for table in tables]
    body = "\n\n\n".join(["class Base(DeclarativeBase):\n    pass", *classes])
    return f"{_head(title, body)}\n\n\n{body}\n"


def _head(title: str, body: str) -> str:
    standard = [
        line
        for line, is_used in (
            ("from datetime import datetime", "datetime" in body),
            ("from typing import Any", "Mapped[Any" in body),
        )
        if is_used
    ]
    own = [name for name in ("Flag", "Json", "Timestamp") if f"{name}()" in body]
    return "\n\n".join(
        "\n".join(group)
        for group in (
            [f'"""{title}"""'],
            standard,
            ["import sqlalchemy as sa", "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column"],
            [f"from portico.column_types import {', '.join(own)}"] if own else [],
        )
        if group
    )


def _model(table: Table[Any], defined: TableDefinition) -> str:
    lines = [f"class {class_name(table.name)}(Base):", f"    __tablename__ = {literal(defined.name)}"]
    if arguments := _table_arguments(defined):
        lines.append(arguments)
    lines.append("")
    lines += [_attribute(column) for column in defined.columns]
    return "\n".join(lines)


def _table_arguments(defined: TableDefinition) -> str:
    arguments = [_index(index) for index in defined.indexes]
    if any(column.made.counting == "autoincrement" for column in defined.columns):
        arguments.append('{"sqlite_autoincrement": True}')
    if not arguments:
        return ""
    opening = "    __table_args__ = ("
    on_one = f"{opening}{', '.join(arguments)}{',' if len(arguments) == 1 else ''})"
    if len(on_one) <= WIDTH and "\n" not in on_one:
        return on_one
    return "\n".join([opening, *(f"        {each}," for each in arguments), "    )"])


def _index(index: IndexDefinition) -> str:
    names = [literal(name) for name in (index.name, *index.columns)]
    return call("sa.Index(", [*names, *index_arguments(index)], indent=8, tail=1)


def _attribute(column: ColumnDefinition) -> str:
    name = attribute(column.field.name, RESERVED, "_")
    python = "float" if column.kind == "number" and column.field.is_fractional else PYTHON[column.kind]
    optional = " | None" if column.nullable and python != "Any" else ""
    arguments = [literal(column.name), OWN.get(column.kind) or type_expression(column.type)]
    if column.foreign_key is not None:
        target = column.foreign_key
        path = literal(f"{target.table}.{target.column}")
        arguments.append(f"sa.ForeignKey({path}, ondelete={literal(target.on_delete)})")
    if column.made.identity.startswith("GENERATED"):
        arguments.append("sa.Identity(always=False)")
    if column.primary_key:
        arguments.append("primary_key=True")
    elif column.nullable and python == "Any":
        arguments.append("nullable=True")
    elif python == "Any":
        arguments.append("nullable=False")
    if column.unique:
        arguments.append("unique=True")
    if column.default:
        arguments.append(f"server_default=sa.text({literal(column.default)})")
    return call(f"    {name}: Mapped[{python}{optional}] = mapped_column(", arguments, indent=4)
