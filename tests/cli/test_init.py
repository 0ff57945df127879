"""Every application that `portico init` writes is started by the commands of its README, and signs somebody up."""

import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from anyio import fail_after, open_process, run_process
from anyio.abc import Process

from cli.running import PATIENCE, PORTICO, environment, portico
from portico.cli.init.frameworks import FRAMEWORKS
from requirements import requirement

pytestmark = requirement("ARCH-init", "S-257")

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
READY = re.compile(rb"Uvicorn running on|Running on http|Starting development server at|Serving auth:auth on")
COMMON = ["README.md", "auth.py", ".env", ".gitignore", "requirements.txt"]
ANN = {"name": "Ann", "email": "ann@example.com", "password": "choose-a-password"}


def variables(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return environment(PATH=path, HOME=str(folder), PYTHONUNBUFFERED="1")


def commands(folder: Path) -> list[list[str]]:
    """Return the blocks of the README, after moving the application to a free port."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.write_text(path.read_text().replace("3000", port))
    return [block.strip().splitlines() for block in BLOCK.findall((folder / "README.md").read_text())]


async def told(process: Process) -> None:
    """Wait until a server says that it serves."""
    assert process.stdout is not None
    written = b""
    with fail_after(PATIENCE):
        while not READY.search(written):
            written += await process.stdout.receive()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_an_application_of_each_framework_serves_and_signs_up(framework: str, tmp_path: Path) -> None:
    done = portico("init", "shop", "--framework", framework, "--database", "sqlite", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / "shop"
    [install], [migrate, serve], curl = commands(folder)
    assert install == "python -m pip install -r requirements.txt"
    assert migrate == "portico migrate auth:auth"
    created = await run_process(migrate.split(), cwd=folder, env=variables(tmp_path), check=False)
    assert (created.returncode, created.stderr) == (0, b"")

    url = curl[-1].split()[-1].removesuffix("/get-session")
    process = await open_process(
        serve.split(), cwd=folder, env=variables(tmp_path), stderr=subprocess.STDOUT, start_new_session=True
    )
    async with process, httpx.AsyncClient() as http:
        try:
            await told(process)
            answers = [await http.get(url.replace("/api/auth", "/hello"))]
            answers.append(await http.post(f"{url}/sign-up/email", json=ANN))
            answers.append(await http.get(f"{url}/get-session"))
            answers.append(await http.get(url.replace("/api/auth", "/hello")))
        finally:
            os.killpg(process.pid, signal.SIGTERM)
    stranger, signed_up, session, hello = answers
    assert (signed_up.status_code, session.status_code) == (200, 200)
    assert session.json()["user"]["email"] == "ann@example.com"
    if framework != "none":
        assert stranger.status_code == 401
        assert (hello.status_code, hello.json()) == (200, {"text": "Hello Ann"})


def test_the_secret_is_new_each_time_and_for_nobody_else(tmp_path: Path) -> None:
    secrets: set[str] = set()
    for name in ("one", "two"):
        done = portico("init", name, "--yes", cwd=tmp_path)
        settings = tmp_path / name / ".env"
        [secret] = re.findall("BETTER_AUTH_SECRET=([A-Za-z0-9]{48})\n", settings.read_text())
        assert secret not in done.stdout
        assert stat.S_IMODE(settings.stat().st_mode) == 0o600
        assert ".env" in (tmp_path / name / ".gitignore").read_text().splitlines()
        secrets.add(secret)
    assert len(secrets) == 2


@pytest.mark.parametrize(
    ("database", "url", "extra"),
    [
        ("postgresql", "postgresql://postgres@127.0.0.1:5432/my_shop", ",postgresql"),
        ("mysql", "mysql://root@127.0.0.1:3306/my_shop", ",mysql"),
        ("postgres://me:it's$HOME\\x@db/x?y=1", "postgres://me:it's$HOME\\x@db/x?y=1", ",postgresql"),
    ],
)
def test_the_database_is_what_was_asked_for(database: str, url: str, extra: str, tmp_path: Path) -> None:
    done = portico("init", "My Shop!", "--framework", "starlette", "--database", database, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / "My Shop!"
    assert (folder / "requirements.txt").read_text() == f"portico[starlette{extra}]\npython-dotenv\n"
    read = "from dotenv import dotenv_values; print(dotenv_values('.env')['DATABASE_URL'])"
    shown = subprocess.run([sys.executable, "-c", read], cwd=folder, capture_output=True, text=True, check=True)
    assert shown.stdout == f"{url}\n"


def test_files_that_are_there_stay_unless_that_is_forced(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("mine")
    (tmp_path / ".env").write_text("BETTER_AUTH_SECRET=mine\n")
    (tmp_path / ".gitignore").write_text("node_modules\n.venv/")
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    refused = portico("init", "--yes", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("portico: . has .env, app.py already: say --force")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before

    forced = portico("init", "--yes", "--force", cwd=tmp_path)
    assert (forced.returncode, forced.stderr) == (0, "")
    assert "kept .env\n" in forced.stdout
    assert (tmp_path / ".env").read_text() == before[".env"]
    assert "FastAPI" in (tmp_path / "app.py").read_text()
    ignored = (tmp_path / ".gitignore").read_text().splitlines()
    assert ignored[:3] == ["node_modules", ".venv/", ".env"]
    assert len(set(ignored)) == len(ignored)


@requirement("ARCH-commands")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "there is no terminal to ask on: say --framework and --database, or --yes"),
        (("--framework", "flask"), "there is no terminal to ask on"),
        (("--framework", "rails", "--yes"), "--framework is one of fastapi, starlette,"),
        (("--database", "oracle", "--yes"), "--database is one of sqlite, postgresql, mysql, or a URL"),
        (("--database", "oracle://me:hush@db", "--yes"), "--database has a scheme that is not served"),
        (("file/below", "--yes"), "cannot write file/below: Not a directory"),
    ],
)
def test_what_cannot_be_written_is_refused(arguments: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = portico("init", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"portico: {complaint}")
    assert "hush" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_on_a_terminal_framework_and_database_are_asked_for(tmp_path: Path) -> None:
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*PORTICO, "init", "shop"], cwd=tmp_path, env=environment(), stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    written = b""
    for prompt, answer in ((b"Framework [fastapi]: ", b"quart\n"), (b"a URL) [sqlite]: ", b"\n")):
        while not written.endswith(prompt):
            written += os.read(ours, 1024)
        os.write(ours, answer)
    # Linux tells of the other end by an error.
    try:
        while chunk := os.read(ours, 1024):
            written += chunk
    except OSError:
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    assert "  django     Django" in written.decode()
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == sorted([*COMMON, "app.py"])
    assert "from quart import" in (tmp_path / "shop" / "app.py").read_text()
