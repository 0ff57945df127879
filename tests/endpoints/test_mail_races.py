"""Tokens of mails, raced by two processes on one database."""

import subprocess
import sys
from pathlib import Path

import pytest

from app import ORIGIN, make, signed_up
from portico.testing import Browser, Clock
from postbox import Postbox
from requirements import requirement

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parent.parent


def started(*arguments: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("redeeming.py")), *arguments],
        env={"PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def raced(*arguments: str) -> list[str]:
    """Return what two processes were answered that did the same at once."""
    processes = [started(*arguments) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [line.split()[0] for process in processes for line in process.communicate(timeout=30)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    return said


@requirement("E11", "S-006")
async def test_of_two_processes_one_resets_a_password(tmp_path: Path) -> None:
    database, postbox = f"sqlite:///{tmp_path}/auth.db", Postbox()
    auth = make(Clock(), **postbox.options(), database=database)
    await auth.create_schema()
    await signed_up(auth)
    await Browser(auth, ORIGIN).post("/request-password-reset", {"email": "ann@example.com"})
    await auth.close()
    said = raced(database, "/reset-password", postbox.last.token, "")
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
    said = raced(database, "/delete-user", postbox.last.token, browser.cookies["better-auth.session_token"])
    assert said.count("200") == 1
    assert set(said) <= {"200", "401", "404"}
    assert await auth.users.find_many(auth.context(None)) == []
    await auth.close()
