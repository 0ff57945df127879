from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from app import ORIGIN, content, plain, signed_up
from portico import (
    ApiError,
    ConfigError,
    ErrorCode,
    HookContext,
    Plugin,
    Session,
    User,
    after_create,
    after_delete,
    after_update,
    before_create,
    before_delete,
    before_update,
)
from portico.testing import Browser
from requirements import requirement

pytestmark = pytest.mark.anyio

ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
INVITED_ONLY = ErrorCode(403, "INVITED_ONLY", "Only invited users may sign up")


@requirement("S-186")
async def test_a_before_hook_may_change_what_is_written() -> None:
    @before_create("user")
    async def shout(ctx: HookContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**values, "name": values["name"].upper()}

    @before_update("user")
    async def whisper(ctx: HookContext, values: dict[str, Any]) -> Mapping[str, Any]:
        return {**values, "name": values["name"].lower()}

    browser = await signed_up(plain(database_hooks=[shout, whisper]))
    assert content(await browser.get("/get-session"))["user"]["name"] == "ANN"
    await browser.post("/update-user", {"name": "AnnA"})
    assert content(await browser.get("/get-session"))["user"]["name"] == "anna"


@requirement("S-186", "ARCH-transactions")
@pytest.mark.parametrize("table", ["user", "account", "session"])
@pytest.mark.parametrize("database", [None, "sqlite"])
@pytest.mark.undescribed("which endpoints a hook on a table meets is not known")
async def test_a_before_hook_may_refuse_and_nothing_is_left(table: str, database: str | None, tmp_path: Any) -> None:
    @before_create(table)
    async def refuse(ctx: HookContext, values: Mapping[str, Any]) -> None:
        raise ApiError(INVITED_ONLY)

    options = {"database": f"sqlite:///{tmp_path}/auth.db"} if database else {}
    auth = plain(database_hooks=[refuse], **options)
    await auth.create_schema()
    browser = Browser(auth, ORIGIN)
    response = await browser.post("/sign-up/email", ANN)
    assert (response.status, content(response)) == (403, {"message": INVITED_ONLY.message, "code": "INVITED_ONLY"})
    assert browser.cookies == {}
    assert [await auth.store.count(each) for each in auth.tables.values()] == [0, 0, 0, 0]
    await auth.close()


@dataclass(frozen=True, kw_only=True, eq=False)
class Journal(Plugin):
    id: ClassVar[str] = "journal"
    lines: list[str]

    @before_create("user")
    async def expect(self, ctx: HookContext, values: Mapping[str, Any]) -> None:
        self.lines.append("plugin before user")

    @before_create("session")
    async def expect_session(self, ctx: HookContext, values: Mapping[str, Any]) -> None:
        self.lines.append("plugin before session")

    @after_create("user")
    async def welcome(self, ctx: HookContext, row: User) -> None:
        self.lines.append(f"plugin after {row.email}")


@requirement("S-186", "B-75")
async def test_after_hooks_run_when_everything_is_committed_and_plugins_come_first() -> None:
    lines: list[str] = []

    @before_create("user")
    async def expect(ctx: HookContext, values: Mapping[str, Any]) -> None:
        lines.append("own before user")

    @after_create("user")
    async def look(ctx: HookContext, row: User) -> None:
        counts = [await auth.store.count(auth.tables[name]) for name in ("user", "account", "session")]
        lines.append(f"own after {counts}")

    @after_create("session")
    async def note(ctx: HookContext, row: Any) -> None:
        lines.append("own after session")

    auth = plain(Journal(lines=lines), database_hooks=[expect, look, note])
    await signed_up(auth)
    assert lines == [
        "plugin before user",
        "own before user",
        "plugin before session",
        "plugin after ann@example.com",
        "own after [1, 1, 1]",
        "own after session",
    ]


