"""The guard itself: a run that logs a secret fails, and one that does not passes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from requirements import requirement

TESTS = Path(__file__).parent
CONFTEST = """
from log_guard import LogGuard


def pytest_configure(config):
    config.pluginmanager.register(LogGuard())
"""
RUN = """
import logging

import anyio
from app import ORIGIN, plain

from portico.testing import Browser


ANN = {{"name": "Ann", "email": "ann@example.com", "password": "choose-a-password"}}


async def main():
    auth = plain()
    browser = Browser(auth, ORIGIN)
    reply = await browser.post("/sign-up/email", ANN)
    assert reply.status == 200
    cookie = next(iter(browser.cookies.values()))
    try:
        raise ValueError({raised})
    except ValueError:
        logging.getLogger("portico").debug("said %s", {said}, exc_info=True)


def test_signs_up():
    anyio.run(main)
"""


@requirement("F08")
@pytest.mark.parametrize(
    ("said", "raised", "leaks"),
    [
        ("'nothing'", "'nothing'", False),
        ("ANN['password']", "'nothing'", True),
        ("cookie", "'nothing'", True),
        ("'nothing'", "cookie", True),
        ("auth.keyring.current", "'nothing'", True),
    ],
)
def test_a_run_that_logs_a_secret_fails(tmp_path: Path, said: str, raised: str, *, leaks: bool) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_inner.py").write_text(RUN.format(said=said, raised=raised))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout
    assert (done.returncode, "SECRET IN THE LOG" in done.stdout) == (int(leaks), leaks), done.stdout
