"""What is created is upstream's, column for column, on every kind of database; where not, it says why."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app import plain
from portico import AdvancedOptions, Auth, DatabaseOptions, RateLimitOptions
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username
from portico.store.ddl.dialects import ddl_dialect_of
from portico.store.ddl.plan import creation
from requirements import requirement

pytestmark = requirement("ARCH-schema", "S-155")

UPSTREAM: Mapping[str, Any] = json.loads((Path(__file__).parent / "ddl" / "upstream.json").read_text("utf-8"))[
    "variants"
]
"""By variant and dialect: `tables` has the definition of each column, `indexes` table, columns and uniqueness."""
DIALECTS = ("sqlite", "postgresql", "mysql", "mssql")


class Difference(NamedTuple):
    ours: str
    reason: str


DELIBERATE: Mapping[tuple[str, str, str], Difference] = {
    ("serial", "sqlite", "id"): Difference(
        "integer not null primary key autoincrement",
        "the number of a deleted row is given to no other, so that nothing old points to somebody new",
    ),
    ("plugins", "mssql", "username"): Difference(
        "varchar(255)", "SQL Server takes one row without a value in a unique column; an index below takes any number"
    ),
}
"""By variant, dialect and column: everything in which ours is not upstream's."""
FURTHER_INDEXES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("plugins", "mssql"): {"user_username_uidx": ["user", '"username"', True, '"username" is not null']},
}
"""By variant and dialect: indexes that upstream has only where it adds the column later."""


def with_ids(strategy: Any) -> Mapping[str, Any]:
    return {"advanced": AdvancedOptions(database=DatabaseOptions(generate_id=strategy))}


VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "core": {},
    "serial": with_ids("serial"),
    "uuid": with_ids("uuid"),
    "counts": {"rate_limit": RateLimitOptions(storage="database")},
    "plugins": {},
}
CREATE_TABLE = re.compile(r"create table [\"`](\w+)[\"`] \((.*)\)")
CREATE_INDEX = re.compile(r"create (unique )?index [\"`](\w+)[\"`] on [\"`](\w+)[\"`] \((.*?)\)(?: where (.*))?")
COMMA = re.compile(r", (?=[\"`]\w+[\"`] \w)")


def made(variant: str) -> Auth[Any]:
    # In upstream's server, too, this plugin came first.
    plugins = (TwoFactor(issuer="Acme"), Username()) if variant == "plugins" else ()
    return plain(*plugins, **VARIANTS[variant])


def created(auth: Auth[Any], dialect: str) -> dict[str, Any]:
    """Return what would be created, taken apart as the facts are."""
    tables: dict[str, dict[str, str]] = {}
    indexes: dict[str, list[Any]] = {}
    for _, (sql,) in creation(auth.database_tables, ddl_dialect_of(dialect)).steps:
        text = sql.replace("`", '"')
        if table := CREATE_TABLE.fullmatch(text):
            columns = [column.partition(" ") for column in COMMA.split(table[2])]
            tables[table[1]] = {name.strip('"'): definition for name, _, definition in columns}
            continue
        index = CREATE_INDEX.fullmatch(text)
        assert index, text
        indexes[index[2]] = [index[3], index[4], bool(index[1]), *([index[5]] if index[5] else [])]
    return {"tables": tables, "indexes": indexes}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_column_and_index_is_upstreams_unless_there_is_a_reason(variant: str, dialect: str) -> None:
    ours, upstream = created(made(variant), dialect), UPSTREAM[variant][dialect]
    for table, columns in upstream["tables"].items():
        expected = {
            name: DELIBERATE.get((variant, dialect, name), Difference(definition, "")).ours
            for name, definition in columns.items()
        }
        assert ours["tables"][table] == expected
        assert list(ours["tables"][table]) == list(expected)
    assert set(ours["tables"]) == set(upstream["tables"])
    assert ours["indexes"] == {**upstream["indexes"], **FURTHER_INDEXES.get((variant, dialect), {})}


def test_every_deliberate_difference_is_one() -> None:
    for (variant, dialect, name), difference in DELIBERATE.items():
        for columns in UPSTREAM[variant][dialect]["tables"].values():
            assert columns.get(name) != difference.ours
        assert difference.reason


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_facts_cover_every_dialect_and_a_column_of_every_type(dialect: str) -> None:
    tables = UPSTREAM["counts"][dialect]["tables"]
    assert set(tables) == {"user", "session", "account", "verification", "rateLimit"}
    assert UPSTREAM["plugins"][dialect]["tables"]["user"]["username"].endswith("unique")
    assert tables["rateLimit"]["lastRequest"] == "bigint not null"
