"""What is compiled for SQL Server, on which nothing here runs: each statement in its idiom, each value in its place."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.engine import Dialect

from app import plain
from portico.store.adapter import Join, Sort, Where
from portico.store.executors.dialects import mssql_dialect
from portico.store.sql.adapter import SqlAdapter
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-mssql")]


class Recorder:
    """An Executor that keeps what it is told to run and answers with one row."""

    def __init__(self, answer: Sequence[Any] = ()) -> None:
        self.dialect: Dialect = mssql_dialect()
        self.answer = answer
        self.ran: list[tuple[str, list[Any]]] = []

    async def fetch(self, sql: str, args: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        self.ran.append((" ".join(sql.split()), list(args)))
        return [self.answer] if self.answer else []

    async def run(self, sql: str, args: Sequence[Any] = ()) -> int:
        self.ran.append((" ".join(sql.split()), list(args)))
        return 1

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["Recorder", None]:
        yield self

    async def close(self) -> None:
        return None


AUTH = plain()
USERS, SESSIONS, VERIFICATIONS = (AUTH.tables[name] for name in ("user", "session", "verification"))
USER_COLUMNS = "[user].name, [user].email, [user].[emailVerified], [user].image, [user].[createdAt], [user].[updatedAt]"
NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)


def same(column: str) -> str:
    def as_bytes(text: str) -> str:
        return f"CAST(CAST({text} AS VARCHAR(8000)) AS VARBINARY(8000))"

    return f"{column} = ? AND {as_bytes(column)} = {as_bytes('?')}"


async def test_one_row_is_the_top_one() -> None:
    recorder = Recorder(["Ann", "ann@example.com", 1, None, datetime(2030, 1, 2, 12), datetime(2030, 1, 2, 12), "u1"])  # noqa: DTZ001  # as drivers of SQL Server give it
    found = await SqlAdapter(recorder).find_one(USERS, [Where("email", "ann@example.com")])
    assert recorder.ran == [
        (
            f"SELECT TOP 1 {USER_COLUMNS}, [user].id FROM [user] WHERE {same('[user].email')}",
            ["ann@example.com", "ann@example.com"],
        )
    ]
    assert found is not None
    assert (found["email_verified"], found["created_at"], found["id"]) == (True, NOON, "u1")


async def test_a_page_has_an_order_even_if_none_is_asked_for() -> None:
    recorder = Recorder()
    store = SqlAdapter(recorder)
    await store.find_many(USERS, [], limit=10, offset=20, sort=Sort("name", "desc"))
    await store.find_many(USERS, [Where("email", "50%_[x]", "starts_with")], limit=10, offset=20)
    as_text = (
        "(CAST(CAST(CAST([user].email AS VARCHAR(8000)) AS VARBINARY(8000)) AS VARCHAR(8000))"
        " COLLATE Latin1_General_100_BIN2)"
    )
    assert recorder.ran == [
        (
            f"SELECT {USER_COLUMNS}, [user].id FROM [user] WHERE 1 = 1 ORDER BY [user].name DESC"
            " OFFSET ? ROWS FETCH FIRST ? ROWS ONLY",
            [20, 10],
        ),
        (
            f"SELECT {USER_COLUMNS}, [user].id FROM [user] WHERE {as_text} LIKE ? ESCAPE '|' ORDER BY (SELECT NULL)"
            " OFFSET ? ROWS FETCH FIRST ? ROWS ONLY",
            ["50|%|_|[x]%", 20, 10],
        ),
    ]


async def test_a_row_is_taken_and_returned_in_one_statement() -> None:
    recorder = Recorder()
    await SqlAdapter(recorder).consume_one(VERIFICATIONS, [Where("identifier", "x"), Where("expires_at", NOON, "gt")])
    [(sql, args)] = recorder.ran
    assert sql == (
        "DELETE FROM verification OUTPUT deleted.identifier, deleted.value, deleted.[expiresAt], deleted.[createdAt],"
        " deleted.[updatedAt], deleted.id WHERE verification.id IN (SELECT TOP 1 candidate.id"
        f" FROM verification AS candidate WHERE {same('candidate.identifier')} AND candidate.[expiresAt] > ?)"
    )
    assert args == ["x", "x", NOON.replace(tzinfo=None)]


async def test_a_session_comes_with_its_user_and_a_change_returns_the_row() -> None:
    recorder = Recorder()
    store = SqlAdapter(recorder)
    await store.find_joined(SESSIONS, [Where("token", "t")], Join(USERS, "user_id"))
    await store.update(USERS, [Where("id", "u1")], {"email_verified": True})
    (joined, _), (changed, args) = recorder.ran
    assert joined.startswith("SELECT TOP 1 session.[expiresAt], session.token,")
    assert (
        f"FROM session LEFT OUTER JOIN [user] AS joined ON session.[userId] = joined.id WHERE {same('session.token')}"
        in joined
    )
    assert changed.startswith("UPDATE [user] SET [emailVerified]=? OUTPUT inserted.name,")
    assert args == [1, "u1", "u1"]


async def test_the_id_that_the_database_makes_is_returned() -> None:
    recorder = Recorder([7])
    assert await SqlAdapter(recorder).create(USERS, {"name": "Ann"}) == "7"
    assert recorder.ran == [("INSERT INTO [user] (name) OUTPUT inserted.id VALUES (?)", ["Ann"])]
