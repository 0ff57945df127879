"""Tokens of mails, raced by two processes on one database."""

from pathlib import Path

import pytest

from app import ORIGIN, make, signed_up
from portico.testing import Browser, Clock
from postbox import Postbox
from raced import raced
from requirements import requirement

pytestmark = pytest.mark.anyio


def redeemed(*arguments: str) -> list[str]:
    """Return the statuses that two processes got which redeem one token at once."""
    return [line.split()[0] for line in raced("endpoints/redeeming.py", *arguments)]


@requirement("E11", "S-006")
async def test_of_two_processes_one_resets_a_password(tmp_path: Path) -> None:
    database, postbox = f"sqlite:///{tmp_path}/auth.db", Postbox()
    auth = make(Clock(), **postbox.options(), database=database)
    await auth.create_schema()
    await signed_up(auth)
    await Browser(auth, ORIGIN).post("/request-password-reset", {"email": "ann@example.com"})
    await auth.close()
    said = redeemed(database, "/reset-password", postbox.last.token, "")
    assert (said.count("200"), said.count("400")) == (1, 15)
    body = {"email": "ann@example.com", "password": "password456"}
    assert (await Browser(auth, ORIGIN).post("/sign-in/email", body)).status == 200
    await auth.close()


@requirement("S-017")
async def test_of_two_processes_one_deletes_a_user(tmp_path: Path) -> None:
    database, postbox = f"sqlite:///{tmp_path}/auth.db", Postbox()
    auth = make(Clock(), **postbox.options(), database=database)
    await auth.create_schema()
    browser = await signed_up(auth)
    await browser.post("/delete-user")
    await auth.close()
    said = redeemed(database, "/delete-user", postbox.last.token, browser.cookies["better-auth.session_token"])
    assert said.count("200") == 1
    assert set(said) <= {"200", "401", "404"}
    assert await auth.users.find_many(auth.context(None)) == []
    await auth.close()
