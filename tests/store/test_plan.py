"""A migration does what is missing, on every database and by every way to it; what is unsafe changes nothing."""

import json
import re
import tracemalloc
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest
from anyio import create_task_group, fail_after

from app import content, plain, signed_up
from portico import AdvancedOptions, Auth, Column, DatabaseOptions, RateLimitOptions
from portico.errors import ConfigError, NotUniqueError
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username
from portico.store.adapter import Where
from portico.testing import Clock
from portico.wire import Timestamp
from requirements import requirement
from store.places import EVERY, OWN, Place, PlaceName, place_at

pytestmark = [pytest.mark.anyio, requirement("ARCH-migrate")]

UPSTREAM: Mapping[str, Any] = json.loads((Path(__file__).parent / "ddl" / "upstream.json").read_text("utf-8"))[
    "variants"
]
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "core": {},
    "serial": {"advanced": AdvancedOptions(database=DatabaseOptions(generate_id="serial"))},
    "uuid": {"advanced": AdvancedOptions(database=DatabaseOptions(generate_id="uuid"))},
    "counts": {"rate_limit": RateLimitOptions(storage="database")},
    "plugins": {},
}
ON_EACH = pytest.mark.parametrize("place", OWN, indirect=True)
EVERYWHERE = pytest.mark.parametrize("place", EVERY, indirect=True)


@pytest.fixture
def anyio_backend() -> str:
    """The drivers run on asyncio only."""
    return "asyncio"


@pytest.fixture
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Place, None]:
    name: PlaceName = request.param
    async with place_at(name, tmp_path) as made:
        yield made


@asynccontextmanager
async def over(place: Place, variant: str = "core", **options: Any) -> AsyncGenerator[Auth[Any], None]:
    plugins = (TwoFactor(issuer="Acme"), Username()) if variant == "plugins" else ()
    auth = plain(*plugins, database=place.database, **{**VARIANTS[variant], **options})
    yield auth
    await auth.close()


async def made_by_upstream(place: Place, variant: str = "core") -> None:
    """Create the tables with the statements of upstream."""
    facts = UPSTREAM[variant][place.kind]
    for table, columns in facts["tables"].items():
        defined = ", ".join(f'"{name}" {definition}' for name, definition in columns.items())
        await place.run(f'create table "{table}" ({defined})')
    for name, (table, columns, is_unique) in facts["indexes"].items():
        await place.run(f'create {"unique " if is_unique else ""}index "{name}" on "{table}" ({columns})')


STAMP = {
    "sqlite": "'2030-01-02T03:04:05.678Z'",
    "postgresql": "'2030-01-02T03:04:05.678Z'",
    "mysql": "'2030-01-02 03:04:05.678'",
}


async def add_user(place: Place, number: int, name: str = "Ann") -> None:
    stamp, is_verified = STAMP[place.kind], "true" if place.kind == "postgresql" else "1"
    await place.run(
        'insert into "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")'
        f" values ('u{number}', '{name}', 'user{number}@example.com', {is_verified}, {stamp}, {stamp})"
    )


@requirement("ARCH-migrate", "S-155")
@ON_EACH
@pytest.mark.parametrize("variant", VARIANTS)
async def test_what_we_create_is_to_the_database_what_upstream_creates(
    place: Place, variant: str, tmp_path: Path
) -> None:
    async with over(place, variant) as auth:
        await auth.create_schema()
    ours = await place.schema()
    (tmp_path / "upstream").mkdir()
    async with place_at(place.name, tmp_path / "upstream") as other:
        await made_by_upstream(other, variant)
        theirs = await other.schema()
        async with over(other, variant) as auth:
            assert (await auth.plan_schema()).is_done
            assert await auth.create_schema() == []
        assert await other.schema() == theirs
    if (place.kind, variant) == ("sqlite", "serial"):
        ours = [tuple(part.replace(" autoincrement", "") if part else part for part in row) for row in ours]
    assert ours == theirs


@EVERYWHERE
async def test_everything_is_created_once_by_every_way_to_a_database(place: Place) -> None:
    async with over(place, "plugins") as auth:
        planned = await auth.plan_schema()
        assert await auth.create_schema() == planned.names
        assert (await auth.plan_schema()).is_done
        before = await place.schema()
        assert await auth.create_schema() == []
        assert await place.schema() == before
        await auth.start()


@EVERYWHERE
async def test_columns_and_indexes_of_a_plugin_are_added_to_rows_that_are_there(place: Place) -> None:
    await made_by_upstream(place)
    await add_user(place, 1)
    async with over(place, "plugins") as auth:
        created = await auth.create_schema()
        [user] = await auth.store.find_many(auth.tables["user"])
        assert (user["two_factor_enabled"], user["username"]) == (False, None)
        assert (await auth.plan_schema()).is_done
    assert created == [
        *("user.twoFactorEnabled", "user.username", "user.displayUsername", "twoFactor"),
        *("user_username_uidx", "twoFactor_secret_idx", "twoFactor_userId_idx"),
    ]


