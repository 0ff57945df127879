import re
import shlex
import socket
import sqlite3
from pathlib import Path

import anyio
import httpx
import pytest

from cli.running import Server, portico, serving
from requirements import requirement

pytestmark = pytest.mark.anyio
ANN = {"name": "Ann", "email": "ann@example.com", "password": "choose-a-password"}
SECRET = "a-secret-that-no-log-may-ever-contain-0123456789"

APP = """
from portico import Auth, EmailAndPassword

auth = Auth(database="sqlite:///app.db", email_and_password=EmailAndPassword(enabled=True))
number = 7


def make():
    return auth


def broken(required):
    return auth
"""
READY = {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_URL": "http://localhost:3000"}


@pytest.fixture
def anyio_backend() -> str:
    """The server has an event loop of its own; which one the test runs on changes nothing."""
    return "asyncio"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@requirement("ARCH-embedded")
async def test_without_an_argument_it_serves_an_auth_that_needs_nothing_else(tmp_path: Path) -> None:
    async with serving(cwd=tmp_path) as server:
        free = (await server.http.post("/is-username-available", json={"username": "ann"})).json()
        assert free == {"available": True}
        token = (await server.http.post("/sign-up/email", json=ANN)).json()["token"]
        assert (await server.http.get("/get-session")).json()["session"]["token"] == token
        bearer = {"authorization": f"Bearer {token}"}
        server.http.cookies.clear()
        assert (await server.http.get("/get-session", headers=bearer)).json()["session"]["token"] == token
        code, errors = await server.stop()
    assert (code, errors) == (0, "")
    assert files(tmp_path) == {"portico.db", "portico.db.secret"}
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in sorted(files(tmp_path))] == [0o600, 0o600]


@requirement("ARCH-embedded", "F08")
async def test_the_welcome_says_where_everything_is_and_its_commands_work(tmp_path: Path) -> None:
    async with serving("--database", "mine.db", cwd=tmp_path) as server:
        assert f"data    {tmp_path}/mine.db\n" in server.welcome
        assert f"secret  {tmp_path}/mine.db.secret\n" in server.welcome
        assert (tmp_path / "mine.db.secret").read_text().strip() not in server.welcome
        commands = re.findall(r"^  (curl .*?[^\\])$", server.welcome, re.MULTILINE | re.DOTALL)
        replies = [await _curl(server, command) for command in commands]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    assert replies[2].json()["session"]["token"] == replies[1].json()["token"]


async def _curl(server: Server, command: str) -> httpx.Response:
    """Send what curl would: its words are url, -d body, -H header, -b and -c with the file of cookies."""
    words = shlex.split(command.replace("\\\n", " "))
    url = next(word for word in words if word.startswith("http"))
    if "-d" not in words:
        return await server.http.get(url)
    server.http.cookies.clear()
    headers = dict([words[words.index("-H") + 1].split(": ")])
    return await server.http.post(url, content=words[words.index("-d") + 1], headers=headers)


@requirement("ARCH-embedded")
async def test_sessions_outlive_the_server(tmp_path: Path) -> None:
    async with serving(cwd=tmp_path) as server:
        await server.http.post("/sign-up/email", json=ANN)
        cookies = dict(server.http.cookies)
        assert (await server.stop())[0] == 0
    async with serving(cwd=tmp_path) as server:
        server.http.cookies.update(cookies)
        assert (await server.http.get("/get-session")).json()["user"]["email"] == "ann@example.com"


@requirement("ARCH-embedded")
async def test_two_servers_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    cookies: dict[str, str] = {}
    ready = anyio.Event()
    answered = anyio.Event()

    async def one() -> None:
        async with serving(cwd=tmp_path) as server:
            await server.http.post("/sign-up/email", json=ANN)
            cookies.update(server.http.cookies)
            ready.set()
            await answered.wait()

    async with anyio.create_task_group() as both:
        both.start_soon(one)
        async with serving(cwd=tmp_path) as server:
            await ready.wait()
            server.http.cookies.update(cookies)
            assert (await server.http.get("/get-session")).json()["user"]["email"] == "ann@example.com"
            answered.set()
    assert [name for name in files(tmp_path) if "secret" in name] == ["portico.db.secret"]


@requirement("ARCH-embedded", "F08")
async def test_a_secret_of_the_environment_is_used_and_neither_kept_nor_shown(tmp_path: Path) -> None:
    async with serving(cwd=tmp_path, BETTER_AUTH_SECRET=SECRET) as server:
        await server.http.post("/sign-up/email", json=ANN)
        await server.http.post("/sign-in/email", json=ANN | {"password": "wrong-password"})
        await server.http.get("/get-session?token=secret-in-a-link")
        _, errors = await server.stop()
    assert "secret  from the environment\n" in server.welcome
    assert (SECRET in server.welcome, errors) == (False, "")
    assert not [name for name in files(tmp_path) if name.endswith(".secret")]


