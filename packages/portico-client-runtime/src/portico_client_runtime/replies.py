"""Reading a response: the reply that the operation promises, or the error that it means."""

from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from portico_client_runtime.errors import (
    TREE,
    ApiError,
    AuthError,
    ConnectionFailed,
    InvalidReply,
    OAuthError,
    RateLimited,
    ServerError,
    TimedOut,
)
from portico_client_runtime.shapes import is_collection, is_object

ReplyT = TypeVar("ReplyT")
TWO_FACTOR_MARK = b'"twoFactorRedirect"'
REFRESH_MARK = b'"needsRefresh"'


def value_of(adapter: TypeAdapter[ReplyT], response: httpx.Response) -> ReplyT:
    """Return the reply of a success; an empty body counts as null.

    Raises:
        InvalidReply: The response is a redirect, not JSON, or of another schema.
    """
    if not response.is_success:
        raise InvalidReply(f"unexpected status {response.status_code}", response=response)
    try:
        return adapter.validate_json(response.content or b"null")
    except ValidationError as error:
        # Without the values: a reply may carry a token, and messages end up in logs.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the reply"
        raise InvalidReply(f"the reply does not match its schema: {place}: {first['msg']}", response=response) from None


def error_of(response: httpx.Response, codes: frozenset[str], silent: str | None = None) -> ApiError:
    """Return what a refusal means; without known `codes`, every code is as good as known.

    `silent` is the message of a refusal that has none; its status if None.
    """
    body = _json(response)
    said = body if is_object(body) else {}
    oauth, code = _text(said, "error"), _text(said, "code")
    kind = next(kind for kind in TREE if response.status_code in kind.statuses)
    # Who is to wait, or whose server failed, needs to know that first.
    if oauth and not code and kind not in {RateLimited, ServerError}:
        kind = OAuthError
    raw_code = code or oauth
    return kind(
        _text(said, "message")
        or _text(said, "error_description")
        or raw_code
        or silent
        or f"HTTP {response.status_code}",
        status=response.status_code,
        code=raw_code if not codes or raw_code in codes else None,
        raw_code=raw_code,
        body=body,
        response=response,
    )


def failure_of(failure: httpx.RequestError) -> AuthError:
    """Return what it means that no reply came."""
    kind = TimedOut if isinstance(failure, httpx.TimeoutException) else ConnectionFailed
    return kind(str(failure) or type(failure).__name__)


def two_factor_methods(response: httpx.Response) -> list[str] | None:
    """Return the methods of the second step if that is what the reply asks for."""
    if TWO_FACTOR_MARK not in response.content:
        return None
    body = object_of(response)
    if body is None or body.get("twoFactorRedirect") is not True:
        return None
    methods: object = body.get("twoFactorMethods")
    return [str(method) for method in methods] if is_collection(methods) else []


def needs_refresh(response: httpx.Response) -> bool:
    """Tell whether the server wants a POST before it prolongs the session."""
    if REFRESH_MARK not in response.content:
        return False
    body = object_of(response)
    return body is not None and body.get("needsRefresh") is True


def object_of(response: httpx.Response) -> dict[str, Any] | None:
    """Return the JSON object that a response is, or None."""
    body = _json(response)
    return body if is_object(body) else None


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    # What is nested too deep is none either.
    except (ValueError, RecursionError):
        return None


def _text(said: dict[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) and value else None
