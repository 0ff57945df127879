"""What the tables and columns of one Auth are called in the database."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from portico.errors import ConfigError
from portico.options import AuthOptions, TableNames
from portico.wire import wire_name

NamingStyle = Literal["camel", "snake"]
OPTIONS = {"user": "user", "session": "session", "account": "account", "verification": "verification"}
"""Tables of the core by the option that names them."""
NAMED_ELSEWHERE = {"rate_limit": "rateLimit"}
WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, kw_only=True)
class Naming:
    """The names that an application gives, and a style for all others."""

    style: NamingStyle = "camel"
    given: Mapping[str, TableNames] = field(default_factory=dict[str, TableNames])
    """By table, as Portico calls it."""

    def table(self, name: str) -> str:
        """Return what a table is called in the database."""
        given = self.given.get(name)
        if given is not None and given.model_name is not None:
            return given.model_name
        return WORDS.sub("_", name).lower() if self.style == "snake" else name

    def column(self, table: str, name: str, own: str | None) -> str:
        """Return what a column is called in the database; `own` is the name that its declaration gives."""
        given = self.given.get(table)
        named = own if given is None else given.fields.get(name, own)
        return named or (name if self.style == "snake" else wire_name(name))

    def check_columns(self, table: str, names: Mapping[str, str]) -> None:
        """Refuse names for columns that do not exist, or that two columns would share."""
        given = self.given.get(table)
        for name in given.fields if given else ():
            if name == "id" or name not in names:
                known = [each for each in names if each != "id"]
                raise ConfigError(f"the names of {table} are for its columns, and {name!r} is none{_hint(name, known)}")
        _check_unshared(names, f"columns of {table}")

    def check_tables(self, tables: Iterable[str]) -> None:
        """Refuse names for tables that do not exist, or that two tables would share."""
        every = list(tables)
        for name in self.given:
            # The core's own are there or not, as its options say.
            if name not in every and name not in {*OPTIONS, *NAMED_ELSEWHERE.values()}:
                raise ConfigError(f"plugin_tables names {name!r}, which no plugin has{_hint(name, every)}")
        _check_unshared({name: self.table(name) for name in every}, "tables")


UPSTREAM = Naming()


def naming_of(options: AuthOptions) -> Naming:
    """Return the names that the options give."""
    style = options.get("naming", "camel")
    given: dict[str, TableNames] = {}
    for option, table in {**OPTIONS, **NAMED_ELSEWHERE}.items():
        names: Any = options.get(option)
        if names is not None:
            given[table] = names
    further = options.get("plugin_tables", {})
    for table in further:
        own = next((option for option, name in {**OPTIONS, **NAMED_ELSEWHERE}.items() if name == table), None)
        if own is not None:
            raise ConfigError(f"{table} is no plugin's table: name it with {own}=")
    return Naming(style=style, given={**given, **further})


def _hint(name: str, known: Iterable[str]) -> str:
    every = list(known)
    close = difflib.get_close_matches(name, every, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(every)}"


def _check_unshared(names: Mapping[str, str], what: str) -> None:
    # Databases that ignore case take both for one.
    counted = Counter(name.lower() for name in names.values())
    shared = sorted(own for own, name in names.items() if counted[name.lower()] > 1)
    if shared:
        raise ConfigError(f"the {what} {' and '.join(shared)} have one name in the database; give them different ones")
