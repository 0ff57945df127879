"""Sessions in secondary storage, under upstream's keys and in its format.

`<token>` holds `{session,user}`, `active-sessions-<user>` the tokens of a user with their ends, the nearest one first,
and `revoked-sessions-before-<user>` the moment before which every session of the user was revoked.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, NamedTuple, cast

from pydantic_core import from_json, to_json

from portico.schema import Record, Table
from portico.store.secondary import SecondaryStorage
from portico.store.storage_lock import locked
from portico.wire import milliseconds, parse_timestamp, timestamp


class Entry(NamedTuple):
    """A session and its user, as one key holds them."""

    session: Record
    user: Record


class SessionStorage:
    """The sessions of one Auth in its secondary storage."""

    def __init__(self, storage: SecondaryStorage, sessions: Table[Any], users: Table[Any], lifetime: int) -> None:
        self._storage = storage
        self._sessions = sessions
        self._users = users
        self._lifetime = lifetime

    async def get(self, token: str, now: datetime) -> Entry | None:
        """Return a session that has not ended and was not revoked; what is no session of this format is none."""
        entry = self._read(await self._storage.get(token), token)
        if entry is None or entry.session["expires_at"] <= now:
            return None
        # A session that started while all were revoked may have escaped the list.
        revoked = await self._storage.get(f"revoked-sessions-before-{entry.session['user_id']}")
        if revoked is not None and milliseconds(entry.session["created_at"]) < int(revoked):
            return None
        return entry

    async def of_user(self, user_id: str, now: datetime) -> list[Entry]:
        """Return the live sessions of a user, the nearest end first."""
        tokens = [each["token"] for each in await self._listed(user_id)]
        found = [await self.get(token, now) for token in tokens]
        return [entry for entry in found if entry is not None and entry.session["user_id"] == user_id]

    async def put(self, entry: Entry, now: datetime) -> None:
        """Keep a session until it ends, and list it; one that has ended is removed instead."""
        token, user_id = entry.session["token"], entry.session["user_id"]
        async with self._listing(user_id):
            # The list first: what is not on it could not be revoked.
            await self._list(user_id, token, milliseconds(entry.session["expires_at"]), now)
            await self._write(entry, now)

    async def replace(self, entry: Entry, now: datetime) -> bool:
        """Change a session if it still lives."""
        token, user_id = entry.session["token"], entry.session["user_id"]
        async with self._listing(user_id):
            if await self.get(token, now) is None:
                return False
            await self._list(user_id, token, milliseconds(entry.session["expires_at"]), now)
            await self._write(entry, now)
            return True

    async def take(self, token: str, now: datetime) -> Entry | None:
        """End a session and return it: of many callers at once, one gets it."""
        entry = await self.get(token, now)
        if entry is None or await self._storage.get_and_delete(token) is None:
            return None
        await self.remove(entry.session["user_id"], [token], now)
        return entry

    async def remove(self, user_id: str, tokens: Sequence[str], now: datetime) -> None:
        """End sessions of a user."""
        async with self._listing(user_id):
            for token in tokens:
                await self._storage.delete(token)
            gone = set(tokens)
            await self._keep(user_id, [each for each in await self._listed(user_id) if each["token"] not in gone], now)

    async def remove_all(self, user_id: str, now: datetime) -> None:
        """End every session of a user, those included that are being started at this moment."""
        await self._storage.set(f"revoked-sessions-before-{user_id}", str(milliseconds(now)), self._lifetime)
        async with self._listing(user_id):
            for each in await self._listed(user_id):
                await self._storage.delete(each["token"])
            await self._storage.delete(f"active-sessions-{user_id}")

    async def rewrite_user(self, user: Record, now: datetime) -> None:
        """Let every session of a user tell of the user as they are now."""
        async with self._listing(user["id"]):
            for entry in await self.of_user(user["id"], now):
                await self._write(Entry(entry.session, user), now)

    async def _write(self, entry: Entry, now: datetime) -> None:
        seconds = int((entry.session["expires_at"] - now).total_seconds())
        token = entry.session["token"]
        if seconds <= 0:
            await self._storage.delete(token)
            return
        value = {"session": _written(self._sessions, entry.session), "user": _written(self._users, entry.user)}
        await self._storage.set(token, to_json(value).decode(), seconds)

    async def _list(self, user_id: str, token: str, ends: int, now: datetime) -> None:
        others = [each for each in await self._listed(user_id) if each["token"] != token]
        await self._keep(user_id, [*others, {"token": token, "expiresAt": ends}], now)

    async def _keep(self, user_id: str, listed: Sequence[dict[str, Any]], now: datetime) -> None:
        """Write a list without what has ended, for as long as the last of it lives."""
        moment = milliseconds(now)
        live = sorted((each for each in listed if each["expiresAt"] > moment), key=lambda each: each["expiresAt"])
        seconds = (live[-1]["expiresAt"] - moment) // 1000 if live else 0
        if seconds <= 0:
            await self._storage.delete(f"active-sessions-{user_id}")
        else:
            await self._storage.set(f"active-sessions-{user_id}", to_json(live).decode(), seconds)

    async def _listed(self, user_id: str) -> list[dict[str, Any]]:
        value = await self._storage.get(f"active-sessions-{user_id}")
        parsed: object = _parsed(value)
        listed = cast("list[dict[str, Any]]", parsed) if isinstance(parsed, list) else []
        return [each for each in listed if _is_listed(each)]

    def _listing(self, user_id: str) -> AbstractAsyncContextManager[None]:
        """Change a list while no other process does."""
        return locked(self._storage, f"active-sessions-lock-{user_id}")

    def _read(self, value: str | None, token: str) -> Entry | None:
        parsed: Any = _parsed(value)
        if not isinstance(parsed, dict):
            return None
        held = cast("dict[str, Any]", parsed)
        session, user = _record(self._sessions, held.get("session")), _record(self._users, held.get("user"))
        if session is None or user is None or session["token"] != token or session["user_id"] != user["id"]:
            return None
        dates = (session["expires_at"], session["created_at"])
        return Entry(session, user) if all(isinstance(each, datetime) for each in dates) else None


def _written(table: Table[Any], record: Record) -> dict[str, Any]:
    """Return every column of a row as JSON has it."""
    values = {field.wire: record.get(name) for name, field in table.fields.items()}
    return {name: timestamp(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _record(table: Table[Any], held: object) -> Record | None:
    """Return the row that JSON holds; columns that it does not mention are None."""
    if not isinstance(held, dict):
        return None
    values = cast("dict[str, Any]", held)
    record = {name: values.get(field.wire) for name, field in table.fields.items()}
    for name, field in table.fields.items():
        if field.kind == "date":
            record[name] = parse_timestamp(record[name])
    return record


def _parsed(value: str | None) -> Any:
    try:
        return None if value is None else from_json(value)
    except ValueError:
        return None


def _is_listed(each: object) -> bool:
    if not isinstance(each, dict):
        return False
    held = cast("dict[str, Any]", each)
    return isinstance(held.get("token"), str) and isinstance(held.get("expiresAt"), int)
