"""Refreshes of one account, raced by two processes on one database."""

from pathlib import Path

import pytest

from app import make, signed_up
from endpoints.test_account import linked
from oauth_server import oauth_server
from portico.testing import Clock
from raced import raced
from requirements import requirement


@requirement("S-024")
@pytest.mark.anyio
async def test_of_two_processes_one_asks_the_provider_and_no_rotation_is_lost(tmp_path: Path) -> None:
    auth = make(Clock(), database=f"sqlite:///{tmp_path}/auth.db")
    await auth.create_schema()
    browser = await signed_up(auth)
    ended = auth.context(None).now()
    tokens = {"access_token": "access", "refresh_token": "refresh", "access_token_expires_at": ended}
    account = await linked(auth, browser, "acme", "42", **tokens)
    cookie = browser.cookies["better-auth.session_token"]
    with oauth_server() as server:
        said = raced("oauth2/refreshing.py", f"sqlite:///{tmp_path}/auth.db", server.url, cookie, account.id)
    statuses = {line.partition(" ")[0] for line in said}
    assert (len(said), statuses) == (16, {"200"})
    # The provider refuses a refresh token that it saw before: no answer is of one. A call that begins when another is
    # done is a refresh of its own.
    assert [form["refresh_token"] for form in server.forms] == [f"refresh{'+' * n}" for n in range(len(server.forms))]
    stored = await auth.accounts.find(auth.context(None), id=account.id)
    assert stored is not None
    assert stored.refresh_token == f"refresh{'+' * len(server.forms)}"
    assert await auth.store.count(auth.tables["verification"]) == 0
    await auth.close()
