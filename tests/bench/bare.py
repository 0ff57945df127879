"""The yardstick: an ASGI application that says hello, and that imports what an authentication server cannot do without.

It imports nothing of Portico.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any

Message = MutableMapping[str, Any]
ASGIApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
FOUNDATION = ("pydantic.main", "cryptography.hazmat.primitives.ciphers.aead", "sqlite3")
SQLALCHEMY = "sqlalchemy.dialects.sqlite"


def hello() -> ASGIApp:
    """Return the application on its own."""
    return _serve


def founded() -> ASGIApp:
    """Return it after importing pydantic, cryptography and the database driver."""
    for name in FOUNDATION:
        import_module(name)
    return _serve


def founded_with_sqlalchemy() -> ASGIApp:
    """Return it after importing SQLAlchemy, too."""
    import_module(SQLALCHEMY)
    return founded()


async def _serve(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello"})
