"""What can go wrong with a call.

AuthError
    ConfigError                  the client cannot be built like this
    PluginNotConfiguredError     plugins=[...] leaves out the plugin of the operation
    StorageError                 a credential cannot be kept or read safely
    ConnectionFailed             no reply
        TimedOut
    InvalidReply                 a reply that is not what the operation promises
    ApiError                     a refusal
        BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, Conflict 409, UnprocessableEntity 422
        RateLimited 429          knows when to try again
        ServerError 5xx
        OAuthError               a refusal in the words of RFC 6749
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, ClassVar

import httpx

from portico_client_runtime.shapes import is_object


class AuthError(Exception):
    """Base of everything that a client raises on purpose."""


class ConfigError(AuthError, ValueError):
    """The client cannot be built or used like this; the message says what to write instead."""


class PluginNotConfiguredError(AuthError):
    """The operation belongs to a plugin that `plugins=[...]` leaves out; nothing was sent."""


class StorageError(AuthError):
    """The place of the credentials is not safe, or not readable."""


class ConnectionFailed(AuthError):
    """No reply came; `__cause__` is what the transport said."""


class TimedOut(ConnectionFailed):
    """No reply came in time. The server may have done what was asked."""


class InvalidReply(AuthError):
    """The reply is not what the operation promises: another schema, no JSON, or a redirect."""

    def __init__(self, message: str, *, response: httpx.Response) -> None:
        super().__init__(message)
        self.response = response


class ApiError(AuthError):
    """The server refused."""

    statuses: ClassVar[range] = range(300, 600)
    """The statuses that this class stands for."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        raw_code: str | None = None,
        body: Any = None,
        response: httpx.Response,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.raw_code = raw_code
        """The code as the server sent it."""
        self.body = body
        """The decoded body; None if it is not JSON."""
        self.response = response
        self._code = code

    @property
    def code(self) -> str | None:
        """The code, if it is one that this client knows; `raw_code` has any other."""
        return self._code


class BadRequest(ApiError):
    """400: the request cannot be understood or is not allowed in this state."""

    statuses = range(400, 401)


class Unauthorized(ApiError):
    """401: there is no session, or the credentials are wrong."""

    statuses = range(401, 402)


class Forbidden(ApiError):
    """403: the caller may not do this, or the origin is not trusted."""

    statuses = range(403, 404)


class NotFound(ApiError):
    """404: no such thing, or the server does not have the operation."""

    statuses = range(404, 405)


class Conflict(ApiError):
    """409: what the request wants is taken or has changed."""

    statuses = range(409, 410)


class UnprocessableEntity(ApiError):
    """422: well formed, and refused for what it says."""

    statuses = range(422, 423)


class RateLimited(ApiError):
    """429: too many requests."""

    statuses = range(429, 430)

    @property
    def retry_after(self) -> float | None:
        """Seconds until the server will listen again, or None if it did not say."""
        return retry_after(self.response.headers)


class ServerError(ApiError):
    """5xx: the server failed."""

    statuses = range(500, 600)


class OAuthError(ApiError):
    """A refusal with `error` and `error_description`. See RFC 6749 §5.2."""

    statuses = range(0)  # its body tells

    @property
    def error(self) -> str:
        """The error code of OAuth, such as `slow_down`."""
        return self.raw_code or ""

    @property
    def error_description(self) -> str | None:
        """What the server says about it."""
        said = self.body.get("error_description") if is_object(self.body) else None
        return said if isinstance(said, str) else None


TREE: tuple[type[ApiError], ...] = (
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    UnprocessableEntity,
    RateLimited,
    ServerError,
    ApiError,
)
"""What a client raises; the first class whose `statuses` has the status counts."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait, from `Retry-After` (RFC 9110 §10.2.3) or `X-Retry-After`; never below 0."""
    said = headers.get("retry-after") or headers.get("x-retry-after")
    if said is None:
        return None
    if said.strip().isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time())
    except ValueError:
        return None
