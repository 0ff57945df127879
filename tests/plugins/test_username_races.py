"""One username that users of two processes want at once, on one database."""

from collections import Counter

import anyio
import pytest

from app import plain
from naming_users import SPELLINGS
from portico.plugins.username import Username
from raced import raced
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("B-83", "E06")]

USERS = 2 * len(SPELLINGS)
REFUSED = "400 USERNAME_IS_ALREADY_TAKEN"


@pytest.fixture
def anyio_backend() -> str:
    """Drivers of servers know no other."""
    return "asyncio"


@pytest.mark.parametrize(("path", "users"), [("/sign-up/email", 1), ("/update-user", USERS)])
async def test_of_all_who_want_a_username_at_once_one_gets_it(database: str, path: str, users: int) -> None:
    auth = plain(Username(), database=database)
    await auth.create_schema()
    said = await anyio.to_thread.run_sync(lambda: raced("naming_users.py", database, path))
    assert Counter(said) == {"200 None": 1, REFUSED: USERS - 1}
    everybody = await auth.users.find_many(auth.context(None))
    assert sorted(str(user.to_wire()["username"]) for user in everybody) == sorted(["ann", *["None"] * (users - 1)])
    assert await auth.store.count(auth.tables["account"]) == users
    await auth.close()
