"""What `portico generate` writes is run: as SQL and as models of SQLAlchemy, on every kind of database."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app import content, signed_up
from cli.described import VARIANTS, described, is_formatted, loaded
from portico.cli.generate.sqlalchemy_models import sqlalchemy_models
from portico.store.adapter import Where
from portico.store.ddl.dialects import ddl_dialect_of
from portico.store.ddl.plan import creation
from requirements import requirement
from store.places import OWN, Place, PlaceName, place_at

pytestmark = [pytest.mark.anyio, requirement("ARCH-generate", "S-256")]

EACH = [(name, variant) for name in OWN for variant in VARIANTS]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def engine_on(place: Place) -> AsyncGenerator[AsyncEngine, None]:
    by = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "asyncmy"}[place.kind]
    settings: dict[str, Any] = {"init_command": "SET time_zone = '+00:00'"} if place.kind == "mysql" else {}
    engine = create_async_engine(place.url.replace(place.kind, f"{place.kind}+{by}", 1), connect_args=settings)
    yield engine
    await engine.dispose()


async def structure_of(
    name: PlaceName, folder: Path, create: Callable[[Place], Awaitable[object]], variant: str
) -> list[tuple[Any, ...]]:
    """Return what a new database is like in which tables were created, and see that nothing is pending there."""
    await anyio.Path(folder).mkdir()
    async with place_at(name, folder) as place:
        await create(place)
        auth = described(variant, place.database)
        planned = await auth.plan_schema()
        assert (planned.sql, planned.refusals) == ("", [])
        await auth.start()
        await signed_up(auth)
        await auth.close()
        return await place.structure()


@pytest.mark.parametrize(("name", "variant"), EACH)
async def test_sql_and_models_create_what_a_migration_creates(name: PlaceName, variant: str, tmp_path: Path) -> None:
    async def migrate(place: Place) -> None:
        auth = described(variant, place.database)
        await auth.create_schema()
        await auth.close()

    async def run_sql(place: Place) -> None:
        script = creation(described(variant, None).database_tables, ddl_dialect_of(place.kind)).sql
        await place.run(*[line.removesuffix(";").replace("`", '"') for line in script.splitlines()])

    async def create_all(place: Place) -> None:
        tables = described(variant, None).database_tables
        source = sqlalchemy_models(tables, ddl_dialect_of(place.kind), "Tables.")
        assert is_formatted(source), source
        models = loaded(source, f"models_{place.kind}_{variant}")
        async with engine_on(place) as engine, engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)

    expected = await structure_of(name, tmp_path / "migrate", migrate, variant)
    assert await structure_of(name, tmp_path / "sql", run_sql, variant) == expected
    assert await structure_of(name, tmp_path / "models", create_all, variant) == expected


@pytest.mark.parametrize("name", OWN)
async def test_models_and_portico_read_each_others_rows(name: PlaceName, tmp_path: Path) -> None:
    async with place_at(name, tmp_path) as place:
        auth = described("letters", place.database)
        await auth.create_schema()
        body: dict[str, Any] = {"shoeSize": 42, "tags": ["a", "ü"], "bornAt": "1990-01-02T03:04:05.678Z"}
        browser = await signed_up(auth, **body)
        source = sqlalchemy_models(auth.database_tables, ddl_dialect_of(place.kind), "Tables.")
        models = loaded(source, f"models_{place.kind}")
        async with engine_on(place) as engine, AsyncSession(engine) as session:
            user = (await session.scalars(select(models.User))).one()
            assert user.id == content(await browser.get("/get-session"))["user"]["id"]
            assert (user.email_verified, user.shoe_size, user.score) == (False, 42, 0.5)
            assert (user.tags, user.settings) == (["a", "ü"], None)
            assert user.born_at == datetime(1990, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
            assert user.created_at.tzinfo is not None
            [owned] = (await session.scalars(select(models.Session).where(models.Session.user_id == user.id))).all()
            assert owned.expires_at > user.created_at
            user.settings = {"a": [1, None]}
            user.email_verified = True
            user.born_at = datetime(1990, 1, 2, 12, tzinfo=UTC)
            moment = datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
            await session.execute(
                insert(models.Verification).values(
                    id="v1", identifier="i", value="v", expires_at=moment, created_at=moment, updated_at=moment
                )
            )
            await session.commit()
        shown = content(await browser.get("/get-session"))["user"]
        assert (shown["settings"], shown["emailVerified"]) == ({"a": [1, None]}, True)
        assert shown["bornAt"] == "1990-01-02T12:00:00.000Z"
        found = await auth.store.find_one(auth.tables["verification"], [Where("id", "v1")])
        assert found is not None
        assert found["expires_at"] == moment
        await auth.close()
