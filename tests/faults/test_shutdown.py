"""A server that is told to stop under load: whoever it has begun to serve is served, and nothing is half written."""

from pathlib import Path
from time import monotonic

import anyio
import httpx
import pytest

from app import SECRET, plain
from cli.running import Server, serving
from requirements import requirement
from store.database_servers import Kind, database_on

pytestmark = [pytest.mark.anyio, requirement("ARCH-shutdown")]

PEOPLE = 6
LONGEST = 10
"""In seconds, from the signal to the end of the process."""
APPLICATION = f"""
import os
from portico import Auth, EmailAndPassword, RateLimitOptions

auth = Auth(
    secret={SECRET!r},
    base_url="http://localhost:3000",
    database=os.environ["DATABASE"],
    email_and_password=EmailAndPassword(enabled=True),
    rate_limit=RateLimitOptions(enabled=False),
)
"""


class Load:
    """People who sign up one after the other until the server is gone."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.acknowledged: set[str] = set()
        self.is_under_way = anyio.Event()

    async def keep(self, number: int) -> None:
        async with httpx.AsyncClient(base_url=self._server.http.base_url, timeout=30) as client:
            attempt = 0
            while True:
                attempt += 1
                email = f"{number}-{attempt}@example.com"
                body = {"name": "Ann", "email": email, "password": "password123"}
                # A connection for each call, so that none waits for the next one when the server ends.
                headers = {"connection": "close"}
                client.cookies.clear()
                try:
                    response = await client.post("/sign-up/email", json=body, headers=headers)
                except httpx.TransportError:
                    # What the server never accepted, whose rows would be too many.
                    return
                assert response.status_code == 200, response.text
                self.acknowledged.add(email)
                if len(self.acknowledged) == 3 * PEOPLE:
                    self.is_under_way.set()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_calls_under_way_are_finished_before_a_server_ends(kind: Kind | str, tmp_path: Path) -> None:
    if kind == "sqlite":
        await stopped_under_load(f"sqlite:///{tmp_path}/auth.db", tmp_path)
    else:
        with database_on("postgresql") as server:
            await stopped_under_load(server.url, tmp_path)
            # Its connections were closed, not left to time out.
            [[left]] = await server.fetch(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert left == 0


async def stopped_under_load(url: str, folder: Path) -> None:
    (folder / "application.py").write_text(APPLICATION, encoding="utf-8")
    seen = plain(database=url)
    await seen.create_schema()
    async with serving("application:auth", cwd=folder, DATABASE=url, PYTHONPATH=str(folder)) as server:
        load = Load(server)
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for number in range(PEOPLE):
                    tasks.start_soon(load.keep, number)
                await load.is_under_way.wait()
                started = monotonic()
                code, errors = await server.stop()
                assert (code, errors) == (0, "")
                assert monotonic() - started < LONGEST
    users = {user.email for user in await seen.users.find_many(seen.context(None), limit=10_000)}
    assert load.acknowledged == users
    for table in ("account", "session"):
        rows = await seen.store.find_many(seen.tables[table], limit=10_000)
        assert len(rows) == len(users), table
    await seen.close()