@requirement("ARCH-embedded")
@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [("x" * 48, 0o644, "run `chmod 600"), ("x" * 48, 0o640, "run `chmod 600"), ("\n", 0o600, "is empty")],
)
def test_a_secret_that_cannot_be_trusted_stops_the_start(tmp_path: Path, content: str, mode: int, message: str) -> None:
    secret = tmp_path / "portico.db.secret"
    secret.write_text(content)
    secret.chmod(mode)
    done = portico("serve", "--port", "0", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("portico: ")
    assert message in done.stderr
    assert content.strip() not in done.stderr or not content.strip()
    assert (files(tmp_path), secret.read_text()) == ({"portico.db.secret"}, content)


@requirement("ARCH-embedded")
def test_a_secret_or_a_database_that_is_a_directory_stops_the_start(tmp_path: Path) -> None:
    for name, message in (("portico.db.secret", "cannot keep the secret in"), ("portico.db", "cannot write to")):
        (tmp_path / name).mkdir()
        done = portico("serve", "--port", "0", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"portico: {message} {tmp_path / name}: Is a directory\n"
        (tmp_path / name).rmdir()


@requirement("ARCH-embedded", "S-151")
async def test_the_embedded_server_may_be_known_by_another_url(tmp_path: Path) -> None:
    async with serving(cwd=tmp_path, BETTER_AUTH_URL="https://auth.example.com/own") as server:
        assert "https://auth.example.com/own/sign-up/email" in server.welcome
        origin = {"origin": "https://auth.example.com"}
        reply = await server.http.post(
            f"{server.http.base_url.copy_with(path='/own/sign-up/email')}", json=ANN, headers=origin
        )
        assert reply.headers["set-cookie"].startswith("__Secure-better-auth.session_token=")


@requirement("S-257")
async def test_it_serves_an_auth_of_the_working_directory(app: Path) -> None:
    assert portico("migrate", "app:auth", cwd=app, **READY).returncode == 0
    async with serving("app:make", cwd=app, **READY) as server:
        assert server.welcome == f"Serving app:make on {server.address}\n"
        assert (await server.http.get("/ok")).json() == {"ok": True}
        assert await server.stop() == (0, "")
    assert {"portico.db", "portico.db.secret"}.isdisjoint(files(app))


@requirement("S-257")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("app:auth", "the database lacks user, session, account, verification: run `portico migrate app:auth`"),
        ("nothing:auth", "there is no module 'nothing'"),
        ("app:nothing", "'app' has no 'nothing'"),
        ("app:number", "'app:number' is a int, not an Auth"),
        ("app:broken", "'app:broken' is no Auth and cannot be called without arguments"),
        ("app", "write module:attribute, such as app:auth, not 'app'"),
        ("lost:auth", "'lost' imports 'nowhere_to_be_found', which is not installed"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(app: Path, target: str, message: str) -> None:
    (app / "lost.py").write_text("import nowhere_to_be_found\n")
    done = portico("serve", target, "--port", "0", cwd=app, **READY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"portico: {message}")
    assert done.stderr.count("\n") == 1


@requirement("S-257")
def test_a_mistake_in_the_options_is_said_without_a_traceback(app: Path) -> None:
    done = portico("serve", "app:auth", "--port", "0", cwd=app, BETTER_AUTH_URL="http://localhost:3000")
    assert done.returncode == 2
    assert done.stderr.startswith("portico: there is no secret: pass secret= or set BETTER_AUTH_SECRET")


@requirement("S-257")
def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = portico("serve", "--port", port, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        f"portico: cannot listen on 127.0.0.1 port {port}: Address already in use\n",
    )
    assert files(tmp_path) == set()


@requirement("ARCH-embedded")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--database", "nowhere/portico.db"), "there is no directory"),
        (("app:auth", "--database", "x.db"), "--database is for the server without 'app:auth'"),
    ],
)
def test_a_database_that_cannot_be_kept_is_said(app: Path, arguments: tuple[str, ...], message: str) -> None:
    done = portico("serve", "--port", "0", *arguments, cwd=app, **READY)
    assert (done.returncode, message in done.stderr, files(app)) == (2, True, {"app.py"})


@requirement("ARCH-embedded")
async def test_rate_limits_are_on(tmp_path: Path) -> None:
    async with serving(cwd=tmp_path) as server:
        wrong = {"email": "ann@example.com", "password": "wrong-password"}
        statuses = [(await server.http.post("/sign-in/email", json=wrong)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


@requirement("ARCH-embedded")
async def test_the_tables_are_created_in_the_file(tmp_path: Path) -> None:
    async with serving(cwd=tmp_path) as server:
        await server.stop()
    with sqlite3.connect(tmp_path / "portico.db") as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
    database.close()
    assert tables == {"user", "session", "account", "verification", "twoFactor"}
