import os
import pty
import sqlite3
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from app import CHEAP
from cli.running import PATIENCE, PORTICO, environment, portico
from portico import Auth, EmailAndPassword
from portico.endpoints.sign_in import SignInEmail
from portico.endpoints.sign_up import SignUpEmail
from requirements import requirement

pytestmark = requirement("ARCH-create-admin", "S-257")

READY = {
    "BETTER_AUTH_SECRET": "a-secret-that-no-log-may-ever-contain-0123456789",
    "BETTER_AUTH_URL": "http://localhost",
}
PASSWORD = "hush-hush-password"
APP = """
from typing import Annotated, Literal

from portico import *

PASSWORDS = {"email_and_password": EmailAndPassword(enabled=True, password=Argon2id(memory_kib=64, iterations=1))}
WITH_ROLES = {"user": {"role": Annotated[Literal["admin", "user"] | None, Column()]}}


async def welcome(info, ctx):
    return None if info.user["email"].endswith("@example.com") else UserInfoRefused(error="not_ours")


@before_create("user")
async def stamp(ctx, values):
    return {"image": "stamp"}


auth = Auth(database="sqlite:///app.db", **PASSWORDS, additional_fields=WITH_ROLES, database_hooks=[stamp],
    user=UserOptions(validate_user_info=welcome))
roleless = Auth(database="sqlite:///app.db", **PASSWORDS)
passwordless = Auth(database="sqlite:///app.db", additional_fields=WITH_ROLES)
demanding = Auth(database="sqlite:///other.db", **PASSWORDS,
    additional_fields={"user": {**WITH_ROLES["user"], "country": Annotated[str, Column(input=True)]}})
"""


@pytest.fixture
def anyio_backend() -> str:
    """Run each test once: what is tested runs in a process of its own."""
    return "asyncio"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    assert portico("migrate", "app:auth", cwd=tmp_path, **READY).returncode == 0
    return tmp_path


def create(app: Path, *arguments: str, given: str | None = None, name: str = "auth") -> tuple[int, str, str]:
    done = subprocess.run(
        [*PORTICO, "create-admin", f"app:{name}", *arguments],
        cwd=app,
        env=environment(**READY),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        input=given or "",
    )
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def users(app: Path) -> list[tuple[Any, ...]]:
    database = sqlite3.connect(app / "app.db")
    rows = database.execute("SELECT email, name, emailVerified, role, image FROM user ORDER BY email").fetchall()
    database.close()
    return rows


@asynccontextmanager
async def opened(app: Path) -> AsyncGenerator[Auth]:
    auth = Auth(
        secret=READY["BETTER_AUTH_SECRET"],
        base_url=READY["BETTER_AUTH_URL"],
        database=f"sqlite:///{app}/app.db",
        email_and_password=EmailAndPassword(enabled=True, password=CHEAP),
    )
    yield auth
    await auth.close()


async def signs_in(app: Path, password: str) -> bool:
    async with opened(app) as auth:
        user = await auth.users.find_by_email(auth.context(None), "ann@example.com")
        return await auth.accounts.password_matches(auth.context(None), user, password)


@pytest.mark.anyio
async def test_a_new_admin_signs_in_with_the_password_of_stdin(app: Path) -> None:
    code, said, complained = create(app, "--email", "Ann@Example.com", "--password-stdin", given=f"{PASSWORD}\r\n")
    assert (code, complained, said.partition(",")[0]) == (0, "", "created ann@example.com")
    assert said.endswith(", role admin\n")
    assert users(app) == [("ann@example.com", "ann", 1, "admin", "stamp")]
    async with opened(app) as auth:
        signed_in = await auth.api.sign_in_email(None, SignInEmail(email="ann@example.com", password=PASSWORD))
    assert getattr(signed_in, "token", None)


@pytest.mark.anyio
async def test_a_password_that_was_made_is_printed_once(app: Path) -> None:
    code, said, complained = create(app, "--email", "ann@example.com", "--name", "Ann", "--generate-password")
    assert (code, complained) == (0, "")
    assert users(app)[0][1] == "Ann"
    password = said.splitlines()[1].removeprefix("password: ")
    assert len(password) == 24
    assert await signs_in(app, password)
    again = create(app, "--email", "ann@example.com")
    assert (again[0], "password" in again[1]) == (0, False)
    assert await signs_in(app, password)


