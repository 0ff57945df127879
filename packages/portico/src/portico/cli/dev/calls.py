"""Server calls by upstream's names: what `POST /__api` does."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, TypedDict

from portico.auth import Auth
from portico.endpoint import Endpoint, EndpointGroup
from portico.errors import ApiError
from portico.http import Headers
from portico.wire import Reader, to_wire, wire_name

UPSTREAM: Mapping[str, str] = MappingProxyType(
    {
        "/device": "deviceVerify",
        "/device/approve": "deviceApprove",
        "/device/code": "deviceCode",
        "/device/deny": "deviceDeny",
        "/device/token": "deviceToken",
        "/list-accounts": "listUserAccounts",
        "/sign-in/magic-link": "signInMagicLink",
        "/magic-link/verify": "magicLinkVerify",
        "/multi-session/set-active": "setActiveSession",
        "/multi-session/revoke": "revokeDeviceSession",
        "/two-factor/enable": "enableTwoFactor",
        "/two-factor/disable": "disableTwoFactor",
        "/two-factor/get-totp-uri": "getTOTPURI",
        "/two-factor/verify-totp": "verifyTOTP",
        "/two-factor/generate-totp": "generateTOTP",
        "/two-factor/send-otp": "sendTwoFactorOTP",
        "/two-factor/verify-otp": "verifyTwoFactorOTP",
        "/sign-in/username": "signInUsername",
        "/is-username-available": "isUsernameAvailable",
        "/open-api/generate-schema": "generateOpenAPISchema",
        "/reference": "openAPIReference",
    }
)
"""Names of upstream's `auth.api` that are not ours in camelCase, by canonical path."""

# Python has renamed these, and upstream has not.
STATUSES = {HTTPStatus(413): "PAYLOAD_TOO_LARGE", HTTPStatus(422): "UNPROCESSABLE_ENTITY"}


class Arguments(TypedDict, total=False):
    """What a call is given, in upstream's words."""

    headers: Mapping[str, str]
    body: Any
    query: Any
    params: Mapping[str, str]


def methods(auth: Auth[Any]) -> dict[str, tuple[EndpointGroup[Any, Any], Endpoint]]:
    """Return every endpoint by its name on upstream's `auth.api`."""
    return {
        UPSTREAM.get(declared.path) or wire_name(declared.name): (group, declared)
        for group in auth.api.groups()
        for declared in group.endpoints()
    }


async def call(auth: Auth[Any], group: EndpointGroup[Any, Any], declared: Endpoint, given: Arguments) -> dict[str, Any]:
    """Return what the endpoint replied, or how it refused, as the reference server of upstream does."""
    try:
        headers = given.get("headers")
        caller = None if headers is None else Headers(headers.items())
        reply = await auth.handler.call(group, declared.name, caller, (), _inputs(auth, declared, given))
    except ApiError as refusal:
        return {"ok": False, "error": _error(refusal)}
    return {"ok": True, "result": to_wire(reply)}


def _inputs(auth: Auth[Any], declared: Endpoint, given: Arguments) -> dict[str, Any]:
    endpoint = auth.handler.compiled[declared.path].endpoint
    inputs: dict[str, Any] = dict(given.get("params") or {})
    if endpoint.body is not None and not (endpoint.is_body_optional and given.get("body") is None):
        inputs["body"] = Reader(endpoint.body, "body").json(given.get("body"))
    if endpoint.query is not None and not (endpoint.is_query_optional and given.get("query") is None):
        inputs["query"] = Reader(endpoint.query, "query").json(given.get("query"))
    return {name: value for name, value in inputs.items() if name in endpoint.parameters}


def _error(refusal: ApiError) -> dict[str, Any]:
    error = refusal.error
    status = HTTPStatus(error.status)
    return {
        "name": "APIError",
        "status": STATUSES.get(status, status.name),
        "statusCode": error.status,
        "body": error.content,
        "message": error.message,
    }
