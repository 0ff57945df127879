"""The verbs of an Adapter on verifications: under upstream's keys in secondary storage, there and in the database, or
under identifiers that are not what the flows call them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic_core import from_json, to_json

from portico.errors import ConfigError
from portico.schema import Record, Table
from portico.store.adapter import Join, RowStore, Sort, Where
from portico.store.secondary import SecondaryStorage
from portico.store.shelf import record_of, stored_of, test_of
from portico.store.storage_lock import locked
from portico.wire import parse_timestamp, timestamp

ORDER = ("created_at", "updated_at", "value", "identifier", "expires_at")
"""How upstream writes a verification that only secondary storage has; it has no id there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationStorage:
    """Verifications in secondary storage, of which an identifier has one: the newest."""

    storage: SecondaryStorage
    now: datetime

    async def create(self, table: Table[Any], record: Record) -> str:
        """Keep a value until it expires; it has no id here but the one that it came with."""
        await self.write(table, _clean(table, record), ORDER)
        return str(record.get("id", ""))

    async def find_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Return the first that matches."""
        test = test_of(table, where)
        for identifier in _identifiers(where):
            record = _read(table, await self.storage.get(_key(identifier)), identifier)
            if record is not None and test(stored_of(table, record)):
                return record
        return None

    async def find_joined(
        self, table: Table[Any], where: Sequence[Where], join: Join
    ) -> tuple[Record, Record | None] | None:
        """Refuse: nothing refers to another table here."""
        raise ConfigError("verifications in secondary storage cannot be joined")

    async def find_many(
        self,
        table: Table[Any],
        where: Sequence[Where] = (),
        *,
        limit: int = 100,
        offset: int = 0,
        sort: Sort | None = None,
    ) -> list[Record]:
        """Return what matches, of which there is one."""
        found = await self.find_one(table, where)
        return [] if found is None else [found][offset : offset + limit]

    async def update(self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]) -> Record | None:
        """Change the first that matches; nobody changes or takes it meanwhile."""
        found = await self.find_one(table, where)
        if found is None:
            return None
        async with locked(self.storage, _lock(found["identifier"])):
            current = await self.find_one(table, where)
            if current is None:
                return None
            changed = _clean(table, {**current, **values})
            await self.write(table, changed, ORDER)
            return changed

    async def delete(self, table: Table[Any], where: Sequence[Where]) -> bool:
        """Delete the first that matches and tell whether there was one."""
        return await self.consume_one(table, where) is not None

    async def delete_many(self, table: Table[Any], where: Sequence[Where]) -> int:
        """Delete what matches, under each of its identifiers."""
        gone = 0
        while await self.consume_one(table, where) is not None:
            gone += 1
        return gone

    async def consume_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Delete the first that matches and return it: of many callers at once, one gets it."""
        found = await self.find_one(table, where)
        if found is None:
            return None
        # Who is changing it would bring it back.
        async with locked(self.storage, _lock(found["identifier"])):
            if await self.find_one(table, where) is None:
                return None
            taken = await self.storage.get_and_delete(_key(found["identifier"]))
        return _read(table, taken, found["identifier"])

    async def write(self, table: Table[Any], record: Record, order: Sequence[str]) -> None:
        """Keep a record until it expires."""
        seconds = int((record["expires_at"] - self.now).total_seconds())
        key = _key(record["identifier"])
        if seconds <= 0:
            await self.storage.delete(key)
            return
        values = {table.fields[name].wire: _written(record[name]) for name in order}
        await self.storage.set(key, to_json(values).decode(), seconds)

    async def claim(self, identifier: str, lifetime: int) -> bool:
        """Take a name for `lifetime` seconds; of many callers at once, one gets it."""
        return await self.storage.increment(f"{_key(identifier)}:claims", lifetime) == 1

    async def agree(self, table: Table[Any], identifier: str, value: str, lifetime: int) -> str:
        """Return what the first of many callers at once proposes."""
        async with locked(self.storage, _lock(identifier)):
            held = await self.find_one(table, [Where("identifier", identifier)])
            if held is not None:
                return str(held["value"])
            ends = self.now + timedelta(seconds=lifetime)
            dates = {"created_at": self.now, "updated_at": self.now, "expires_at": ends}
            await self.create(table, {"id": identifier, "identifier": identifier, "value": value, **dates})
            return value


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredVerifications:
    """Verifications in the database, which decides, and in secondary storage, where a TypeScript server looks first."""

    mirror: VerificationStorage
    database: RowStore

    async def create(self, table: Table[Any], record: Record) -> str:
        """Add a row, and its copy, and return its id."""
        made = await self.database.create(table, record)
        await self.mirror.write(table, _clean(table, {**record, "id": made}), tuple(table.fields))
        return made

    async def find_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Return the first row that matches."""
        return await self.database.find_one(table, where)

    async def find_joined(
        self, table: Table[Any], where: Sequence[Where], join: Join
    ) -> tuple[Record, Record | None] | None:
        """Return the first row that matches and the row it points to."""
        return await self.database.find_joined(table, where, join)

    async def find_many(
        self,
        table: Table[Any],
        where: Sequence[Where] = (),
        *,
        limit: int = 100,
        offset: int = 0,
        sort: Sort | None = None,
    ) -> list[Record]:
        """Return the rows that match."""
        return await self.database.find_many(table, where, limit=limit, offset=offset, sort=sort)

    async def update(self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]) -> Record | None:
        """Change the first row that matches, and its copy."""
        changed = await self.database.update(table, where, values)
        if changed is not None:
            await self.mirror.write(table, changed, tuple(table.fields))
        return changed

    async def delete(self, table: Table[Any], where: Sequence[Where]) -> bool:
        """Delete the first row that matches, which an identifier has one of."""
        return await self.consume_one(table, where) is not None

    async def delete_many(self, table: Table[Any], where: Sequence[Where]) -> int:
        """Delete every row that matches, and its copy; copies of rows that expired went by themselves."""
        gone = 0
        if all(each.field == "expires_at" for each in where):
            return await self.database.delete_many(table, where)
        while await self.consume_one(table, where) is not None:
            gone += 1
        return gone

    async def consume_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Delete the first row that matches, and its copy, and return it: of many callers at once, one gets it."""
        taken = await self.database.consume_one(table, where)
        if taken is not None:
            await self.mirror.storage.delete(_key(taken["identifier"]))
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedVerifications:
    """Verifications that are found by what a flow calls them, and by that itself if they are older than the option."""

    inner: RowStore
    stored: Callable[[str], Awaitable[str]]

    async def create(self, table: Table[Any], record: Record) -> str:
        """Add a row, which is renamed already, and return its id."""
        return await self.inner.create(table, record)

    async def find_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Return the first row that matches."""
        return await self.inner.find_one(table, await self._renamed(where))

    async def find_joined(
        self, table: Table[Any], where: Sequence[Where], join: Join
    ) -> tuple[Record, Record | None] | None:
        """Return the first row that matches and the row it points to."""
        return await self.inner.find_joined(table, await self._renamed(where), join)

    async def find_many(
        self,
        table: Table[Any],
        where: Sequence[Where] = (),
        *,
        limit: int = 100,
        offset: int = 0,
        sort: Sort | None = None,
    ) -> list[Record]:
        """Return the rows that match."""
        return await self.inner.find_many(table, await self._renamed(where), limit=limit, offset=offset, sort=sort)

    async def update(self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]) -> Record | None:
        """Change the first row that matches."""
        return await self.inner.update(table, await self._renamed(where), values)

    async def delete(self, table: Table[Any], where: Sequence[Where]) -> bool:
        """Delete the first row that matches."""
        return await self.inner.delete(table, await self._renamed(where))

    async def delete_many(self, table: Table[Any], where: Sequence[Where]) -> int:
        """Delete every row that matches."""
        return await self.inner.delete_many(table, await self._renamed(where))

    async def consume_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Delete the first row that matches and return it."""
        return await self.inner.consume_one(table, await self._renamed(where))

    async def _renamed(self, where: Sequence[Where]) -> Sequence[Where]:
        return [await self._either(each) if each.field == "identifier" else each for each in where]

    async def _either(self, where: Where) -> Where:
        if where.operator != "eq":
            return where
        stored = await self.stored(where.value)
        return where if stored == where.value else where._replace(value=[stored, where.value], operator="in")