@ON_EACH
async def test_what_a_plan_prints_is_what_would_be_done(place: Place) -> None:
    async with over(place, "plugins") as auth:
        script = (await auth.plan_schema()).sql
        assert await place.schema() == []
        await place.run(*[line.removesuffix(";") for line in script.splitlines()])
        assert (await auth.plan_schema()).is_done
        await auth.start()


class Case(NamedTuple):
    """Something that is in the way of a migration."""

    reason: str
    """A pattern of what is told."""
    field: Any = None
    """The annotation of `user.shoeSize`, and its default."""
    before: Sequence[str] = ()
    """What happens to the empty tables of upstream."""
    after: Sequence[str] = ()
    """What happens when there are two users."""
    kinds: Sequence[PlaceName] = OWN


ADD = 'alter table "user" add column "shoeSize" '
CASES: Mapping[str, Case] = {
    "a required column": Case(r"cannot add user\.shoeSize: it must not be NULL and user has rows", (str, ...)),
    "a shared default": Case(
        r"cannot add user\.shoeSize: it is unique", (Annotated[str, Column(unique=True)], "medium")
    ),
    "another type": Case(
        r"user\.shoeSize is (text|varchar\(9\)|character varying\(9\)), not integer",
        (int | None, None),
        [ADD + "varchar(9)"],
    ),
    "a date in a number": Case(
        r"user\.shoeSize is (int|integer|int\(11\)), not (date|timestamp)", (Timestamp | None, None), [ADD + "integer"]
    ),
    "a narrower number": Case(
        r"user\.shoeSize is smallint.* and holds less than integer",
        (int | None, None),
        [ADD + "smallint"],
        kinds=("postgresql", "mysql"),
    ),
    "a small number for a big one": Case(
        r"user\.shoeSize is int.*, not bigint",
        (Annotated[int | None, Column(big=True)], None),
        [ADD + "integer"],
        kinds=("postgresql", "mysql"),
    ),
    "narrower text": Case(
        r"user\.shoeSize is .*\(20\) and holds less than text",
        (str | None, None),
        [ADD + "varchar(20)"],
        kinds=("postgresql", "mysql"),
    ),
    "duplicates": Case(
        r"user\.shoeSize must be unique, and some rows share a value",
        (Annotated[str | None, Column(unique=True)], None),
        [ADD + "varchar(255)"],
        ["""update "user" set "shoeSize" = 'medium'"""],
    ),
    "duplicates where an index is beside the table": Case(
        r"user\.shoeSize must be unique, and some rows share a value",
        (Annotated[str | None, Column(unique=True, index=True)], None),
        [ADD + "varchar(255)"],
        ["""update "user" set "shoeSize" = 'medium'"""],
    ),
    "long text that is to be unique": Case(
        r"user\.shoeSize is text, which MySQL cannot keep unique: make it varchar\(255\)",
        (Annotated[str | None, Column(unique=True)], None),
        [ADD + "text"],
        ["""update "user" set "shoeSize" = repeat('x', 256) where "id" = 'u1'"""],
        kinds=("mysql",),
    ),
    "a column that must not be NULL": Case(
        r"user\.shoeSize must not be NULL in the database, and None",
        (int | None, None),
        [ADD + "integer default 1 not null"],
    ),
    "a column that nobody sets": Case(
        r"no row could be added to session: session\.country must not be NULL",
        before=['alter table "session" add column "country" varchar(2) not null'],
    ),
    "an index on another column": Case(
        r"session has another index session_userId_idx than it needs",
        before=['drop index "session_userId_idx"@session', 'create index "session_userId_idx" on "session" ("token")'],
        kinds=("sqlite", "postgresql"),
    ),
    "an index on another table": Case(
        r"account has an index session_userId_idx, which session needs",
        before=['drop index "session_userId_idx"@session', 'create index "session_userId_idx" on "account" ("userId")'],
        kinds=("sqlite", "postgresql"),
    ),
}


EACH_CASE = [pytest.param(kind, case, id=f"{name}-{kind}") for name, case in CASES.items() for kind in case.kinds]


