"""Servers that a test starts for itself, on a port and in a folder of their own, to do them harm."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest

from store.database_servers import DatabaseServer

HOST = "127.0.0.1"
PATIENCE = 30
"""In seconds."""
ELSEWHERE = "/usr/lib/postgresql/*/bin"
"""Where Debian puts the programs of PostgreSQL."""


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that can be stopped and started."""

    folder: Path
    port: int

    @property
    def database(self) -> DatabaseServer:
        """The database that every cluster begins with."""
        return DatabaseServer("postgresql", "postgres", f"postgres@{HOST}:{self.port}")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses={HOST} -c unix_socket_directories= -c max_connections=30"
        self._ctl("start", "-w", "-o", options)

    def stop(self) -> None:
        """Let it fall where it stands: its processes end at once, and the next start recovers from the log."""
        self._ctl("stop", "-m", "immediate")

    def restart(self) -> None:
        """Let it fall and return when it takes connections again."""
        self._ctl("restart", "-w", "-m", "immediate")

    def _ctl(self, *arguments: str) -> None:
        program = program_of("pg_ctl", ELSEWHERE)
        as_postgres([program, "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", *arguments])


@contextmanager
def cluster() -> Generator[Cluster]:
    """Make a PostgreSQL of the test's own."""
    with folder_of("postgres") as folder:
        initdb = program_of("initdb", ELSEWHERE)
        as_postgres([initdb, "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "--no-sync"])
        made = Cluster(folder, free_port())
        made.start()
        try:
            yield made
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                made.stop()


@dataclass
class OwnRedis:
    """A Redis that can be stopped, killed and started; what it was told to keep is on its disk at once."""

    folder: Path
    port: int
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        keeping = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")
        command = (program_of("redis-server"), "--port", str(self.port), "--bind", HOST, "--dir", str(self.folder))
        self._process = subprocess.Popen([*command, *keeping], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ends = monotonic() + PATIENCE
        while not self._answers():
            assert monotonic() < ends, "Redis does not start"
            sleep(0.01)

    def kill(self) -> None:
        """Let it fall where it stands."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def own_redis() -> Generator[OwnRedis]:
    """Start a Redis of the test's own."""
    with folder_of("root" if os.geteuid() == 0 else "") as folder:
        made = OwnRedis(folder, free_port())
        made.start()
        try:
            yield made
        finally:
            made.kill()


def as_postgres(command: Sequence[str]) -> None:
    """Run a program of PostgreSQL, which root may not run."""
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd="/",
        stdin=subprocess.DEVNULL,
        # The server keeps what it is given, so nothing that anybody waits for the end of.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, command


@contextmanager
def folder_of(user: str) -> Generator[Path]:
    """Make a folder for a server that runs as `user` where root started the tests."""
    folder = Path(tempfile.mkdtemp(prefix="portico-test-"))
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder)


def program_of(name: str, folders: str = "") -> str:
    """Return the path of a program; skip where it is not installed, but never where CI is set."""
    places = sorted(Path("/").glob(folders.lstrip("/"))) if folders else []
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)]))
    if found is None:
        assert not os.environ.get("CI"), f"{name} is not installed"
        pytest.skip(f"{name} NOT CHECKED: it is not installed")
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