def _key(identifier: str) -> str:
    return f"verification:{identifier}"


def _lock(identifier: str) -> str:
    return f"{_key(identifier)}:lock"


def _identifiers(where: Sequence[Where]) -> Sequence[str]:
    """Return the identifiers that a row may have."""
    for each in where:
        # Which is the id as well, where there is no row.
        is_name = each.field in {"identifier", "id"} and each.connector == "AND"
        if is_name and each.operator in {"eq", "in"}:
            return [each.value] if each.operator == "eq" else each.value
    raise ConfigError("verifications in secondary storage are found by identifier; name one")


def _clean(table: Table[Any], record: Mapping[str, Any]) -> Record:
    """Return a record as a database would give it back; raise UnstorableError for what none could hold."""
    return record_of(table, stored_of(table, record))


def _written(value: Any) -> Any:
    return timestamp(value) if isinstance(value, datetime) else value


def _read(table: Table[Any], value: str | None, identifier: str) -> Record | None:
    """Return the record that a key holds; what is none of this format is none."""
    try:
        parsed: Any = None if value is None else from_json(value)
    except ValueError:
        return None
    if not isinstance(parsed, dict):
        return None
    held = cast("dict[str, Any]", parsed)
    # Without a row there is no id; the identifier is as good a name.
    record: Record = {name: held.get(field.wire) for name, field in table.fields.items()} | {"identifier": identifier}
    record["id"] = record["id"] or identifier
    dates = [name for name, field in table.fields.items() if field.kind == "date"]
    record |= {name: parse_timestamp(record[name]) for name in dates}
    is_whole = isinstance(record["value"], str) and all(isinstance(record[name], datetime) for name in dates)
    return record if is_whole else None
