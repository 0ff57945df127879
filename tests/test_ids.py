"""Ids of every kind: text on the wire and in Python, whatever the database keeps and whoever makes them."""

import re
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

from app import CHEAP, ORIGIN, content, plain, signed_up
from plugins.second_step import challenged, enrolled, rows
from portico import (
    AdvancedOptions,
    Auth,
    ConfigError,
    DatabaseOptions,
    DeleteUser,
    EmailAndPassword,
    MemorySecondaryStorage,
    RateLimitOptions,
    SessionOptions,
    UserOptions,
)
from portico.plugins.two_factor import TwoFactor
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("B-15")]

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
NUMBERS = count(1)


def own(table: str) -> str:
    return f"{table}_{next(NUMBERS)}"


STRATEGIES: dict[str, tuple[Any, str, str]] = {
    "letters": (None, r"[A-Za-z0-9]{32}", "text"),
    "uuid": ("uuid", UUID, "text"),
    "serial": ("serial", r"[1-9]\d*", "integer"),
    "database": ("database", r"[A-Za-z0-9]{32}", "text"),
    "own": (own, r"[a-zA-Z]+_\d+", "text"),
}
EVERY = pytest.mark.parametrize("strategy", STRATEGIES)
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}


def made(strategy: str, clock: Clock | None = None, **options: Any) -> Auth[Any]:
    given: dict[str, Any] = {
        "advanced": AdvancedOptions(database=DatabaseOptions(generate_id=STRATEGIES[strategy][0])),
        "user": UserOptions(delete_user=DeleteUser(enabled=True)),
        "rate_limit": RateLimitOptions(enabled=True, max=1000, storage="database", custom_rules={"/**": False}),
        "clock": clock or Clock(),
        **options,
    }
    return plain(TwoFactor(issuer="Acme"), **given)


def database(where: str, path: Path) -> dict[str, Any]:
    return {"database": f"sqlite:///{path}/auth.db"} if where == "sqlite" else {}


@requirement("B-15", "ARCH-schema")
@EVERY
@pytest.mark.parametrize("where", ["memory", "sqlite"])
async def test_everything_works_whatever_ids_are(strategy: str, where: str, tmp_path: Path) -> None:
    clock = Clock()
    auth = made(strategy, clock, **database(where, tmp_path))
    await auth.create_schema()
    browser, totp = await enrolled(auth, clock)
    session = content(await browser.get("/get-session"))
    for each in (session["user"], session["session"]):
        assert re.fullmatch(STRATEGIES[strategy][1], each["id"])
    assert session["session"]["userId"] == session["user"]["id"]
    [account] = await rows(auth, "account")
    assert (account["user_id"], account["account_id"]) == (session["user"]["id"],) * 2
    again = await challenged(auth)
    code = totp.at(clock())
    assert (await again.post("/two-factor/verify-totp", {"code": code})).status == 200
    assert (await (await challenged(auth)).post("/two-factor/verify-totp", {"code": code})).status == 401
    assert len(content(await browser.get("/list-sessions"))) == 2
    assert (await browser.post("/update-user", {"name": "Bob"})).status == 200
    other = await signed_up(auth, "bob@example.com")
    assert (await browser.post("/delete-user", {"password": "password123"})).status == 200
    assert content(await browser.get("/get-session")) is None
    assert content(await other.get("/get-session"))["user"]["email"] == "bob@example.com"
    assert [len(await rows(auth, name)) for name in ("user", "session", "account", "twoFactor")] == [1, 1, 1, 0]
    await auth.close()


@EVERY
async def test_columns_have_the_type_of_the_ids_that_they_hold(strategy: str, tmp_path: Path) -> None:
    auth = made(strategy, **database("sqlite", tmp_path))
    await auth.create_schema()
    await signed_up(auth)
    kind = STRATEGIES[strategy][2]
    with closing(sqlite3.connect(tmp_path / "auth.db")) as connection:
        for table, column in (("user", "id"), ("session", "id"), ("session", "userId"), ("account", "userId")):
            types = {name: held.lower() for _, name, held, *_ in connection.execute(f"pragma table_info('{table}')")}
            [[held]] = connection.execute(f'select typeof("{column}") from "{table}"').fetchall()
            assert (types[column], held) == (kind, kind)
        [[account_id]] = connection.execute('select typeof("accountId") from account').fetchall()
        assert account_id == "text"
    await auth.close()


@requirement("B-15", "M02")
@EVERY
@pytest.mark.parametrize("where", ["memory", "sqlite"])
async def test_a_name_is_claimed_once_until_it_is_over(strategy: str, where: str, tmp_path: Path) -> None:
    clock, won = Clock(), list[str]()
    auth = made(strategy, clock, **database(where, tmp_path))
    await auth.create_schema()

    async def claim(name: str) -> None:
        if await auth.verifications.claim(auth.context(None), name, 60):
            won.append(name)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(claim, f"name-{number % 2}")
    assert sorted(won) == ["name-0", "name-1"]
    clock.advance(61)
    await claim("name-0")
    assert sorted(won) == ["name-0", "name-0", "name-1"]
    await auth.verifications.put(auth.context(None), "code", "1", 60)
    assert await auth.verifications.take(auth.context(None), "code") == "1"
    await auth.close()


