"""Single uses of a second factor, raced by two processes on one database."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp.totp import TOTP

from app import ORIGIN, content, make, signed_up
from portico import AdvancedOptions, DatabaseOptions
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

PASSWORD = {"password": "password123"}
TESTS = Path(__file__).parent.parent


def started(ids: str, database: str, path: str, code: str, challenges: list[str]) -> "subprocess.Popen[str]":
    program = str(Path(__file__).with_name("guessing.py"))
    process = subprocess.Popen(
        [sys.executable, program, ids, database, path, code, *challenges],
        env={**os.environ, "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@requirement("M02", "M04")
@pytest.mark.parametrize(("path", "ids"), [("totp", ""), ("totp", "serial"), ("totp", "uuid"), ("backup-code", "")])
async def test_of_two_processes_one_uses_a_code(path: str, ids: Any, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/auth.db", Clock()
    auth = make(clock, database=database, advanced=AdvancedOptions(database=DatabaseOptions(generate_id=ids or None)))
    await auth.create_schema()
    browser = await signed_up(auth)
    reply: Any = content(await browser.post("/two-factor/enable", PASSWORD))
    totp = TOTP(parse_qs(urlsplit(str(reply["totpURI"])).query)["secret"][0])
    await browser.post("/two-factor/verify-totp", {"code": totp.at(int(clock().timestamp()) - 30)})
    code = totp.at(clock()) if path == "totp" else reply["backupCodes"][0]
    challenges: list[str] = []
    for _ in range(16):
        other = Browser(auth, ORIGIN)
        await other.post("/sign-in/email", {"email": "ann@example.com", **PASSWORD})
        challenges.append(other.cookies["better-auth.two_factor"])
    await auth.close()
    processes = [started(ids, database, path, code, challenges[half::2]) for half in (0, 1)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [line.split()[0] for process in processes for line in process.communicate(timeout=30)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert (said.count("200"), said.count("401")) == (1, 15)
    assert len(await auth.sessions.find_many(auth.context(None))) == 2
    await auth.close()
