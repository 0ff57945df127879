"""What every host does round a call: the path it means, the caller's session, and the work after the response."""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from portico.api import Api
from portico.auth import Auth
from portico.context import Caller
from portico.errors import INVALID_JSON, ApiError, ConfigError, PorticoError
from portico.http import Header
from portico.messages import SessionData
from portico.models import SessionT, UserT


class TypedAuth(Protocol[UserT, SessionT]):
    """An Auth, as far as it tells the types of its sessions."""

    @property
    def api(self) -> Api[UserT, SessionT]: ...


class AuthPaths:
    """The paths that one Auth serves: its base path with everything below, and its root documents."""

    def __init__(self, auth: Auth[Any]) -> None:
        self.base = auth.site.path
        routes = [route for compiled in auth.handler.compiled.values() for route in compiled.endpoint.routes]
        self.root = frozenset(route.path for route in routes if route.root)

    def __contains__(self, path: str) -> bool:
        return path == self.base or path.startswith(self.base + "/") or path in self.root


def body_was_read(expected: int) -> ConfigError:
    """Return what tells a developer why a body of `expected` bytes has not arrived."""
    return ConfigError(
        f"the request has {expected} bytes of body, but something before Portico has read them: "
        "leave out middleware that reads the body, or let it pass on what it read"
    )


def body_is_missing(expected: int, headers: Mapping[str, str]) -> PorticoError:
    """Return what to raise for a body of `expected` bytes that has not arrived.

    Who asks for another protocol, or frames a body in two ways, can make a server lose it: that is refused, because
    no client must be able to raise what is meant for developers.
    """
    if "upgrade" in headers or "transfer-encoding" in headers:
        return ApiError(INVALID_JSON)
    return body_was_read(expected)


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
    spellings = [path, inside, prefix + path]
    if prefix.endswith(base):
        # Mounted at the base path itself, in an application that has a prefix of its own.
        spellings.append(base + inside)
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
