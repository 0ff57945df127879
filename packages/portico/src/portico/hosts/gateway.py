"""What every host does round a call: the path it means, the caller's session, and the work after the response."""

from typing import Any, Protocol
from urllib.parse import quote

from portico.api import Api
from portico.auth import Auth
from portico.context import Caller
from portico.http import Header, Response
from portico.messages import SessionData
from portico.models import SessionT, UserT


class TypedAuth(Protocol[UserT, SessionT]):
    """An Auth, as far as it tells the types of its sessions."""

    @property
    def api(self) -> Api[UserT, SessionT]: ...


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


async def session_of(
    auth: TypedAuth[UserT, SessionT], caller: Caller
) -> tuple[SessionData[UserT, SessionT] | None, list[Header]]:
    """Return the caller's session and the headers that the host adds to its response because the session was read."""
    ctx = auth.api.auth.context(caller)
    found = await auth.api.get_session(ctx)
    # What else get-session replies, no-store above all, matters only where there are cookies.
    is_told = any(name == "set-cookie" for name, _ in ctx.reply.headers)
    return found, ctx.reply.headers if is_told else []


async def finish(auth: Auth[Any], response: Response) -> None:
    """Run what a response left behind; a failure is logged, and a client that leaves cancels nothing."""
    await auth.finish(response)
