"""The schema that is created is upstream's, and a database that upstream created lacks nothing."""

import re
import sqlite3
from pathlib import Path
from typing import Annotated, Any

import pytest
from anyio import create_task_group, fail_after

from portico.errors import ConfigError
from portico.models import Account, OfUser, Session, User, Verification
from portico.schema import Column, Columns, Row, Table
from portico.store.adapter import Adapter, Where
from portico.store.connect import open_store
from portico.wire import Timestamp
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-schema")]


class Additions(Columns):
    two_factor_enabled: bool | None = False
    username: Annotated[str | None, Column(unique=True)] = None
    display_username: str | None = None


class TwoFactor(Row):
    secret: Annotated[str, Column(index=True)]
    backup_codes: str
    user_id: Annotated[str, OfUser]
    verified: bool | None = True
    failed_verification_count: int | None = 0
    locked_until: Timestamp | None = None


UPSTREAM = [
    'CREATE TABLE "user" ("id" text not null primary key, "name" text not null, "email" text not null unique,'
    ' "emailVerified" integer not null, "image" text, "createdAt" date not null, "updatedAt" date not null,'
    ' "twoFactorEnabled" integer, "username" text unique, "displayUsername" text)',
    'CREATE TABLE "session" ("id" text not null primary key, "expiresAt" date not null,'
    ' "token" text not null unique, "createdAt" date not null, "updatedAt" date not null, "ipAddress" text,'
    ' "userAgent" text, "userId" text not null references "user" ("id") on delete cascade)',
    'CREATE TABLE "account" ("id" text not null primary key, "accountId" text not null, "providerId" text not null,'
    ' "userId" text not null references "user" ("id") on delete cascade, "accessToken" text, "refreshToken" text,'
    ' "idToken" text, "accessTokenExpiresAt" date, "refreshTokenExpiresAt" date, "scope" text, "password" text,'
    ' "createdAt" date not null, "updatedAt" date not null)',
    'CREATE TABLE "verification" ("id" text not null primary key, "identifier" text not null,'
    ' "value" text not null, "expiresAt" date not null, "createdAt" date not null, "updatedAt" date not null)',
    'CREATE TABLE "twoFactor" ("id" text not null primary key, "secret" text not null, "backupCodes" text not null,'
    ' "userId" text not null references "user" ("id") on delete cascade, "verified" integer,'
    ' "failedVerificationCount" integer, "lockedUntil" date)',
    'CREATE INDEX "session_userId_idx" on "session" ("userId")',
    'CREATE INDEX "account_userId_idx" on "account" ("userId")',
    'CREATE INDEX "verification_identifier_idx" on "verification" ("identifier")',
    'CREATE INDEX "twoFactor_secret_idx" on "twoFactor" ("secret")',
    'CREATE INDEX "twoFactor_userId_idx" on "twoFactor" ("userId")',
]


def core(*additions: type[Columns]) -> list[Table[Any]]:
    session, account, verification = (
        Table("session", Session, (), {}),
        Table("account", Account, (), {}),
        Table("verification", Verification, (), {}),
    )
    return [Table("user", User, additions, {}), session, account, verification]


def tables() -> list[Table[Any]]:
    return [*core(Additions), Table("twoFactor", TwoFactor, (), {})]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auth.db"


def opened(path: Path) -> Adapter:
    return open_store(f"sqlite:///{path}")


