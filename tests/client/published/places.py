"""Both faces of the published client, at servers of every kind, driven by the same code."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import isawaitable
from typing import Any

import portico_client

ClientAt = Callable[..., AbstractAsyncContextManager["Caller"]]
"""Returns a new client of one server; what it is given goes to its constructor."""

FACES: Mapping[str, type[Any]] = {"async": portico_client.AsyncAuthClient, "sync": portico_client.AuthClient}


class Caller:
    """Calls a client whether or not its methods are to be awaited."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def __call__(self, path: str, /, **arguments: Any) -> Any:
        """Call what `path` leads to, such as `sign_in.email`."""
        method = self.client
        for name in path.split("."):
            method = getattr(method, name)
        return await settled(method(**arguments))


async def settled(value: Any) -> Any:
    """Return what a call of either face gives."""
    return await value if isawaitable(value) else value


def client_at(face: str, **server: Any) -> ClientAt:
    """Return what makes clients of one server, which `server` says how to reach."""

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncGenerator[Caller]:
        client = FACES[face](**server, **options)
        try:
            yield Caller(client)
        finally:
            await settled(client.aclose() if face == "async" else client.close())

    return opened
