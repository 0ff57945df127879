"""How a client says who it is, and how it learns that from replies."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol, cast, runtime_checkable

import httpx

from portico_client_runtime.cookies import carries_session, ends_session
from portico_client_runtime.errors import ConfigError
from portico_client_runtime.site import Site
from portico_client_runtime.steps import Conversation, Do
from portico_client_runtime.storage import CredentialStorage, MemoryStorage

TOKEN_HEADER = "set-auth-token"  # noqa: S105  # the header's name


class Authentication:
    """Base of the ways to authenticate: override `apply`, and `keep` to learn from replies.

    Both are generators, so that they can ask for what may block (`yield Do(...)`) or for a request of their own.
    An object belongs to one identity: clients that share it share that identity.
    """

    def apply(self, request: httpx.Request, site: Site) -> Conversation[None]:
        """Add credentials to a request; a header that the caller gave stays."""
        yield from ()

    def keep(self, response: httpx.Response, site: Site) -> Conversation[None]:
        """Learn from a response."""
        yield from ()

    def converse(self, request: httpx.Request, site: Site) -> Conversation[httpx.Response]:
        """Send a request with credentials and learn from its response."""
        yield from self.apply(request, site)
        response: httpx.Response = yield request
        yield from self.keep(response, site)
        return response


class CookieAuth(Authentication):
    """The session cookie, in a jar of the client's own. What a client uses unless it is told otherwise."""

    def apply(self, request: httpx.Request, site: Site) -> Conversation[None]:
        """Add the cookies for this URL."""
        add_cookies(request, site)
        yield from ()

    def keep(self, response: httpx.Response, site: Site) -> Conversation[None]:
        """Keep the cookies."""
        site.jar.keep(response)
        yield from ()


class BearerAuth(Authentication):
    """The session's token in `Authorization`, as the `bearer` plugin of the server reads it. See RFC 6750.

    Takes the token from `set-auth-token` of any reply, and forgets it when the server ends the session. Other cookies,
    such as the challenge of a second factor, are kept in the client's jar; the session's are not.
    """

    def __init__(self, storage: CredentialStorage | None = None, *, token: str | None = None) -> None:
        """`token` is one to begin with; it is kept in `storage` only when a reply replaces it."""
        self._storage: CredentialStorage = MemoryStorage() if storage is None else storage
        self._given = token

    def apply(self, request: httpx.Request, site: Site) -> Conversation[None]:
        """Add the token and the other cookies."""
        token = yield from self._load(site)
        if token is not None:
            request.headers.setdefault("authorization", f"Bearer {token}")
        add_cookies(request, site)

    def keep(self, response: httpx.Response, site: Site) -> Conversation[None]:
        """Keep a new token, or forget the one that has ended."""
        site.jar.keep(response, lambda name: not carries_session(name))
        token = response.headers.get(TOKEN_HEADER)
        if token and not response.is_error:
            yield from self._call(partial(self._storage.save, site.url, token))
            self._given = None
        elif ends_session(response):
            current = yield from self._load(site)
            # The one that ended may have been replaced meanwhile.
            if response.request.headers.get("authorization") == f"Bearer {current}":
                yield from self._call(partial(self._storage.delete, site.url))
                self._given = None

    def _load(self, site: Site) -> Conversation[str | None]:
        if self._given is not None:
            return self._given
        loaded: str | None = yield from self._call(partial(self._storage.load, site.url))
        return loaded

    def _call(self, function: Callable[[], Any]) -> Conversation[Any]:
        if isinstance(self._storage, MemoryStorage):
            return function()
        return (yield Do(function))


class ApiKeyAuth(Authentication):
    """A key of the `api-key` plugin, and no cookies."""

    def __init__(self, key: str, *, header: str = "x-api-key") -> None:
        """`header` is what the server reads the key from."""
        self._key = key
        self._header = header

    def apply(self, request: httpx.Request, site: Site) -> Conversation[None]:
        """Add the key."""
        request.headers.setdefault(self._header, self._key)
        yield from ()


@runtime_checkable
class HasHeaders(Protocol):
    """A request of any framework."""

    @property
    def headers(self) -> Any:
        """Header fields with `items()`."""
        ...


class ForwardedAuth(Authentication):
    """The credentials of an incoming request, for a backend that asks the authentication server about its caller.

    Nothing is kept: what a reply says about cookies is for the caller; `with_raw_response` shows it. The server sees
    the Origin of this client; whose page made the caller send the request is for the backend to check.
    """

    def __init__(self, request: HasHeaders | Mapping[str, str]) -> None:
        """`request` is anything with headers, or the headers."""
        # Starlette's Request is a Mapping, too: of its ASGI scope.
        fields: Any = request.headers if isinstance(request, HasHeaders) else request
        pairs = cast("Iterable[tuple[object, object]]", fields.items())
        self._fields: dict[str, str] = {}
        for name, value in pairs:
            if not isinstance(name, str) or not isinstance(value, str):
                raise ConfigError("ForwardedAuth takes a request with text headers, or a mapping of them")
            lowered = name.lower()
            if lowered == "cookie" and lowered in self._fields:
                # HTTP/2 may split one Cookie header (RFC 9113 §8.2.3).
                self._fields[lowered] += f"; {value}"
            elif lowered in {"cookie", "authorization"}:
                self._fields[lowered] = value

    def apply(self, request: httpx.Request, site: Site) -> Conversation[None]:
        """Add the caller's credentials."""
        for name, value in self._fields.items():
            request.headers.setdefault(name, value)
        yield from ()


def add_cookies(request: httpx.Request, site: Site) -> None:
    """Add the cookies of the client's jar, unless the caller gave some."""
    if "cookie" not in request.headers:
        cookies = site.jar.header(str(request.url))
        if cookies is not None:
            request.headers["cookie"] = cookies
