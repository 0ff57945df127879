"""The tables of an Auth as models of Django, which leaves the tables to Portico or to the generated migration."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from portico.cli.generate.source import attribute, call, class_name, literal
from portico.kinds import Kind
from portico.schema import Table
from portico.store.ddl.definitions import ColumnDefinition, define
from portico.store.ddl.dialects import DdlDialect

# Of `Model`.
RESERVED = frozenset({"check", "clean", "delete", "objects", "pk", "save"})
IMPORTS = "from django.db import models\n\nfrom portico.django_fields import TimestampField"
UNDERSCORES = re.compile("__+")
FIELDS: Mapping[Kind, str] = {
    "number": "models.IntegerField(",
    "boolean": "models.BooleanField(",
    "date": "TimestampField(",
    "json": "models.JSONField(",
    "string[]": "models.JSONField(",
    "number[]": "models.JSONField(",
}


@dataclass(frozen=True, kw_only=True)
class DjangoModel:
    """One model."""

    name: str
    table: str
    fields: Sequence[tuple[str, str, Sequence[str]]]
    """Name, class with an opening parenthesis, and arguments."""


class _Target(NamedTuple):
    """A model that others refer to."""

    name: str
    fields: Mapping[str, str]
    """Their names by those of their columns."""


def django_models(tables: Sequence[Table[Any]], dialect: DdlDialect, title: str) -> str:
    """Return a module of models."""
    classes = "\n\n\n".join(_source(model) for model in models_of(tables, dialect, prefix=""))
    return f'"""{title}"""\n\n{IMPORTS}\n\n\n{classes}\n'


def models_of(tables: Sequence[Table[Any]], dialect: DdlDialect, *, prefix: str) -> list[DjangoModel]:
    """Return the models; names of other models have `prefix`, the label of their app and a dot in migrations."""
    defined = [define(table, dialect) for table in tables]
    targets = {
        each.name: _Target(f"{prefix}{class_name(table.name)}", {one.name: one.field.name for one in each.columns})
        for table, each in zip(tables, defined, strict=True)
    }
    return [
        DjangoModel(
            name=class_name(table.name),
            table=each.name,
            fields=[
                _field(column, dialect, targets, {one.field.name for one in each.columns}) for column in each.columns
            ],
        )
        for table, each in zip(tables, defined, strict=True)
    ]


def _source(model: DjangoModel) -> str:
    lines = [f"class {model.name}(models.Model):"]
    lines += [call(f"    {name} = {kind}", arguments, indent=4) for name, kind, arguments in model.fields]
    lines += ["", "    class Meta:", "        managed = False", f"        db_table = {literal(model.table)}"]
    return "\n".join(lines)


def _field(
    column: ColumnDefinition, dialect: DdlDialect, targets: Mapping[str, _Target], taken: set[str]
) -> tuple[str, str, Sequence[str]]:
    name, target = column.field.name, column.foreign_key
    named = _attribute(name)
    if target is None or target.table not in targets:
        kind, arguments = _plain(column, dialect)
        return named, kind, [*arguments, *_common(column, named)]
    # Django itself puts `_id` behind the name of a relation.
    short = name.removesuffix("_id")
    relation = named if short in taken or short == name else _attribute(short)
    other = targets[target.table]
    arguments = [literal(other.name), "models.DO_NOTHING"]
    if target.column != "id":
        arguments.append(f"to_field={literal(_attribute(other.fields[target.column]))}")
    arguments += [f"db_column={literal(column.name)}", 'related_name="+"']
    if column.nullable:
        arguments.append("null=True")
    return relation, "models.OneToOneField(" if column.unique else "models.ForeignKey(", arguments


def _attribute(name: str) -> str:
    """Return what a field is called in Django, which takes no name with two underscores or one at its end."""
    return attribute(UNDERSCORES.sub("_", name).strip("_"), RESERVED, "_field")


def _plain(column: ColumnDefinition, dialect: DdlDialect) -> tuple[str, Sequence[str]]:
    if column.kind == "serial":
        return ("models.AutoField(" if column.primary_key else "models.IntegerField("), []
    if column.type == "uuid":
        return "models.UUIDField(", []
    if column.field.column.big:
        return "models.BigIntegerField(", []
    if column.kind == "number" and column.field.is_fractional:
        return "models.FloatField(", []
    if column.kind in FIELDS:
        return FIELDS[column.kind], []
    size = column.type.removeprefix("varchar(").removesuffix(")")
    return ("models.CharField(", [f"max_length={size}"]) if size.isdigit() else ("models.TextField(", [])


def _common(column: ColumnDefinition, name: str) -> list[str]:
    arguments = ["primary_key=True"] if column.primary_key else []
    if column.name != name:
        arguments.append(f"db_column={literal(column.name)}")
    if column.nullable:
        arguments.append("null=True")
    if column.unique:
        arguments.append("unique=True")
    return arguments
