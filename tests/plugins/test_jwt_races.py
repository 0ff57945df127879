"""The first key, and the next one, made by two processes on one database at once."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import plain
from plugins.minting import INTERVAL, TOKENS
from portico import AdvancedOptions, DatabaseOptions
from portico.plugins.jwt import Jwk, Jwt
from portico.testing import Clock
from raced import raced
from requirements import requirement
from store.database_servers import database_on

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    # Drivers of database servers run on asyncio only.
    return "asyncio"


@contextmanager
def database(kind: str, folder: Path) -> Generator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/auth.db"
        return
    with database_on("postgresql" if kind == "postgresql" else "mysql") as server:
        yield server.url


@requirement("J01")
@pytest.mark.parametrize(
    ("kind", "algorithm", "ids"),
    [
        ("sqlite", "EdDSA", ""),
        ("sqlite", "RS256", "uuid"),
        ("postgresql", "EdDSA", ""),
        ("postgresql", "EdDSA", "serial"),
        ("mysql", "EdDSA", ""),
    ],
)
async def test_two_processes_make_one_key_and_one_after_it(kind: str, algorithm: Any, ids: Any, tmp_path: Path) -> None:
    advanced = AdvancedOptions(database=DatabaseOptions(generate_id=ids or None))
    with database(kind, tmp_path) as url:
        auth = plain(Jwt(algorithm=algorithm), clock=Clock(), database=url, advanced=advanced)
        await auth.create_schema()
        used = raced("plugins/minting.py", url, algorithm, ids, "0")
        (first,) = await auth.rows(Jwk).find_many(auth.context(None))
        assert used == [first.id] * 2 * TOKENS
        used = raced("plugins/minting.py", url, algorithm, ids, str(INTERVAL))
        rows = await auth.rows(Jwk).find_many(auth.context(None))
        (second,) = {row.id for row in rows} - {first.id}
        assert used == [second] * 2 * TOKENS
        await auth.close()