@requirement("S-186", "ARCH-transactions")
async def test_after_hooks_do_not_run_for_what_was_rolled_back() -> None:
    seen: list[str] = []

    @after_create("user")
    async def welcome(ctx: HookContext, row: User) -> None:
        seen.append(row.email)

    auth = plain(database_hooks=[welcome])
    ctx = auth.context(None)
    with pytest.raises(RuntimeError):
        async with ctx.transaction() as inside:
            await auth.users.create(inside, name="A", email="a@example.com")
            raise RuntimeError
    async with ctx.transaction() as inside:
        await auth.users.create(inside, name="B", email="b@example.com")
        with pytest.raises(RuntimeError):
            async with inside.transaction() as nested:
                await auth.users.create(nested, name="C", email="c@example.com")
                raise RuntimeError
        async with inside.transaction() as nested:
            await auth.users.create(nested, name="D", email="d@example.com")
        assert seen == []
    assert seen == ["b@example.com", "d@example.com"]
    assert await auth.store.count(auth.tables["user"]) == 2


@requirement("F07")
async def test_an_after_hook_that_fails_loses_nothing_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    @after_create("user")
    async def fail(ctx: HookContext, row: User) -> None:
        raise RuntimeError

    browser = await signed_up(plain(database_hooks=[fail]))
    assert content(await browser.get("/get-session"))["user"]["email"] == "ann@example.com"
    assert "work after a commit failed" in caplog.text


@requirement("S-186")
async def test_updates_and_deletes_have_hooks_too() -> None:
    lines: list[str] = []

    @after_update("user")
    async def changed(ctx: HookContext, row: User) -> None:
        lines.append(f"changed {row.name}")

    @before_delete("session")
    async def ending(ctx: HookContext, row: Any) -> None:
        lines.append("ending")

    @after_delete("session")
    async def ended(ctx: HookContext, row: Any) -> None:
        lines.append("ended")

    browser = await signed_up(plain(database_hooks=[changed, ending, ended]))
    await browser.post("/update-user", {"name": "Anna"})
    await browser.post("/sign-out")
    assert lines == ["changed Anna", "ending", "ended"]


@requirement("S-186")
async def test_every_row_that_is_deleted_is_announced_however_many_there_are() -> None:
    ended: list[str] = []

    @after_delete("session")
    async def note(ctx: HookContext, row: Session) -> None:
        ended.append(row.id)

    auth = plain(database_hooks=[note])
    ann = await signed_up(auth)
    ctx = auth.context(None)
    [user] = await auth.users.find_many(ctx)
    for _ in range(250):
        await auth.sessions.start(ctx, user, remember=True, address="", agent="")
    assert (await ann.post("/revoke-sessions")).status == 200
    assert (len(set(ended)), await auth.store.count(auth.tables["session"])) == (251, 0)


@requirement("CONF-hooks")
def test_a_function_without_a_decorator_is_no_database_hook() -> None:
    async def plain_function(ctx: HookContext, row: User) -> None:
        """Never run."""

    with pytest.raises(ConfigError, match=r"has no decorator such as @before_create\('user'\)"):
        plain(database_hooks=[plain_function])


@requirement("S-186")
async def test_a_before_hook_names_only_what_it_changes_and_the_next_one_sees_it() -> None:
    seen: list[str] = []

    @before_create("user")
    async def shout(ctx: HookContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"name": values["name"].upper()}

    @before_create("user")
    async def read(ctx: HookContext, values: Mapping[str, Any]) -> None:
        seen.append(values["name"])

    @before_update("user")
    async def add(ctx: HookContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"image": "https://x.example/i.png"}

    browser = await signed_up(plain(database_hooks=[shout, read, add]))
    assert seen == ["ANN"]
    await browser.post("/update-user", {"name": "Bob"})
    user = content(await browser.get("/get-session"))["user"]
    assert (user["name"], user["email"], user["image"]) == ("Bob", "ann@example.com", "https://x.example/i.png")


