"""The published API behind uvicorn on loopback, for tools that are no part of this project."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Literal

import uvicorn

from app import CHEAP
from portico import (
    Auth,
    ChangeEmail,
    DeleteUser,
    EmailAndPassword,
    EmailVerification,
    RateLimitOptions,
    UserOptions,
)
from portico.cli.server import listen, url_of
from portico.crypto.random import random_letters
from portico.hosts import asgi
from portico.published import PublishedApi
from portico.testing import Outbox

HOST = "localhost"
PATIENCE = 30
"""In seconds."""


def published(url: str, api: type[PublishedApi] = PublishedApi) -> Auth[PublishedApi]:
    """Return an Auth with every plugin and everything that is off by default, in memory and without limits."""
    outbox = Outbox()
    return Auth(
        api=api,
        app_name="Portico",
        secret=random_letters(48),
        base_url=url,
        email_and_password=EmailAndPassword(enabled=True, password=CHEAP, send_reset_password=outbox.keep),
        email_verification=EmailVerification(send_verification_email=outbox.keep),
        # An endpoint that is off answers as upstream's: 404 without a body, which no tool takes for JSON.
        user=UserOptions(change_email=ChangeEmail(enabled=True), delete_user=DeleteUser(enabled=True)),
        rate_limit=RateLimitOptions(enabled=False),
    )


@contextmanager
def live(
    make: Callable[[str], Auth[Any]] = published,
    parser: Literal["auto", "h11", "httptools"] = "auto",
    site: asgi.ASGIApp | None = None,
) -> Generator[str]:
    """Serve what `make` returns for its own URL, read by one of uvicorn's parsers, and yield that URL.

    Everything else is answered by `site`, an application whose lifespan counts then.
    """
    # Connections wait in the listener's queue until the server is there.
    with listen(HOST, 0) as listener:
        url = url_of(HOST, listener)
        auth = make(url)
        app = asgi.app(auth) if site is None else asgi.beside(site, auth)
        config = uvicorn.Config(app, lifespan="on", log_level="critical", access_log=False, http=parser)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="live")
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