def schema(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return [re.sub(r"\s+", " ", sql) for (sql,) in rows]


def write(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for sql in statements:
            connection.execute(sql)
    connection.close()


USER = (
    "INSERT INTO user VALUES ('u1', 'Ann', 'ann@example.com', 1, NULL,"
    " '2030-01-02T03:04:05.678Z', '2030-01-02T03:04:05.678Z')"
)


@requirement("B-16")
async def test_a_new_schema_is_upstreams_to_the_letter(path: Path) -> None:
    store = opened(path)
    created = await store.create_schema(tables())
    await store.close()
    assert schema(path) == UPSTREAM
    assert created == [
        *("user", "session", "account", "verification", "twoFactor"),
        *("session_userId_idx", "account_userId_idx", "verification_identifier_idx"),
        *("twoFactor_secret_idx", "twoFactor_userId_idx"),
    ]


async def test_a_database_that_upstream_made_lacks_nothing(path: Path) -> None:
    write(path, *UPSTREAM)
    store = opened(path)
    assert await store.missing(tables()) == []
    assert await store.create_schema(tables()) == []
    await store.close()
    assert schema(path) == UPSTREAM


@requirement("B-12", "B-16")
async def test_a_row_is_stored_as_upstream_stores_it(path: Path) -> None:
    write(path, *UPSTREAM)
    store = opened(path)
    user = tables()[0]
    row = {
        **dict.fromkeys(user.fields),
        "id": "u1",
        "name": "Ann",
        "email": "ann@example.com",
        "email_verified": True,
        "created_at": user.row.model_validate(STAMPS).created_at,
        "updated_at": user.row.model_validate(STAMPS).updated_at,
    }
    await store.create(user, row)
    await store.close()
    with sqlite3.connect(path) as connection:
        stored = connection.execute("SELECT * FROM user").fetchall()
    connection.close()
    assert stored == [
        (
            "u1",
            "Ann",
            "ann@example.com",
            1,
            None,
            "2030-01-02T03:04:05.678Z",
            "2030-01-02T03:04:05.678Z",
            None,
            None,
            None,
        )
    ]


STAMPS = {
    "id": "u1",
    "name": "Ann",
    "email": "ann@example.com",
    "createdAt": "2030-01-02T03:04:05.678Z",
    "updatedAt": "2030-01-02T03:04:05.678Z",
}


async def test_an_empty_database_lacks_every_table(path: Path) -> None:
    store = opened(path)
    assert await store.missing(tables()) == ["user", "session", "account", "verification", "twoFactor"]
    await store.close()
    assert schema(path) == []


async def test_columns_of_a_new_plugin_are_added_as_upstream_adds_them(path: Path) -> None:
    store = opened(path)
    await store.create_schema(core())
    write(path, USER)
    names = ["user.twoFactorEnabled", "user.username", "user.displayUsername"]
    assert await store.missing(core(Additions)) == names
    assert await store.create_schema(core(Additions)) == [*names, "user_username_uidx"]
    assert await store.missing(core(Additions)) == []
    assert await store.create_schema(core(Additions)) == []
    user = core(Additions)[0]
    record = await store.find_one(user, [Where("id", "u1")])
    await store.close()
    assert record is not None
    assert (record["two_factor_enabled"], record["username"]) == (False, None)
    added = ', "twoFactorEnabled" integer default 0, "username" text, "displayUsername" text)'
    assert schema(path)[0].endswith(added)
    assert 'CREATE UNIQUE INDEX "user_username_uidx" on "user" ("username")' in schema(path)


async def test_a_required_column_is_not_added_to_rows_that_lack_it(path: Path) -> None:
    class Required(Columns):
        display_username: str | None = None
        country: str

    store = opened(path)
    await store.create_schema(core())
    write(path, USER)
    before = schema(path)
    with pytest.raises(ConfigError, match="country"):
        await store.create_schema(core(Required))
    assert schema(path) == before
    write(path, "DELETE FROM user")
    assert await store.create_schema(core(Required)) == ["user.displayUsername", "user.country"]
    await store.close()


async def test_columns_that_nobody_declared_are_left_alone(path: Path) -> None:
    write(path, *UPSTREAM, "ALTER TABLE user ADD COLUMN shoe_size integer", "CREATE TABLE other (id)")
    store = opened(path)
    assert await store.create_schema(tables()) == []
    await store.close()


async def test_an_older_database_without_the_indexes_lacks_nothing(path: Path) -> None:
    write(path, *(sql for sql in UPSTREAM if "INDEX" not in sql))
    store = opened(path)
    assert await store.missing(tables()) == []
    assert len(await store.create_schema(tables())) == 5
    await store.close()


async def test_two_stores_may_create_the_schema_at_once(path: Path) -> None:
    stores = [opened(path) for _ in range(4)]
    created: list[int] = []

    async def create(store: Adapter) -> None:
        created.append(len(await store.create_schema(tables())))

    with fail_after(20):
        async with create_task_group() as tasks:
            for store in stores:
                tasks.start_soon(create, store)
    for store in stores:
        await store.close()
    assert sorted(created) == [0, 0, 0, 10]
    assert schema(path) == UPSTREAM


@requirement("B-13")
async def test_a_call_before_the_schema_exists_says_what_to_do(path: Path) -> None:
    store = opened(path)
    with pytest.raises(ConfigError, match=r"no such table: user.*create the schema"):
        await store.count(tables()[0])
    await store.close()
