"""Stores over the database servers keep the contract of an Adapter, whoever made the connections."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from databases import Database
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from portico.store.adapter import Adapter
from portico.store.connect import open_store
from portico.testing.adapter_rows import TABLES
from portico.testing.adapter_suite import AdapterSuite
from requirements import requirement
from store.database_servers import DatabaseServer
from store.pooler import Pooler, pooler_before

pytestmark = [
    pytest.mark.anyio,
    requirement("I02", "ARCH-store-contract", "S-153"),
]


@pytest.fixture
def anyio_backend() -> str:
    """The drivers run on asyncio only."""
    return "asyncio"


@pytest.fixture(scope="module")
def pooler(postgresql: DatabaseServer) -> Iterator[Pooler]:
    with pooler_before(postgresql) as made:
        yield made


class OnServer(AdapterSuite):
    """A server's database, whose tables are dropped before each test."""

    server: DatabaseServer

    async def make(self) -> Adapter:
        await self.server.drop(*[table.database_name for table in reversed(TABLES)])
        return open_store(self.server.url)


class OnPostgres(OnServer):
    @pytest.fixture(autouse=True)
    def _server(self, postgresql: DatabaseServer) -> None:
        self.server = postgresql


class OnMysql(OnServer):
    @pytest.fixture(autouse=True)
    def _server(self, mysql: DatabaseServer) -> None:
        self.server = mysql


class OnFile(AdapterSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.file = tmp_path / "auth.db"


class OverEngine(AdapterSuite):
    """An engine of the application, which the store does not dispose of."""

    engine: AsyncEngine

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Adapter, None]:
        async with super().opened() as store:
            yield store
        await self.engine.dispose()


class TestPostgres(OnPostgres): ...


class TestMysql(OnMysql): ...


class TestPgBouncer(OnPostgres):
    """In transaction mode, with fewer connections than clients."""

    @pytest.fixture(autouse=True)
    def _pooler(self, pooler: Pooler) -> None:
        self.pooler = pooler

    async def make(self) -> Adapter:
        await super().make()
        return open_store(self.pooler.url)


class TestEngineOnPostgres(OverEngine, OnPostgres):
    async def make(self) -> Adapter:
        await super().make()
        self.engine = create_async_engine(f"postgresql+asyncpg:{self.server.address}")
        return open_store(self.engine)


class TestEngineOnMysql(OverEngine, OnMysql):
    async def make(self) -> Adapter:
        await super().make()
        self.engine = create_async_engine(f"mysql+asyncmy:{self.server.address}")
        return open_store(self.engine)


class TestEngineOnSqlite(OverEngine, OnFile):
    async def make(self) -> Adapter:
        self.engine = create_async_engine(f"sqlite+aiosqlite:///{self.file}")
        return open_store(self.engine)


class TestDatabasesOnPostgres(OnPostgres):
    async def make(self) -> Adapter:
        await super().make()
        return open_store(Database(self.server.url))


class TestDatabasesOnMysql(OnMysql):
    async def make(self) -> Adapter:
        await super().make()
        return open_store(Database(f"mysql+asyncmy:{self.server.address}"))


class TestDatabasesOnMysqlByAiomysql(OnMysql):
    async def make(self) -> Adapter:
        await super().make()
        return open_store(Database(self.server.url))


class TestDatabasesOnSqlite(OnFile):
    async def make(self) -> Adapter:
        return open_store(Database(f"sqlite:///{self.file}"))
