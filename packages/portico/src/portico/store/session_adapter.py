"""The verbs of an Adapter on sessions in secondary storage and, if wanted, in the database as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portico.errors import ConfigError, UnstorableError
from portico.schema import Record, Table
from portico.store.adapter import Join, RowStore, Sort, Where
from portico.store.session_storage import Entry, SessionStorage
from portico.store.shelf import record_of, stored_of, test_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAdapter:
    """Sessions by token or by user.

    A session is written to secondary storage at once, whatever becomes of the transaction round it: nobody is told its
    token if that fails, and an end that comes too early harms nobody.
    """

    sessions: SessionStorage
    database: RowStore
    users: Table[Any]
    now: datetime
    is_stored: bool
    """The database has every session as well."""
    is_kept: bool
    """It keeps those that were ended, so it does not tell which are live."""

    @property
    def _database_leads(self) -> bool:
        return self.is_stored and not self.is_kept

    async def create(self, table: Table[Any], record: Record) -> str:
        """Add a session of a user who exists and return its id."""
        if self.is_stored:
            record = {**record, "id": await self.database.create(table, record)}
        user = await self._user_of(record)
        if user is None:
            raise UnstorableError("a session belongs to a user who exists")
        await self.sessions.put(Entry(_clean(table, record), user), self.now)
        made: str = record["id"]
        return made

    async def find_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Return the first session that matches."""
        for entry in await self._matching(table, where):
            return entry.session
        return await self.database.find_one(table, where) if self._database_leads else None

    async def find_joined(
        self, table: Table[Any], where: Sequence[Where], join: Join
    ) -> tuple[Record, Record | None] | None:
        """Return the first session that matches and its user, as one key holds them."""
        for entry in await self._matching(table, where):
            return entry
        return await self.database.find_joined(table, where, join) if self._database_leads else None

    async def find_many(
        self,
        table: Table[Any],
        where: Sequence[Where] = (),
        *,
        limit: int = 100,
        offset: int = 0,
        sort: Sort | None = None,
    ) -> list[Record]:
        """Return a page of the sessions that match, without a wish for another order the nearest end first."""
        if self._database_leads:
            return await self.database.find_many(table, where, limit=limit, offset=offset, sort=sort)
        found = [entry.session for entry in await self._matching(table, where)]
        if sort is not None:
            found.sort(key=lambda record: record[sort.field], reverse=sort.direction == "desc")
        return found[offset : offset + limit]

    async def update(self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]) -> Record | None:
        """Change the first session that matches, if nobody ends it meanwhile."""
        for entry in await self._matching(table, where):
            changed = Entry(_clean(table, {**entry.session, **values}), entry.user)
            if not await self.sessions.replace(changed, self.now):
                return None
            if self.is_stored:
                await self.database.update(table, where, values)
            return changed.session
        record = await self.database.update(table, where, values) if self._database_leads else None
        user = None if record is None else await self._user_of(record)
        if record is None or user is None:
            return None
        # Secondary storage had lost it.
        await self.sessions.put(Entry(record, user), self.now)
        return record

    async def delete(self, table: Table[Any], where: Sequence[Where]) -> bool:
        """End the sessions that match, of which a token allows one."""
        return await self.delete_many(table, where) > 0

    async def delete_many(self, table: Table[Any], where: Sequence[Where]) -> int:
        """End every session that matches, in secondary storage first: there it would still be found."""
        by_user: dict[str, set[str]] = {}
        for entry in await self._matching(table, where):
            by_user.setdefault(entry.session["user_id"], set()).add(entry.session["token"])
        for user_id, tokens in by_user.items():
            await self.sessions.remove(user_id, list(tokens), self.now)
        gone = sum(map(len, by_user.values()))
        if self._database_leads:
            return max(gone, await self.database.delete_many(table, where))
        if self.is_kept:
            await self._mark_ended(table, [token for tokens in by_user.values() for token in tokens])
        return gone

    async def consume_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """End the first session that matches and return it: of many callers at once, one gets it."""
        for entry in await self._matching(table, where):
            if await self.sessions.take(entry.session["token"], self.now):
                await self.delete_many(table, [Where("token", entry.session["token"])])
                return entry.session
        return None

    async def _mark_ended(self, table: Table[Any], tokens: Sequence[str]) -> None:
        """Let the rows that are kept say when their sessions ended."""
        if self.is_stored:
            for token in tokens:
                await self.database.update(table, [Where("token", token)], {"expires_at": self.now})

    async def _matching(self, table: Table[Any], where: Sequence[Where]) -> list[Entry]:
        token, user_id = _exact(where, "token"), _exact(where, "user_id")
        if token is not None:
            one = await self.sessions.get(token, self.now)
            found = [] if one is None else [one]
        elif user_id is not None:
            found = await self.sessions.of_user(user_id, self.now)
        else:
            raise ConfigError("sessions in secondary storage are found by token or user_id; name one of them")
        if len(where) == 1:
            # It is the one that they were found by.
            return found
        test = test_of(table, where)
        return [entry for entry in found if test(stored_of(table, entry.session))]

    async def _user_of(self, session: Record) -> Record | None:
        return await self.database.find_one(self.users, [Where("id", session["user_id"])])


def _clean(table: Table[Any], record: Mapping[str, Any]) -> Record:
    """Return a record as a database would give it back; raise UnstorableError for what none could hold."""
    return record_of(table, stored_of(table, record))


def _exact(where: Sequence[Where], name: str) -> str | None:
    """Return the value that a column must have."""
    values = (each.value for each in where if (each.field, each.operator, each.connector) == (name, "eq", "AND"))
    return next(values, None)
