"""One table of the memory store: its rows, and the indexes through which they are found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from portico.crypto.random import random_letters
from portico.errors import NotUniqueError
from portico.schema import Field, OnDelete, Record, Reference, Table
from portico.store.adapter import Operator, Where
from portico.store.codecs import MEMORY, decoders, encoder, fold
from portico.store.where import LISTS, field_of, is_text, listed

Stored = dict[str, Any]
"""A record as the memory keeps it: JSON as text, dates in UTC and whole milliseconds; never changed, only replaced."""

Test = Callable[[Stored], bool]

COMPARISONS: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    "eq": lambda held, value: held == value,
    "ne": lambda held, value: held != value,
    "lt": lambda held, value: held < value,
    "lte": lambda held, value: held <= value,
    "gt": lambda held, value: held > value,
    "gte": lambda held, value: held >= value,
    "in": lambda held, values: held in values,
    "not_in": lambda held, values: held not in values,
    "contains": lambda held, text: text in held,
    "starts_with": lambda held, text: held.startswith(text),
    "ends_with": lambda held, text: held.endswith(text),
}


class Shelf:
    """The rows of one table, by id and by the value of every unique or indexed column."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[Any, Stored] = {}
        self.references: dict[str, tuple[Reference, OnDelete]] = {}
        self._fields: dict[str, Field] = {}
        self._indexes: dict[str, dict[Any, dict[Any, None]]] = {}
        self._known: set[Table[Any]] = set()
        self._last = 0

    def learn(self, table: Table[Any]) -> None:
        """Keep the indexes of one more declaration of this table; every Auth on the store has its own."""
        if table in self._known:
            return
        self._known.add(table)
        for name, field in table.fields.items():
            self._fields.setdefault(name, field)
            if name in table.references:
                self.references[name] = table.references[name], field.column.on_delete
            if (field.column.unique or field.column.index) and name not in self._indexes:
                self._indexes[name] = {}
                for stored in self.rows.values():
                    self._index(name, stored.get(name), stored["id"])

    def new_id(self, table: Table[Any]) -> str:
        """Return an id that no row has and none had."""
        if table.fields["id"].kind != "serial":
            return random_letters()
        return str(self._last + 1)

    def find(self, table: Table[Any], where: Sequence[Where]) -> Iterable[Stored]:
        """Yield the rows that match, in the order in which they were added."""
        test = test_of(table, where)
        return (stored for stored in self._candidates(table, where) if test(stored))

    def by_value(self, name: str, value: Any) -> list[Stored]:
        """Return the rows whose field is `value`."""
        if name == "id":
            return [self.rows[value]] if value in self.rows else []
        if name in self._indexes:
            return [self.rows[key] for key in self._indexes[name].get(value, ())]
        return [stored for stored in self.rows.values() if stored.get(name) == value]

    def add(self, stored: Stored) -> None:
        """Add a row; raise NotUniqueError and change nothing."""
        if stored["id"] in self.rows:
            raise NotUniqueError(self.name, "id")
        self._check_unique(stored, stored["id"])
        self.rows[stored["id"]] = stored
        if isinstance(stored["id"], int):
            self._last = max(self._last, stored["id"])
        for name in self._indexes:
            self._index(name, stored.get(name), stored["id"])

    def replace(self, old: Stored, new: Stored) -> None:
        """Put `new` in the place of `old`; raise NotUniqueError and change nothing."""
        if new["id"] != old["id"]:
            if new["id"] in self.rows:
                raise NotUniqueError(self.name, "id")
            self._check_unique(new, old["id"])
            self.remove(old["id"])
            self.add(new)
            return
        self._check_unique(new, old["id"])
        self._unindex(old)
        self.rows[new["id"]] = new
        for name in self._indexes:
            self._index(name, new.get(name), new["id"])

    def remove(self, id: Any) -> Stored:
        """Take a row out."""
        stored = self.rows.pop(id)
        self._unindex(stored)
        return stored

    def name_of(self, column: str) -> str:
        """Return the Python name of a column."""
        return next((name for name, field in self._fields.items() if column == field.database_name), column)

    def _candidates(self, table: Table[Any], where: Sequence[Where]) -> Iterable[Stored]:
        for each in where:
            is_exact = each.connector == "AND" and (each.mode == "sensitive" or not is_text(table, each))
            if not is_exact or (each.field != "id" and each.field not in self._indexes) or each.value is None:
                continue
            encode = MEMORY[field_of(table, each.field).kind].seek
            if each.operator == "eq":
                return self.by_value(each.field, encode(each.value))
            if each.operator == "in":
                values = dict.fromkeys(encode(value) for value in listed(each) or ())
                return [stored for value in values for stored in self.by_value(each.field, value)]
        return list(self.rows.values())

    def _check_unique(self, stored: Stored, own_id: Any) -> None:
        for name, field in self._fields.items():
            value = stored.get(name)
            if not field.column.unique or value is None:
                continue
            if any(other["id"] != own_id for other in self.by_value(name, value)):
                raise NotUniqueError(self.name, field.database_name)

    def _index(self, name: str, value: Any, id: Any) -> None:
        self._indexes[name].setdefault(value, {})[id] = None

    def _unindex(self, stored: Stored) -> None:
        for name, index in self._indexes.items():
            value = stored.get(name)
            del index[value][stored["id"]]
            if not index[value]:
                del index[value]


def stored_of(table: Table[Any], record: Mapping[str, Any]) -> Stored:
    """Return values as the memory keeps them; raise UnstorableError for what no column can hold."""
    return {name: encoder(MEMORY, field_of(table, name))(value) for name, value in record.items()}


def record_of(table: Table[Any], stored: Stored) -> Record:
    """Return a record of its own for a caller."""
    record = {name: stored.get(name) for name in table.fields}
    for name, decode in decoders(MEMORY, table.fields):
        if record[name] is not None:
            record[name] = decode(record[name])
    return record


def test_of(table: Table[Any], where: Sequence[Where]) -> Test:
    """Return what tells whether a row matches."""
    required = [_term_of(table, each) for each in where if each.connector == "AND"]
    alternatives = [_term_of(table, each) for each in where if each.connector == "OR"]
    return lambda stored: (
        all(test(stored) for test in required) and (not alternatives or any(test(stored) for test in alternatives))
    )


def _term_of(table: Table[Any], where: Where) -> Test:
    name, compare = where.field, COMPARISONS[where.operator]
    folds = is_text(table, where) and where.mode == "insensitive"
    encode = MEMORY[field_of(table, name).kind].seek
    if where.value is None:
        return _null_term_of(where)

    def fit(value: Any) -> Any:
        return fold(encode(value)) if folds else encode(value)

    if where.operator in LISTS:
        values = listed(where)
        if values is None or not values:
            return lambda _: values is not None and where.operator == "not_in"
        wanted: Any = {fit(value) for value in values}
    else:
        wanted = fit(where.value)

    def test(stored: Stored) -> bool:
        held = stored.get(name)
        return held is not None and compare(fold(held) if folds else held, wanted)

    return test


def _null_term_of(where: Where) -> Test:
    if where.operator in {"eq", "ne"}:
        return lambda stored: (stored.get(where.field) is None) == (where.operator == "eq")
    return lambda _: False