@pytest.mark.anyio
async def test_who_has_a_proven_address_is_promoted_and_keeps_password_and_sessions(app: Path) -> None:
    async with opened(app) as auth:
        body = SignUpEmail(name="Ann", email="ann@example.com", password=PASSWORD)
        token = (await auth.api.sign_up_email(None, body)).token
        await auth.users.update(auth.context(None), {"email": body.email}, email_verified=True)
    code, said, _ = create(app, "--email", "ann@example.com")
    assert (code, said.partition(",")[0]) == (0, "promoted ann@example.com")
    assert users(app) == [("ann@example.com", "Ann", 1, "admin", None)]
    assert await signs_in(app, PASSWORD)
    async with opened(app) as auth:
        assert await auth.sessions.find(auth.context(None), token=token) is not None


@requirement("E09")
@pytest.mark.anyio
async def test_who_signed_up_with_the_address_of_an_admin_to_be_is_out(app: Path) -> None:
    async with opened(app) as auth:
        body = SignUpEmail(name="Mallory", email="ann@example.com", password="password-of-mallory")
        token = (await auth.api.sign_up_email(None, body)).token
    refused = create(app, "--email", "ann@example.com")
    assert (refused[0], refused[1]) == (2, "")
    assert users(app) == [("ann@example.com", "Mallory", 0, None, None)]
    code, _, complained = create(app, "--email", "ann@example.com", "--password-stdin", given=PASSWORD)
    assert (code, complained) == (0, "")
    assert users(app) == [("ann@example.com", "Mallory", 1, "admin", None)]
    assert (await signs_in(app, "password-of-mallory"), await signs_in(app, PASSWORD)) == (False, True)
    async with opened(app) as auth:
        assert await auth.sessions.find(auth.context(None), token=token) is None


def test_without_roles_only_a_user_is_made_and_only_if_that_is_wanted(app: Path) -> None:
    arguments = ("--email", "ann@example.com", "--password-stdin")
    code, said, complained = create(app, *arguments, given=PASSWORD, name="roleless")
    assert (code, said, "the admin plugin is not installed" in complained) == (2, "", True)
    assert users(app) == []
    code, said, complained = create(app, *arguments, "--no-role", given=PASSWORD, name="roleless")
    assert (code, complained, "role" in said) == (0, "", False)
    assert users(app) == [("ann@example.com", "ann", 1, None, None)]


ANN = ("--email", "ann@example.com")


@requirement("ARCH-commands")
@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("auth", (*ANN, "--password-stdin"), "ann@example.com is refused: Password too short"),
        ("auth", ("--email", "ann@else.example", "--generate-password"), "ann@else.example is refused: not_ours"),
        ("auth", ("--email", "ann", "--generate-password"), "--email takes an address such as"),
        ("auth", (*ANN, "--generate-password", "--password-stdin"), "say one of --password-stdin or"),
        ("auth", ANN, "there is no terminal to ask for the password on: say --password-stdin or"),
        ("passwordless", (*ANN, "--generate-password"), "this Auth lets nobody in with a password"),
    ],
)
def test_what_is_refused_leaves_nobody(app: Path, name: str, arguments: tuple[str, ...], complaint: str) -> None:
    code, said, complained = create(app, *arguments, given="short\n", name=name)
    assert (code, said) == (2, "")
    assert complained.startswith(f"portico: {complaint}")
    assert users(app) == []


def test_a_user_who_needs_more_is_told_to_sign_up(app: Path) -> None:
    assert portico("migrate", "app:demanding", cwd=app, **READY).returncode == 0
    code, said, complained = create(app, *ANN, "--generate-password", name="demanding")
    assert (code, said) == (2, "")
    assert "more than a name and an address: country. Sign up" in complained


def test_no_argument_takes_a_password(app: Path) -> None:
    code, said, complained = create(app, *ANN, "--password", "something")
    assert (code, said, "No such option" in complained) == (2, "", True)
    assert users(app) == []


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(app: Path) -> None:
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*PORTICO, "create-admin", "app:auth", *ANN],
        cwd=app,
        env=environment(**READY),
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    written = b""
    try:
        for prompt in (b"Password: ", b"Repeat for confirmation: "):
            while not written.endswith(prompt):
                written += os.read(ours, 1024)
            os.write(ours, f"{PASSWORD}\n".encode())
        while chunk := os.read(ours, 1024):
            written += chunk
    except OSError:
        # Linux tells of the other end by an error.
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    assert b"created ann@example.com" in written
    assert PASSWORD.encode() not in written
    assert anyio.run(signs_in, app, PASSWORD)
