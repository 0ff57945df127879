"""Serve an Auth in a FastAPI application, and ask for its sessions in endpoints; it is Starlette's, documented."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.openapi.models import SecurityBase as SecurityModel
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from portico.auth import Auth
from portico.cookies import SESSION_TOKEN
from portico.errors import UNAUTHORIZED, ApiError
from portico.hosts import starlette
from portico.hosts.gateway import TypedAuth
from portico.hosts.starlette import cors
from portico.messages import SessionData
from portico.models import SessionT, UserT

__all__ = ["attach", "cors", "current_session", "mount", "optional_session"]

COOKIE = "session-cookie"
BEARER = "session-bearer"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
SESSION_NEEDED: dict[str, Any] = {
    "description": UNAUTHORIZED.message,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"message": {"type": "string"}, "code": {"enum": [UNAUTHORIZED.code]}},
                "required": ["message", "code"],
            }
        }
    },
}


def mount(app: Starlette, auth: Auth[Any]) -> None:
    """Serve every path of `auth` in `app`, and `attach` it; prefixes are as in `portico.hosts.starlette.mount`."""
    starlette.mount(app, auth)
    _describe_refusals(app)


def attach(app: Starlette, auth: Auth[Any]) -> None:
    """Start and close `auth` with `app` and answer refusals; enough where `auth` is served by another process.

    It does what `portico.hosts.starlette.attach` does, and the OpenAPI document tells who answers 401.
    """
    starlette.attach(app, auth)
    _describe_refusals(app)


def current_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[..., Coroutine[Any, Any, SessionData[UserT, SessionT]]]:
    """Return a dependency on the session of the request; without one, the request is answered 401."""
    core = auth.api.auth
    cookie = _Scheme(COOKIE, APIKeyCookie(name=core.cookies.name_of(SESSION_TOKEN)).model)
    bearer = _Scheme(BEARER, HTTPBearer().model) if _takes_bearer(core) else cookie

    async def session(
        connection: HTTPConnection,
        _cookie: Annotated[None, Depends(cookie)],
        _bearer: Annotated[None, Depends(bearer)],
    ) -> SessionData[UserT, SessionT]:
        found = await starlette.read(auth, connection, host="fastapi")
        if found is None:
            raise ApiError(UNAUTHORIZED)
        return found

    return session


def optional_session(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[..., Coroutine[Any, Any, SessionData[UserT, SessionT] | None]]:
    """Return a dependency on the session of the request, or None."""

    async def session(connection: HTTPConnection) -> SessionData[UserT, SessionT] | None:
        return await starlette.read(auth, connection, host="fastapi")

    return session


class _Scheme(SecurityBase):
    """A line of the OpenAPI document; what it describes is read by `get_session`."""

    def __init__(self, name: str, model: SecurityModel) -> None:
        self.scheme_name = name
        self.model = model

    async def __call__(self) -> None:
        """Read nothing."""


def _takes_bearer(auth: Auth[Any]) -> bool:
    return any(plugin.id == "bearer" for plugin in auth.api.plugins)


def _describe_refusals(app: Starlette) -> None:
    """Add the 401 to every operation of the document that needs a session."""
    if not isinstance(app, FastAPI):
        return
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        paths: dict[str, dict[str, Any]] = document.get("paths", {})
        for item in paths.values():
            for method in METHODS & item.keys():
                operation: dict[str, Any] = item[method]
                if any(COOKIE in scheme for scheme in operation.get("security", ())):
                    operation["responses"].setdefault("401", SESSION_NEEDED)
        return document

    setattr(app, "openapi", openapi)
