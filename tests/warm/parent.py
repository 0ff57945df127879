"""Imports what programs need, and forks one for each client."""

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

COMMON = (
    "aiosqlite",
    "anyio._backends._asyncio",
    "httpx",
    "portico.cli.main",
    "portico.otel",
    "portico.plugins.two_factor",
    "portico.plugins.username",
    "portico.store.executors.sqlite",
    "rich.markdown",
    "typer.rich_utils",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
"""What many of them import."""


def serve(address: str) -> list[str]:
    """Fork until stdin ends; return the arguments of a program in its own process."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    for name in COMMON:
        import_module(name)
    # Nothing of it goes away, and a look at it would copy it.
    gc.freeze()
    print("ready", flush=True)  # noqa: T201  # whoever started it waits for that
    sys.stdout.close()
    while True:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        ready, _, _ = select.select([listener.fileno(), 0], [], [])
        if 0 in ready:
            raise SystemExit
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return begun(connection)
        connection.close()


def begun(connection: socket.socket) -> list[str]:
    """Become the program; what stays behind tells the client how it ended."""
    length, streams, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as sent:
        said = json.loads(sent.read(int.from_bytes(length, "big")))
    pid = os.fork()
    if pid:
        watch(connection, pid, streams)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115  # until the end of the program
    sys.stderr = open(2, "w", buffering=1)  # noqa: SIM115  # the same
    os.chdir(said["folder"])
    os.environ.clear()
    os.environ.update(said["environment"])
    return list(said["arguments"])


def watch(connection: socket.socket, pid: int, streams: list[int]) -> None:
    """Wait for a program to end, and end it when its client is gone."""
    for stream in streams:
        os.close(stream)
    with suppress(BrokenPipeError):
        connection.sendall(b"%d\n" % pid)
    ended = os.pidfd_open(pid)
    ready, _, _ = select.select([ended, connection.fileno()], [], [])
    if ended not in ready:
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    with suppress(BrokenPipeError):
        connection.sendall(b"%d\n" % status)
    os._exit(0)


def run(arguments: list[str]) -> None:
    """Do what the interpreter does with `-m module ...` or `path ...`."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[:1] = [str(Path.cwd()), *filter(None, paths)]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[:1] = [str(Path(arguments[0]).parent), *filter(None, paths)]
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    run(serve(sys.argv[1]))