@requirement("S-186", "ARCH-transactions")
@pytest.mark.parametrize(
    ("table", "status", "code"),
    [
        ("user", 400, "FAILED_TO_CREATE_USER"),
        ("account", 400, "FAILED_TO_CREATE_USER"),
        ("session", 401, "FAILED_TO_CREATE_SESSION"),
    ],
)
@pytest.mark.undescribed("which endpoints a hook on a table meets is not known")
async def test_a_before_hook_that_says_false_ends_the_call_and_nothing_is_left(
    table: str, status: int, code: str
) -> None:
    lines: list[str] = []

    @before_create(table)
    async def veto(ctx: HookContext, values: Mapping[str, Any]) -> bool:
        return False

    @before_create(table)
    async def later(ctx: HookContext, values: Mapping[str, Any]) -> None:
        lines.append("later")

    @after_create("user")
    async def welcome(ctx: HookContext, row: User) -> None:
        lines.append("welcome")

    auth = plain(database_hooks=[veto, later, welcome])
    browser = Browser(auth, ORIGIN)
    response = await browser.post("/sign-up/email", ANN)
    assert (response.status, content(response)["code"], lines, browser.cookies) == (status, code, [], {})
    assert [await auth.store.count(each) for each in auth.tables.values()] == [0, 0, 0, 0]


@requirement("S-186")
@pytest.mark.undescribed("which endpoints a hook on a table meets is not known")
async def test_false_keeps_a_row_from_being_changed_and_deleted() -> None:
    lines: list[str] = []

    @before_update("user")
    async def keep(ctx: HookContext, values: Mapping[str, Any]) -> bool:
        return False

    @before_delete("session")
    async def hold(ctx: HookContext, row: Session) -> bool:
        return False

    @after_update("user")
    async def changed(ctx: HookContext, row: Any) -> None:
        lines.append("changed")

    @after_delete("session")
    async def gone(ctx: HookContext, row: Any) -> None:
        lines.append("gone")

    auth = plain(database_hooks=[keep, hold, changed, gone])
    browser = await signed_up(auth)
    refused = (400, {"message": "The application does not allow this"})
    updated = await browser.post("/update-user", {"name": "Bob"})
    revoked = await browser.post("/revoke-sessions")
    assert [(each.status, content(each)) for each in (updated, revoked)] == [refused, refused]
    assert content(await browser.get("/get-session"))["user"]["name"] == "Ann"
    assert lines == []


@requirement("S-186", "B-75")
@pytest.mark.undescribed("which endpoints a hook on a table meets is not known")
async def test_a_plugin_that_says_false_is_heard_first() -> None:
    lines: list[str] = []

    class Closed(Journal):
        @before_create("user")
        async def close(self, ctx: HookContext, values: Mapping[str, Any]) -> bool:
            return False

    @before_create("user")
    async def own(ctx: HookContext, values: Mapping[str, Any]) -> None:
        lines.append("own")

    auth = plain(Closed(lines=lines), database_hooks=[own])
    assert (await Browser(auth, ORIGIN).post("/sign-up/email", ANN)).status == 400
    assert lines == ["plugin before user"]


@requirement("S-186", "ARCH-transactions")
@pytest.mark.parametrize("database", [None, "sqlite"])
async def test_an_after_hook_writes_with_the_context_that_it_is_given(database: str | None, tmp_path: Any) -> None:
    seen: list[str] = []

    @after_create("user")
    async def note(ctx: HookContext, row: User) -> None:
        seen.append(row.email)
        await auth.verifications.create(ctx, identifier=row.id, value="new", expires_at=ctx.now())

    options = {"database": f"sqlite:///{tmp_path}/auth.db"} if database else {}
    auth = plain(database_hooks=[note], **options)
    await auth.create_schema()
    await signed_up(auth)
    async with auth.context(None).transaction() as outer:
        async with outer.transaction() as inner:
            await auth.users.create(inner, name="Bob", email="bob@example.com")
        assert seen == ["ann@example.com"]
    assert seen == ["ann@example.com", "bob@example.com"]
    assert await auth.store.count(auth.tables["verification"]) == 2
    await auth.close()
