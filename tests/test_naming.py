"""Tables and columns under names of the application's own; wire, Python and hooks keep upstream's."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import pytest

from app import CHEAP, ORIGIN, content, plain, signed_up
from portico import (
    AccountOptions,
    ApiError,
    Auth,
    Column,
    ConfigError,
    DeleteUser,
    EmailAndPassword,
    RateLimitOptions,
    SessionOptions,
    TableNames,
    UserOptions,
    VerificationOptions,
)
from portico.errors import USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username
from portico.store.hooks import after_create
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("S-154")]

RENAMED: dict[str, Any] = {
    # Two names change places: whatever goes by the wrong one is found out.
    "user": UserOptions(
        model_name="users",
        fields={"name": "full_name", "email": "name", "username": "login", "two_factor_enabled": "has_factor"},
        delete_user=DeleteUser(enabled=True),
    ),
    "session": SessionOptions(model_name="user_sessions", fields={"token": "secret", "user_id": "owner"}),
    "account": AccountOptions(model_name="accounts", fields={"user_id": "owner", "password": "hash"}),
    "verification": VerificationOptions(model_name="proofs", fields={"value": "held"}),
    "rate_limit": RateLimitOptions(
        enabled=True, max=1000, storage="database", model_name="hits", fields={"key": "who"}
    ),
    "plugin_tables": {"twoFactor": TableNames(model_name="factors", fields={"user_id": "owner"})},
    "additional_fields": {"user": {"nick_name": Annotated[str | None, Column(input=True, field_name="handle")]}},
}
SNAKE: dict[str, Any] = {
    "naming": "snake",
    "user": UserOptions(delete_user=DeleteUser(enabled=True)),
    "rate_limit": RateLimitOptions(enabled=True, max=1000, storage="database"),
    "additional_fields": {"user": {"nick_name": Annotated[str | None, Column(input=True)]}},
}
OF_RENAMED = {
    "users": "id full_name name emailVerified image createdAt updatedAt handle has_factor login displayUsername",
    "user_sessions": "id expiresAt secret createdAt updatedAt ipAddress userAgent owner",
    "accounts": "id accountId providerId owner accessToken refreshToken idToken accessTokenExpiresAt"
    " refreshTokenExpiresAt scope hash createdAt updatedAt",
    "proofs": "id identifier held expiresAt createdAt updatedAt",
    "hits": "id who count lastRequest",
    "factors": "id secret backupCodes owner verified failedVerificationCount lockedUntil",
}
OF_SNAKE = {
    "user": "id name email email_verified image created_at updated_at nick_name two_factor_enabled username"
    " display_username",
    "session": "id expires_at token created_at updated_at ip_address user_agent user_id",
    "account": "id account_id provider_id user_id access_token refresh_token id_token access_token_expires_at"
    " refresh_token_expires_at scope password created_at updated_at",
    "verification": "id identifier value expires_at created_at updated_at",
    "rate_limit": "id key count last_request",
    "two_factor": "id secret backup_codes user_id verified failed_verification_count locked_until",
}
INDEXES_OF_RENAMED = {
    "user_sessions_owner_idx",
    "accounts_owner_idx",
    "proofs_identifier_idx",
    "factors_secret_idx",
    "factors_owner_idx",
}


def made(options: dict[str, Any], **further: Any) -> Auth[Any]:
    return plain(TwoFactor(issuer="Acme"), Username(), **{**options, "clock": Clock(), **further})


def read(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def columns(path: Path) -> dict[str, str]:
    rows = read(
        path,
        "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c"
        " where m.type = 'table' order by m.rowid, c.cid",
    )
    return {table: " ".join(name for each, name in rows if each == table) for table, _ in rows}


@pytest.mark.parametrize(("options", "expected"), [(RENAMED, OF_RENAMED), (SNAKE, OF_SNAKE)], ids=["own", "snake"])
async def test_tables_are_made_under_their_names_and_then_lack_nothing(
    options: dict[str, Any], expected: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "auth.db"
    auth = made(options, database=f"sqlite:///{path}")
    with pytest.raises(ConfigError, match=r"the database lacks .*(hits|rate_limit)"):
        await auth.start()
    created = await auth.create_schema()
    assert {name: set(text.split()) for name, text in columns(path).items()} == {
        name: set(text.split()) for name, text in expected.items()
    }
    assert {name for name in created if "_idx" not in name} == set(expected)
    if options is RENAMED:
        assert {name for name in created if "_idx" in name} == INDEXES_OF_RENAMED
    assert await auth.create_schema() == []
    await auth.start()
    [user] = [table for table in expected if table.startswith("user") and "sess" not in table]
    for table in ("session", "account", "twoFactor"):
        pointed = read(path, f"pragma foreign_key_list('{auth.tables[table].database_name}')")
        assert [each[2:5] for each in pointed] == [(user, auth.tables[table].fields["user_id"].database_name, "id")]
    await auth.close()


@pytest.mark.parametrize("options", [RENAMED, SNAKE], ids=["own", "snake"])
@pytest.mark.parametrize("where", ["memory", "sqlite"])
async def test_everything_works_as_under_upstreams_names(options: dict[str, Any], where: str, tmp_path: Path) -> None:
    seen: list[str] = []

    @after_create("user")
    async def note(ctx: Any, user: Any) -> None:
        seen.append(user.name)

    further = {"database": f"sqlite:///{tmp_path}/auth.db"} if where == "sqlite" else {}
    auth = made(options, database_hooks=[note], **further)
    await auth.create_schema()
    browser = await signed_up(auth, username="ann", nickName="A")
    session = content(await browser.get("/get-session"))
    assert (session["user"]["name"], session["user"]["email"]) == ("Ann", "ann@example.com")
    assert (session["user"]["username"], session["user"]["nickName"], seen) == ("ann", "A", ["Ann"])
    body = {"name": "Eve", "email": "ANN@example.com", "password": "password123"}
    taken = await Browser(auth, ORIGIN).post("/sign-up/email", body)
    assert (taken.status, content(taken)["code"]) == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    signed_in = await Browser(auth, ORIGIN).post("/sign-in/username", {"username": "ann", "password": "password123"})
    assert signed_in.status == 200
    assert len(content(await browser.get("/list-sessions"))) == 2
    assert (await browser.post("/two-factor/enable", {"password": "password123"})).status == 200
    assert (await browser.post("/update-user", {"name": "Bob"})).status == 200
    assert content(await browser.get("/get-session"))["user"]["name"] == "Bob"
    assert (await browser.post("/delete-user", {"password": "password123"})).status == 200
    for name in ("user", "session", "account", "twoFactor"):
        assert await auth.store.count(auth.tables[name]) == 0
    assert await auth.store.count(auth.tables["rateLimit"]) > 0
    await auth.close()


async def test_the_users_table_of_the_application_is_readable_as_it_says(tmp_path: Path) -> None:
    auth = made(RENAMED, database=f"sqlite:///{tmp_path}/auth.db")
    await auth.create_schema()
    await signed_up(auth, nickName="A")
    assert read(tmp_path / "auth.db", "select users.full_name, users.name, handle from users") == [
        ("Ann", "ann@example.com", "A")
    ]
    await auth.close()


@requirement("S-154", "E06")
async def test_a_taken_address_ends_in_the_refusal_that_its_column_names(tmp_path: Path) -> None:
    for further in ({}, {"database": f"sqlite:///{tmp_path}/auth.db"}):
        auth = made(RENAMED, **further)
        await auth.create_schema()
        ctx = auth.context(None)
        await auth.users.create(ctx, name="Ann", email="ann@example.com")
        with pytest.raises(ApiError) as refused:
            await auth.users.create(ctx, name="Eve", email="ann@example.com")
        assert refused.value.error == USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL
        assert await auth.store.count(auth.tables["user"]) == 1
        await auth.close()


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"user": UserOptions(fields={"nam": "x"})}, r"user .* 'nam' is none; did you mean 'name'\?"),
    ({"user": UserOptions(fields={"emailVerified": "x"})}, r"did you mean 'email_verified'\?"),
    ({"user": UserOptions(fields={"id": "x"})}, "'id' is none"),
    ({"user": UserOptions(fields={"name": "Email"})}, "columns of user email and name have one name"),
    ({"user": UserOptions(model_name="session")}, "tables session and user have one name"),
    ({"session": SessionOptions(fields={"zzz": "x"})}, "'zzz' is none; there are expires_at, token"),
    ({"plugin_tables": {"twoFactr": TableNames()}}, r"'twoFactr', which no plugin has; did you mean 'twoFactor'\?"),
    ({"plugin_tables": {"user": TableNames()}}, "user is no plugin's table: name it with user="),
    ({"plugin_tables": {"rateLimit": TableNames()}}, "name it with rate_limit="),
    ({"naming": "kebab"}, "takes 'camel' or 'snake', not 'kebab'"),
    ({"namin": "snake"}, r"no option 'namin'; did you mean 'naming'\?"),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES, ids=str)
def test_a_name_for_what_does_not_exist_is_a_mistake(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(options, email_and_password=EmailAndPassword(enabled=True, password=CHEAP))
