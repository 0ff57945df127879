"""Stands for a program: hands over what it was started with, passes signals on, and ends as the program does."""

import json
import os
import signal
import socket
import sys
from contextlib import suppress


def passed_on(pid: int, number: int) -> None:
    """Send a signal to the program, unless it has ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def main() -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    folder = os.getcwd()  # noqa: PTH109  # pathlib takes as long as all the rest
    said = json.dumps({"arguments": sys.argv[2:], "folder": folder, "environment": dict(os.environ)}).encode()
    # Signals come through once there is somebody to pass them to.
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    socket.send_fds(connection, [len(said).to_bytes(4, "big")], [0, 1, 2])
    connection.sendall(said)
    for stream in (0, 1, 2):
        os.close(stream)
    with connection.makefile("rb") as answers:
        pid = int(answers.readline())
        for each in signals:
            signal.signal(each, lambda number, _frame: passed_on(pid, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        code = os.waitstatus_to_exitcode(int(answers.readline()))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


main()
