"""The published API behind uvicorn on loopback, for tools that are no part of this project."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from app import CHEAP
from portico import Auth, EmailAndPassword, RateLimitOptions
from portico.cli.server import listen, url_of
from portico.crypto.random import random_letters
from portico.hosts import asgi
from portico.published import PublishedApi

HOST = "localhost"
PATIENCE = 30
"""In seconds."""


def published(url: str, api: type[PublishedApi] = PublishedApi) -> Auth[PublishedApi]:
    """Return an Auth with every plugin, in memory and without limits."""
    return Auth(
        api=api,
        app_name="Portico",
        secret=random_letters(48),
        base_url=url,
        email_and_password=EmailAndPassword(enabled=True, password=CHEAP),
        rate_limit=RateLimitOptions(enabled=False),
    )


@contextmanager
def live(make: Callable[[str], Auth[Any]] = published) -> Generator[str]:
    """Serve what `make` returns for its own URL, and yield that URL."""
    # Connections wait in the listener's queue until the server is there.
    with listen(HOST, 0) as listener:
        url = url_of(HOST, listener)
        config = uvicorn.Config(asgi.app(make(url)), lifespan="on", log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="live")
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
