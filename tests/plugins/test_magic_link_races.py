"""Links that sign in, followed by two processes at once on one database."""

import anyio
import pytest

from plugins.test_magic_link import INVALID, place
from raced import raced
from requirements import requirement

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Drivers of servers know no other."""
    return "asyncio"


@requirement("E11", "S-106")
async def test_of_two_processes_that_follow_a_link_one_signs_in(database: str) -> None:
    here = place(options={"database": database})
    await here.auth.create_schema()
    mail = await here.ask()
    said = await anyio.to_thread.run_sync(lambda: raced("entering.py", database, *[mail.token] * 8))
    assert (sum(line.startswith("200 ") for line in said), said.count(f"302 {INVALID}")) == (1, 15), said
    assert await here.counts() == [1, 0, 1, 0]
    await here.auth.close()


@requirement("S-106", "ARCH-provisioning")
async def test_many_links_to_a_new_mailbox_that_are_followed_at_once_make_one_user(database: str) -> None:
    here = place(options={"database": database})
    await here.auth.create_schema()
    tokens = [(await here.ask()).token for _ in range(12)]
    said = await anyio.to_thread.run_sync(lambda: raced("entering.py", database, *tokens))
    user = await here.user()
    entered = [line for line in said if line.startswith("200 ")]
    assert entered == [f"200 {user.id}"] * len(tokens), said
    assert await here.counts() == [1, 0, len(tokens), 0]
    await here.auth.close()