@requirement("E02", "B-25")
@EVERY
async def test_a_made_up_user_has_an_id_like_others(strategy: str) -> None:
    auth = made(strategy, email_and_password=EmailAndPassword(enabled=True, auto_sign_in=False, password=CHEAP))
    answers = [content(await Browser(auth, ORIGIN).post("/sign-up/email", ANN))["user"] for _ in range(2)]
    for answer in answers:
        assert re.fullmatch(STRATEGIES[strategy][1], answer["id"])
    assert answers[0]["id"] != answers[1]["id"]
    assert {**answers[1], "id": ""} == {**answers[0], "id": ""}
    assert [user["id"] for user in await rows(auth, "user")] == [answers[0]["id"]]


@requirement("B-15", "ARCH-secondary")
@EVERY
@pytest.mark.parametrize("is_stored", [False, True])
async def test_sessions_in_secondary_storage_have_ids_too(strategy: str, is_stored: bool, tmp_path: Path) -> None:
    auth = made(
        strategy,
        secondary_storage=MemorySecondaryStorage(Clock()),
        session=SessionOptions(store_session_in_database=is_stored),
        **database("sqlite", tmp_path),
    )
    await auth.create_schema()
    browser = await signed_up(auth)
    session = content(await browser.get("/get-session"))
    letters = "letters" if not is_stored and strategy in {"serial", "database"} else strategy
    assert re.fullmatch(STRATEGIES[letters][1], session["session"]["id"])
    assert session["session"]["userId"] == session["user"]["id"]
    assert [each["id"] for each in content(await browser.get("/list-sessions"))] == [session["session"]["id"]]
    if is_stored:
        assert [each["id"] for each in await auth.store.find_many(auth.tables["session"])] == [session["session"]["id"]]
    assert (await browser.post("/sign-out")).status == 200
    assert content(await browser.get("/get-session")) is None
    await auth.close()


@requirement("B-15", "I01")
@pytest.mark.parametrize("strange", ["", "x", "01", "1.0", "0", "-1", "9" * 40, "' or 1=1"])
@pytest.mark.parametrize("where", ["memory", "sqlite"])
async def test_text_that_is_no_id_finds_nobody(strange: str, where: str, tmp_path: Path) -> None:
    auth = made("serial", **database(where, tmp_path))
    await auth.create_schema()
    await signed_up(auth)
    ctx = auth.context(None)
    assert await auth.users.find(ctx, id=strange) is None
    assert await auth.sessions.find_many(ctx, user_id=strange) == []
    assert await auth.users.update(ctx, {"id": strange}, name="Eve") is None
    assert await auth.users.delete(ctx, id=strange) == 0
    assert [user["name"] for user in await rows(auth, "user")] == ["Ann"]
    await auth.close()


@EVERY
async def test_requests_are_counted_in_the_database(strategy: str, tmp_path: Path) -> None:
    limit = RateLimitOptions(enabled=True, max=2, storage="database")
    auth = made(strategy, rate_limit=limit, **database("sqlite", tmp_path))
    await auth.create_schema()
    browser = Browser(auth, ORIGIN)
    assert [(await browser.get("/get-session")).status for _ in range(3)] == [200, 200, 429]
    [counted] = await rows(auth, "rateLimit")
    assert re.fullmatch(STRATEGIES[strategy][1], counted["id"])
    await auth.close()


@requirement("B-15")
async def test_a_list_has_as_many_rows_as_the_options_say() -> None:
    auth = plain(advanced=AdvancedOptions(database=DatabaseOptions(default_find_many_limit=3)))
    browser = await signed_up(auth)
    for _ in range(4):
        await Browser(auth, ORIGIN).post("/sign-in/email", {"email": ANN["email"], "password": ANN["password"]})
    assert len(content(await browser.get("/list-sessions"))) == 3
    assert len(await auth.sessions.find_many(auth.context(None), limit=10)) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DatabaseOptions(generate_id="uid"), "takes 'uuid' or 'serial' or 'database' or a function or None, not 'uid'"),  # type: ignore[arg-type]  # the mistake
        (DatabaseOptions(generate_id=False), "not False"),  # type: ignore[arg-type]  # upstream's spelling
        (DatabaseOptions(default_find_many_limit=0), "above 0, not 0"),
    ],
    ids=str,
)
def test_what_makes_no_id_is_a_mistake(options: DatabaseOptions, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plain(advanced=AdvancedOptions(database=options))
