"""What every host does round a call: the path it means, and the work after the response."""

from functools import partial
from typing import Any
from urllib.parse import quote

from anyio import CancelScope

from portico.auth import Auth
from portico.http import Response


def origin_form(target: str) -> str:
    """Return the path of a request target as sent; a client may write `http://host/path`. See RFC 9112 §3.2.2."""
    path = target.partition("?")[0]
    _, separator, rest = path.partition("://")
    return path if path.startswith("/") or not separator else "/" + rest.partition("/")[2]


def below_mount(path: str, mount: str, base: str) -> str:
    """Return the path as the Auth with the base path `base` knows it, for a host that serves it below `mount`.

    `path` is percent-encoded and may hold the prefix or not: servers and frameworks differ. The prefix may be part of
    `base`, as in the public URL, or be left out of it.
    """
    prefix = quote(mount.rstrip("/"))
    inside = path[len(prefix) :] if path.startswith(prefix + "/") else path
    if not base:
        return inside
    spellings = (path, inside, prefix + path)
    return next((spelling for spelling in spellings if spelling.startswith(base + "/")), path)


async def finish(auth: Auth[Any], response: Response) -> None:
    """Run what a response left behind; a failure is logged, and a client that leaves cancels nothing."""
    with CancelScope(shield=True):
        for work in response.background:
            await auth.handler.settle(partial(auth.run_background, work))
