"""Run an Auth on uvicorn until the process is told to stop."""

import signal
import socket
import sys
from importlib.util import find_spec
from types import FrameType
from typing import Any

from portico.auth import Auth
from portico.errors import ConfigError
from portico.hosts import asgi

BACKLOG = 2048
PATIENCE = 30
"""In seconds; a call that takes longer does not keep the process from stopping."""


def check_installed() -> None:
    """Raise ConfigError with the command to run when there is no server."""
    if find_spec("uvicorn") is None:
        raise ConfigError("serving needs uvicorn: pip install 'portico[serve]'")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that already accepts connections; the server takes it over."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # Python adds the address in parentheses.
        reason = (error.strerror or str(error)).partition(" (")[0]
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}") from error


def url_of(host: str, listener: socket.socket) -> str:
    """Return the URL to reach the socket by from this machine."""
    port: int = listener.getsockname()[1]
    # An address of every interface is none that a browser could be sent to.
    name = "localhost" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104  # compared, not listened on
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def run(auth: Auth[Any], listener: socket.socket) -> None:
    """Serve an Auth until SIGTERM or SIGINT, then finish the calls under way and exit with 0."""
    run_app(asgi.app(auth), listener)


def run_app(app: asgi.ASGIApp, listener: socket.socket) -> None:
    """Serve an application until SIGTERM or SIGINT, then finish the calls under way and exit with 0."""
    import uvicorn  # noqa: PLC0415  # the other commands work without it

    config = uvicorn.Config(
        app,
        lifespan="on",
        # URLs of mailed links hold tokens, and logs outlive them.
        access_log=False,
        log_level="warning",
        server_header=False,
        # Who may say where a request comes from is decided by `trusted_proxies`.
        proxy_headers=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    server = uvicorn.Server(config)
    # uvicorn sends itself again the signal that stopped it, to the handler from before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(1)


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
