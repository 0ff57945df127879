"""What `Auth(database=...)` takes, and what it says about everything else."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from portico.errors import ConfigError
from portico.store.connect import open_store
from portico.store.memory import MemoryStore
from portico.store.sql.adapter import SqlAdapter
from portico.testing.adapter_rows import PEOPLE, person
from requirements import requirement
from store.database_servers import DatabaseServer

pytestmark = [pytest.mark.anyio, requirement("CONF-database")]


async def test_a_relative_url_is_a_file_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///auth.db")
    monkeypatch.chdir("/")
    await store.create_schema([PEOPLE])
    await store.close()
    assert (tmp_path / "auth.db").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "SQLite://"])
async def test_a_url_without_a_path_is_a_database_in_memory(url: str) -> None:
    store = open_store(url)
    await store.create_schema([PEOPLE])
    await store.create(PEOPLE, person(1))
    assert await store.find_many(PEOPLE) == [person(1)]
    await store.close()


async def test_an_adapter_is_taken_as_it_is() -> None:
    store = MemoryStore()
    assert open_store(store) is store
    assert isinstance(open_store(None), MemoryStore)
    assert isinstance(open_store("sqlite://"), SqlAdapter)


@requirement("F08")
@pytest.mark.parametrize(
    ("database", "says"),
    [
        ("postgresql+psycopg://ann:hunter2@db/auth", "names the driver psycopg; postgresql is served by asyncpg"),
        ("mysql+pymysql://ann:hunter2@db/auth", "names the driver pymysql; mysql is served by asyncmy"),
        ("postgres://ann:hunter2@db/auth?pool_size=many", "pool_size of database= is a number"),
        ("mariadb://ann:hunter2@db/auth?pool_timeout=-1", "pool_timeout of database= is a number"),
        ("mongodb://ann:hunter2@db/auth", "unknown scheme 'mongodb'"),
        ("sqlite+aiosqlite:///hunter2.db", "is served by sqlite3"),
        ("ann:hunter2@db://auth", "unknown scheme 'ann'"),
        ("hunter2.db", "is no URL"),
        ("", "is no URL"),
        ("sqlite://hunter2.db", "three slashes"),
        ("sqlite:///auth.db?mode=hunter2", "no parameters"),
        (5, "got a int without create"),
        (Path("hunter2.db"), "got a PosixPath without"),
        (MemoryStore, "the class MemoryStore"),
        (object(), "got a object without"),
    ],
)
def test_anything_else_is_refused_without_repeating_it(database: Any, says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        open_store(database)
    assert says in str(refusal.value)
    assert "sqlite:///auth.db" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


async def test_a_directory_that_does_not_exist_is_named_at_the_first_use(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "auth.db"
    store = open_store(f"sqlite:///{path}")
    for _ in range(2):
        with pytest.raises(ConfigError, match="directory does not exist") as refusal:
            await store.count(PEOPLE)
        assert repr(str(path)) in str(refusal.value)
    with pytest.raises(ConfigError, match="directory does not exist"):
        async with store.transaction():
            raise AssertionError
    path.parent.mkdir()
    await store.create_schema([PEOPLE])
    await store.close()


async def test_a_file_that_is_no_database_is_named_at_the_first_use(tmp_path: Path) -> None:
    path = tmp_path / "auth.db"
    path.write_text("This is not a database, but it is long enough to be read as the header of one.\n" * 20)
    store = open_store(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match="not a database"):
        await store.count(PEOPLE)
    await store.close()
    directory = open_store(f"sqlite:///{tmp_path}")
    with pytest.raises(ConfigError, match="cannot open the database"):
        await directory.count(PEOPLE)
    await directory.close()


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/auth", "mysql://127.0.0.1:1/auth"])
def test_a_server_is_not_for_trio_and_says_so(url: str) -> None:
    store = open_store(url)
    with pytest.raises(ConfigError, match="served on asyncio only"):
        anyio.run(store.count, PEOPLE, backend="trio")


def test_connections_belong_to_one_loop_at_a_time(postgresql: DatabaseServer) -> None:
    store = open_store(postgresql.url)
    opened, done = threading.Event(), threading.Event()
    counted: list[int] = []

    async def hold() -> None:
        await store.create_schema([PEOPLE])
        counted.append(await store.count(PEOPLE))
        opened.set()
        await anyio.to_thread.run_sync(done.wait, 10)
        await store.close()

    holder = threading.Thread(target=anyio.run, args=(hold,))
    holder.start()
    assert opened.wait(30)
    with pytest.raises(ConfigError, match="belong to another event loop"):
        anyio.run(store.count, PEOPLE)
    done.set()
    holder.join(30)

    async def use() -> None:
        counted.append(await store.count(PEOPLE))
        await store.close()

    anyio.run(use)
    assert counted == [0, 0]


@requirement("ARCH-construction")
def test_sqlalchemy_is_imported_by_the_first_use_and_not_before() -> None:
    program = (
        "import sys, anyio\n"
        "from portico.store.connect import open_store\n"
        "from portico.testing.adapter_rows import PEOPLE\n"
        "store = open_store('sqlite://')\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        "anyio.run(store.create_schema, [PEOPLE])\n"
        "assert 'sqlalchemy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_missing_sqlalchemy_is_asked_for() -> None:
    program = (
        "import sys\n"
        "sys.modules['sqlalchemy'] = None\n"
        "from portico.errors import ConfigError\n"
        "from portico.store.connect import open_store\n"
        "try:\n"
        "    open_store('sqlite://')\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True, text=True)
    assert "pip install sqlalchemy" in said.stdout
