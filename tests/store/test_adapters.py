"""Every store that comes with the package keeps the contract of an Adapter."""

from pathlib import Path

import pytest

from portico.store.adapter import Adapter
from portico.store.connect import open_store
from portico.store.executors.sqlite import SqliteExecutor
from portico.store.memory import MemoryStore
from portico.store.sql.adapter import SqlAdapter
from portico.testing.adapter_suite import AdapterSuite
from requirements import requirement

pytestmark = [
    pytest.mark.anyio,
    requirement("I02", "ARCH-store-contract"),
]


class TestMemoryStore(AdapterSuite):
    async def make(self) -> Adapter:
        return MemoryStore()


class TestSqliteInMemory(AdapterSuite):
    async def make(self) -> Adapter:
        return open_store("sqlite://")


class TestSqliteFile(AdapterSuite):
    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.path = tmp_path / "auth.db"

    async def make(self) -> Adapter:
        return open_store(f"sqlite:///{self.path}")


class TestSqliteWithoutReturning(TestSqliteFile):
    """The way of databases that cannot change a row and return it in one statement, such as MySQL."""

    async def make(self) -> Adapter:
        executor = SqliteExecutor(str(self.path))
        executor.dialect.update_returning = False
        return SqlAdapter(executor)