@pytest.mark.parametrize(("place", "case"), EACH_CASE, indirect=["place"])
async def test_what_is_unsafe_is_told_and_changes_nothing(place: Place, case: Case) -> None:
    await made_by_upstream(place)
    await place.run(*[statement.partition("@")[0] for statement in case.before])
    await add_user(place, 1)
    await add_user(place, 2)
    await place.run(*case.after)
    before, rows = await place.schema(), await place.fetch('select * from "user" order by 1')
    further = {} if case.field is None else {"additional_fields": {"user": {"shoe_size": case.field}}}
    async with over(place, "plugins", **further) as auth:
        planned = await auth.plan_schema()
        # There is something that could be done.
        assert "user.username" in planned.names
        [reason] = planned.refusals
        assert re.match(case.reason, reason), reason
        with pytest.raises(ConfigError, match=r"nothing was changed:\n- " + case.reason):
            await auth.create_schema()
    assert await place.schema() == before
    assert await place.fetch('select * from "user" order by 1') == rows


@ON_EACH
async def test_every_reason_is_told_at_once(place: Place) -> None:
    await made_by_upstream(place)
    await place.run(ADD + "varchar(9)")
    await add_user(place, 1)
    fields = {"shoe_size": (int | None, None), "country": (str, ...)}
    async with over(place, additional_fields={"user": fields}) as auth:
        assert [reason.split()[0] for reason in (await auth.plan_schema()).refusals] == ["user.shoeSize", "cannot"]


@ON_EACH
async def test_a_column_is_made_unique_if_its_values_are(place: Place) -> None:
    await made_by_upstream(place)
    await place.run(ADD + "varchar(255)")
    await add_user(place, 1)
    await add_user(place, 2)
    await place.run("""update "user" set "shoeSize" = 'medium' where "id" = 'u1'""")
    fields = {"user": {"shoe_size": (Annotated[str | None, Column(unique=True)], None)}}
    async with over(place, additional_fields=fields) as auth:
        assert await auth.create_schema() == ["user_shoeSize_uidx"]
        assert (await auth.plan_schema()).is_done
        with pytest.raises(NotUniqueError):
            await auth.store.update(auth.tables["user"], [Where("id", "u2")], {"shoe_size": "medium"})
    assert await place.fetch('select "id", "shoeSize" from "user" order by 1') == [("u1", "medium"), ("u2", None)]


@ON_EACH
async def test_a_required_column_is_added_to_a_table_without_rows(place: Place) -> None:
    await made_by_upstream(place)
    async with over(place, additional_fields={"user": {"country": (str, ...)}}) as auth:
        assert await auth.create_schema() == ["user.country"]
        assert (await auth.plan_schema()).is_done


@pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)
async def test_a_step_that_fails_takes_back_those_before_it(place: Place) -> None:
    await made_by_upstream(place)
    # Nobody can know: the name of a table is in the way of the last index.
    await place.run('create table "twoFactor_userId_idx" ("id" integer)')
    before = await place.schema()
    async with over(place, "plugins") as auth:
        with pytest.raises(Exception, match="twoFactor_userId_idx"):
            await auth.create_schema()
        assert await place.schema() == before
        await place.run('drop table "twoFactor_userId_idx"')
        assert len(await auth.create_schema()) == 7


@pytest.mark.parametrize("place", ["mysql"], indirect=True)
async def test_what_failed_halfway_goes_on_where_each_statement_is_kept(place: Place) -> None:
    await made_by_upstream(place)
    async with over(place, "plugins") as auth:
        await place.run('alter table "user" add column "twoFactorEnabled" boolean')
        created = await auth.create_schema()
        assert created[:2] == ["user.username", "user.displayUsername"]
        assert (await auth.plan_schema()).is_done


@pytest.mark.parametrize("place", ["mysql"], indirect=True)
async def test_unlimited_text_is_indexed_by_its_beginning(place: Place) -> None:
    await made_by_upstream(place)
    await place.run('drop index "verification_identifier_idx" on "verification"')
    await place.run('alter table "verification" modify "identifier" text not null')
    async with over(place) as auth:
        assert await auth.create_schema() == ["verification_identifier_idx"]
        assert (await auth.plan_schema()).is_done


@pytest.mark.parametrize("place", ["mysql"], indirect=True)
async def test_unlimited_text_is_limited_to_be_unique_if_none_is_longer(place: Place) -> None:
    await made_by_upstream(place)
    await place.run(ADD + "text")
    await add_user(place, 1)
    await place.run("""update "user" set "shoeSize" = repeat('x', 255)""")
    fields = {"user": {"shoe_size": (Annotated[str | None, Column(unique=True)], None)}}
    async with over(place, additional_fields=fields) as auth:
        assert await auth.create_schema() == ["user.shoeSize as varchar(255)", "user_shoeSize_uidx"]
        assert (await auth.plan_schema()).is_done
    assert await place.fetch('select char_length("shoeSize") from "user"') == [(255,)]


