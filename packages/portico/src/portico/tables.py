"""The tables of one Auth: the core's rows with the columns that plugins and the app add, and the plugins' own."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args, get_origin

from portico.api import Api
from portico.endpoint import Plugin
from portico.errors import ConfigError
from portico.models import Account, Session, User, Verification
from portico.schema import SECONDARY_ORDER, Columns, Layout, Row, Table, check_columns


def tables_of(
    api: type[Api[Any, Any]],
    plugins: Iterable[Plugin[Any, Any]],
    additional: Mapping[str, Mapping[str, Any]],
    optional: Mapping[str, Table[Any]],
    *,
    elsewhere: Collection[str],
    layout: Layout,
) -> dict[str, Table[Any]]:
    """Return the tables by name, referenced ones before those that refer to them; `optional` are the core's, too.

    Rows of the tables that are `elsewhere` are in no database, which therefore makes no ids of theirs.
    """
    user, session = row_classes(api)
    core: dict[str, type[Row]] = {"user": user, "session": session, "account": Account, "verification": Verification}
    columns: dict[str, list[type[Columns]]] = {name: [] for name in core}
    own: dict[str, type[Row]] = {}
    for plugin in plugins:
        taken = sorted(plugin.tables.keys() & {**core, **own, **optional})
        if taken:
            raise ConfigError(f"{plugin.id} has a table {taken[0]!r}, and so has the core or another plugin: rename it")
        own |= plugin.tables
        for name, mixin in plugin.columns.items():
            if name not in core:
                raise ConfigError(f"{plugin.id} adds columns to {name!r}; the tables are {', '.join(core)}")
            columns[name].append(mixin)
    for name, row in core.items():
        check_columns(row, columns[name])
    unknown = set(additional) - set(core)
    if unknown:
        raise ConfigError(f"additional_fields names {sorted(unknown)}; the tables are {', '.join(core)}")
    for name, fields in additional.items():
        known = {each for model in (core[name], *columns[name]) for each in model.model_fields}
        if known & fields.keys():
            raise ConfigError(f"additional_fields: {name} has {sorted(known & fields.keys())} already; rename them")
    # Sessions that are in no database are in an order of their own.
    orders = {"session": SECONDARY_ORDER if "session" in elsewhere else ()}
    beside = replace(layout, ids=layout.ids.beside())
    tables = {
        name: Table(
            name,
            row,
            columns[name],
            additional.get(name, {}),
            orders.get(name, ()),
            layout=beside if name in elsewhere else layout,
        )
        for name, row in core.items()
    }
    tables |= {**optional, **{name: Table(name, row, (), {}, layout=layout) for name, row in own.items()}}
    layout.naming.check_tables(tables)
    for table in tables.values():
        table.link(tables)
    return tables


def row_classes(api: type[Api[Any, Any]]) -> tuple[type[User], type[Session]]:
    """Read User and Session from `class MyApi(Api[User, Session])`, wherever that stands in the bases."""
    for kind in api.__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            arguments = get_args(base)
            if get_origin(base) is Api and all(isinstance(each, type) and issubclass(each, Row) for each in arguments):
                user, session = arguments
                return user, session
    return User, Session
