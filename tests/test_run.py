"""An Auth used from sync code, from several threads, and without its tables."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import plain
from portico import ConfigError, Context, Request
from portico.endpoints.session import GetSession
from portico.endpoints.sign_up import SignUpEmail
from portico.plugins.username import Username
from requirements import requirement
from store.database_servers import Kind, database_on


def in_file(path: Path, *plugins: Any) -> Any:
    return plain(*plugins, database=f"sqlite:///{path}/auth.db")


@requirement("ARCH-run")
def test_sync_code_may_name_what_it_passes(tmp_path: Path) -> None:
    auth = in_file(tmp_path)
    auth.run(auth.create_schema)
    body = SignUpEmail(name="", email="ann@example.com", password="password123")
    cookie = cookie_of(auth, auth.run(auth.api.sign_up_email, None, body=body).token)
    found = auth.run(auth.api.get_session, {"cookie": cookie}, query=GetSession(disable_refresh="true"))
    assert found.user.email == "ann@example.com"
    auth.run(auth.close)


@requirement("ARCH-run")
def test_sync_code_calls_from_many_threads_through_one_loop(tmp_path: Path) -> None:
    auth = in_file(tmp_path)
    auth.run(auth.create_schema)
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            body = SignUpEmail(name="", email=f"{number}@example.com", password="password123")
            token = auth.run(auth.api.sign_up_email, None, body).token
            session = auth.run(auth.api.get_session, {"cookie": cookie_of(auth, token)})
            assert session.user.email == f"{number}@example.com"
        except BaseException as error:  # noqa: BLE001  # shown by the test
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    auth.run(auth.close)


FORKING = """
import os
from app import plain

auth = plain()
auth.run(auth.start)
child = os.fork()
# In one write each: both write to the same pipe.
os.write(1, f"{auth.run(auth.api.ok, None).ok}\\n".encode())
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


HASHING = """
import os
from app import plain

auth = plain()
auth.run(auth.accounts.hash, "password123")
child = os.fork()
hashed = auth.run(auth.accounts.hash, "password123")
os.write(1, f"{hashed.startswith('$argon2id$')}\\n".encode())
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


@requirement("ARCH-run")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("program", [FORKING, HASHING], ids=["calls", "hashes"])
def test_a_forked_process_has_a_loop_and_threads_of_its_own_and_ends(program: str) -> None:
    tests = str(Path(__file__).parent)
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tests, capture_output=True, text=True, timeout=30, check=False
    )
    assert (run.returncode, run.stdout.split()) == (0, ["True", "True"]), run.stderr


LEAVING = """
import sys
from app import plain

auth = plain(database=sys.argv[1])
auth.run(auth.create_schema)
print(auth.run(auth.health).ok)
"""


@requirement("ARCH-run")
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_process_that_ends_closes_the_connections_of_its_sync_code(kind: Kind) -> None:
    tests = str(Path(__file__).parent)
    with database_on(kind) as server:
        # It tells of connections that nobody closed.
        command = [sys.executable, "-W", "always::ResourceWarning", "-c", LEAVING, server.url]
        run = subprocess.run(command, cwd=tests, capture_output=True, text=True, timeout=30, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "True\n", "")


SILENT = """
import socket
from app import plain

with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    auth = plain(database=f"postgresql://somebody@127.0.0.1:{listener.getsockname()[1]}/auth")
    print(auth.run(auth.health, 0.1).ok)
"""


@requirement("ARCH-run")
def test_a_server_that_is_silent_does_not_keep_the_process() -> None:
    tests = str(Path(__file__).parent)
    command = [sys.executable, "-c", SILENT]
    run = subprocess.run(command, cwd=tests, capture_output=True, text=True, timeout=20, check=False)
    assert (run.returncode, run.stdout) == (0, "False\n"), run.stderr


def cookie_of(auth: Any, token: str) -> str:
    line: str = auth.cookies.write("session_token", token, None)[1]
    return line.partition(";")[0]


@requirement("B-13")
@pytest.mark.anyio
async def test_a_database_without_tables_is_told_to_the_developer_at_the_first_call(tmp_path: Path) -> None:
    auth = in_file(tmp_path)
    advice = r"the database lacks user, session, account, verification: run `portico migrate"
    with pytest.raises(ConfigError, match=advice):
        await auth.handler(Request(method="GET", path="/api/auth/ok"))
    with pytest.raises(ConfigError, match=advice):
        await auth.api.get_session(None)
    await auth.create_schema()
    assert (await auth.handler(Request(method="GET", path="/api/auth/ok"))).status == 200
    await auth.close()


@requirement("B-13")
@pytest.mark.anyio
async def test_a_column_that_is_missing_is_named_and_created(tmp_path: Path) -> None:
    first = in_file(tmp_path)
    await first.create_schema()
    await first.close()
    auth = in_file(tmp_path, Username())
    with pytest.raises(ConfigError, match=r"the database lacks user\.username, user\.displayUsername"):
        await auth.api.get_session(None)
    assert sorted(await auth.create_schema()) == ["user.displayUsername", "user.username", "user_username_uidx"]
    assert await auth.api.get_session(None) is None
    await auth.close()


@requirement("B-16", "B-12")
@pytest.mark.anyio
async def test_rows_on_disk_are_upstreams(tmp_path: Path) -> None:
    auth = in_file(tmp_path)
    await auth.create_schema()
    ctx: Context = auth.context(None)
    body = SignUpEmail(name="Ann", email="Ann@Example.com", password="password123")
    reply = await auth.api.sign_up_email(ctx, body)
    await auth.close()
    with closing(sqlite3.connect(tmp_path / "auth.db")) as database:
        database.row_factory = sqlite3.Row
        [user] = database.execute("select * from user").fetchall()
        [session] = database.execute("select * from session").fetchall()
        kinds = database.execute("select typeof(createdAt), typeof(emailVerified) from user").fetchone()
    assert list(user.keys()) == ["id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt"]
    assert tuple(user)[:5] == (reply.user.id, "Ann", "ann@example.com", 0, None)
    assert (len(user["createdAt"]), user["createdAt"][19], user["createdAt"][-1]) == (24, ".", "Z")
    assert tuple(kinds) == ("text", "integer")
    assert (session["ipAddress"], session["userAgent"], session["token"]) == ("", "", reply.token)


@requirement("ARCH-construction", "S-255")
def test_building_an_auth_touches_neither_disk_nor_threads(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    in_file(tmp_path)
    assert (list(tmp_path.iterdir()), set(threading.enumerate()) - before) == ([], set())


@requirement("CONF-database")
@pytest.mark.parametrize("database", ["postgres//x", "mongodb://x", "sqlite", "", 5])
def test_a_database_that_is_none_is_a_mistake(database: Any) -> None:
    with pytest.raises(ConfigError, match="database"):
        plain(database=database)


@requirement("CONF-database")
@pytest.mark.anyio
async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    auth = plain(database=f"sqlite:///{tmp_path}/no/such/folder/auth.db")
    with pytest.raises(ConfigError, match="no/such/folder"):
        await auth.create_schema()