@EVERYWHERE
async def test_a_column_that_only_older_releases_had_no_longer_needs_a_value(place: Place) -> None:
    """Releases 1.7.0 to 1.7.2 required it, and their rows keep it."""
    await made_by_upstream(place)
    await add_user(place, 1)
    kind = "varchar(255)" if place.kind == "mysql" else "text"
    insert = 'insert into "account" ("id", "issuer", "accountId", "providerId", "userId", "createdAt", "updatedAt")'
    values = f"'local:credential', 'u1', 'credential', 'u1', {STAMP[place.kind]}, {STAMP[place.kind]}"
    await place.run(
        f'alter table "account" add column "issuer" {kind} not null',
        'create unique index "account_issuer_accountId_uidx" on "account" ("issuer", "accountId")'
        if place.kind != "mysql"
        else 'create unique index "account_issuer_accountId_uidx" on "account" ("issuer", "accountId"(100))',
        f"{insert} values ('a1', {values})",
    )
    async with over(place) as auth:
        with pytest.raises(ConfigError, match=r"the database lacks account\.issuer that may be NULL: run `portico"):
            await auth.start()
        assert await auth.create_schema() == ["account.issuer that may be NULL"]
        assert (await auth.plan_schema()).is_done
        await auth.start()
        await signed_up(auth, "ben@example.com")
    accounts = await place.fetch('select "issuer", "providerId" from "account" order by "issuer" is null')
    assert accounts == [("local:credential", "credential"), (None, "credential")]
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        await place.run(f"{insert} values ('a9', {values})")


async def test_a_big_table_is_migrated_without_reading_its_rows(tmp_path: Path) -> None:
    async with place_at("sqlite", tmp_path) as place:
        await made_by_upstream(place)
        await place.run(
            ADD + "text",
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)"
            " insert into user (id, name, email, emailVerified, createdAt, updatedAt, shoeSize)"
            f" select 'u' || i, hex(randomblob(50)), i || '@example.com', 1, {STAMP['sqlite']}, {STAMP['sqlite']}, i"
            " from n",
        )
        size = place.file.stat().st_size
        fields = {"user": {"shoe_size": (Annotated[str | None, Column(unique=True)], None)}}
        async with over(place, "plugins", additional_fields=fields) as auth:
            await auth.plan_schema()
            tracemalloc.start()
            created = await auth.create_schema()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert {"user_shoeSize_uidx", "user_username_uidx", "user.twoFactorEnabled"} < set(created)
        assert size > 20_000_000
        assert peak < 1_000_000


@EVERYWHERE
async def test_of_several_that_migrate_at_once_one_does(place: Place) -> None:
    created: list[int] = []

    async def create() -> None:
        async with over(place, "plugins") as auth:
            created.append(len(await auth.create_schema()))

    with fail_after(30):
        async with create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(create)
    assert sorted(created) == [0, 0, 0, 10]


@requirement("B-13", "ARCH-drift")
@EVERYWHERE
async def test_what_is_missing_at_the_start_is_named_with_the_command(place: Place) -> None:
    await made_by_upstream(place)
    async with over(place, "plugins") as auth:
        lacking = "user.twoFactorEnabled, user.username, user.displayUsername, twoFactor"
        with pytest.raises(ConfigError, match=f"the database lacks {lacking}: run `portico migrate your_module:auth`"):
            await auth.start()
        with pytest.raises(ConfigError, match=r"user\.username.*portico migrate"):
            await auth.api.get_session(None)
        # Whoever migrates meanwhile need not start again.
        await auth.create_schema()
        assert await auth.api.get_session(None) is None


@requirement("S-155", "ARCH-formats")
@pytest.mark.parametrize("place", ["postgresql", "engine on postgresql", "databases on postgresql"], indirect=True)
async def test_dates_without_a_time_zone_are_in_utc_wherever_the_server_is(place: Place) -> None:
    """So are those of releases before 1.4, and of the schemas that Drizzle and Prisma make."""
    await place.run(f"alter database {place.url.rpartition('/')[2]} set timezone = 'America/New_York'")
    await made_by_upstream(place)
    for table, column in await place.fetch(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'timestamp with time zone'"
    ):
        await place.run(f'alter table "{table}" alter column "{column}" type timestamp(3)')
    clock = Clock(datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC))
    async with over(place, clock=clock) as auth:
        assert (await auth.plan_schema()).is_done
        browser = await signed_up(auth)
        assert content(await browser.get("/get-session"))["session"]["createdAt"] == "2030-01-02T03:04:05.678Z"
        assert await place.fetch('select "createdAt"::text from "user"') == [("2030-01-02 03:04:05.678",)]
        for days, expired in ((6.9, 0), (7.1, 1)):
            clock.advance(days * 24 * 3600)
            condition = [Where("expires_at", clock(), "lt")]
            assert await auth.store.count(auth.tables["session"], condition) == expired
            assert (content(await browser.get("/get-session")) is None) is bool(expired)
