"""PgBouncer in transaction mode before a PostgreSQL: a connection is a client's for one transaction only."""

import os
import pwd
import signal
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree, which
from time import monotonic, sleep

import pytest

from store.database_servers import DatabaseServer

HOST = "127.0.0.1"
PATIENCE = 10
"""In seconds."""
ELSEWHERE = "/usr/sbin"
"""Where Debian puts the program, which is not on every PATH."""
SIZE = 4
"""Connections to the server, fewer than the clients have: each passes from one client to another all the time."""


@dataclass
class Pooler:
    """A running PgBouncer."""

    server: DatabaseServer
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """The same database, reached through it, as our users are told to write it."""
        user = self.server.place.partition("@")[0]
        return f"postgresql://{user}@{HOST}:{self.port}/{self.server.name}?statement_cache_size=0"

    def pause(self) -> None:
        """Let every client wait."""
        self.process.send_signal(signal.SIGUSR1)

    def resume(self) -> None:
        """Go on with all that wait."""
        self.process.send_signal(signal.SIGUSR2)

    def stop(self) -> None:
        """Let it fall where it stands."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def pooler_before(server: DatabaseServer, port: int | None = None) -> Generator[Pooler]:
    """Start PgBouncer before a server; skip where it is not installed, but never where CI is set."""
    program = which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", ""), ELSEWHERE)))
    if program is None:
        assert not os.environ.get("CI"), "pgbouncer is not installed"
        pytest.skip("PgBouncer NOT CHECKED: it is not installed")
    folder = Path(tempfile.mkdtemp(prefix="portico-pooler-"))
    port = port or _free_port()
    try:
        made = Pooler(server, port, _started(program, folder, server, port))
        try:
            _wait_for(port)
            yield made
        finally:
            made.stop()
    finally:
        rmtree(folder)


def _started(program: str, folder: Path, server: DatabaseServer, port: int) -> "subprocess.Popen[bytes]":
    user, _, place = server.place.partition("@")
    host, _, server_port = place.partition(":")
    settings = {
        "listen_addr": HOST,
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": SIZE,
        "server_round_robin": 1,
    }
    target = f"host={host} port={server_port or 5432} user={user.partition(':')[0]} dbname={server.name}"
    lines = [
        "[databases]",
        f"{server.name} = {target}",
        "[pgbouncer]",
        *(f"{key} = {settings[key]}" for key in settings),
    ]
    configuration = folder / "pgbouncer.ini"
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    # It does not run as root.
    owner = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    if owner is not None:
        for path in (folder, configuration):
            os.chown(path, owner, -1)
    return subprocess.Popen(
        [program, str(configuration)], user=owner, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _wait_for(port: int) -> None:
    ends = monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            assert monotonic() < ends, "PgBouncer does not start"
            sleep(0.01)
        else:
            return


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
