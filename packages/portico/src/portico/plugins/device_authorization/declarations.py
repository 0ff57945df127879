"""What the device flow declares: its errors, rows and messages, in the words of RFC 8628 and RFC 6749."""

from typing import Annotated, Literal

from portico.errors import ErrorCode
from portico.schema import Column, Row
from portico.wire import OAuthWire, Omittable, Timestamp, Wire

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
LONGEST = 191
"""Characters of a code; every database keeps so many in an index."""


def _refusal(code: str, description: str, status: int = 400) -> ErrorCode:
    return ErrorCode(status, code, description, is_oauth=True)


# Errors of the device

INVALID_REQUEST = _refusal("invalid_request", "The request is malformed")
CLIENT_ID_REQUIRED = _refusal("invalid_request", "client_id is required")
INVALID_CLIENT = _refusal("invalid_client", "Invalid client ID")
UNSUITABLE_CODE = _refusal("invalid_request", "Generated codes must be text of at most 191 characters")
NO_FREE_CODE = _refusal("server_error", "Failed to generate a unique device code", 500)
INVALID_DEVICE_CODE = _refusal("invalid_grant", "Invalid device code")
CLIENT_MISMATCH = _refusal("invalid_grant", "Client ID mismatch")
POLLING_TOO_FREQUENTLY = _refusal("slow_down", "Polling too frequently")
EXPIRED_DEVICE_CODE = _refusal("expired_token", "Device code has expired")
AUTHORIZATION_PENDING = _refusal("authorization_pending", "Authorization pending")
ACCESS_DENIED = _refusal("access_denied", "Access denied")
USER_GONE = _refusal("invalid_grant", "User not found")

# Errors of the user

INVALID_USER_CODE = _refusal("invalid_request", "Invalid user code")
EXPIRED_USER_CODE = _refusal("expired_token", "User code has expired")
ALREADY_PROCESSED = _refusal("invalid_request", "Device code already processed")
NOT_CLAIMED = _refusal(
    "invalid_request",
    "Device code has not been claimed by a verifying session; call `GET /device` with the `user_code` while signed in "
    "before approving or denying",
)
AUTHENTICATION_REQUIRED = _refusal("unauthorized", "Authentication required", 401)
NOT_YOURS_TO_APPROVE = _refusal("access_denied", "You are not authorized to approve this device authorization", 403)
NOT_YOURS_TO_DENY = _refusal("access_denied", "You are not authorized to deny this device authorization", 403)

# Rows

Decision = Literal["approved", "denied"]
DeviceState = Literal["pending", "approved", "denied"]


class DeviceCodeRow(Row):
    device_code: Annotated[str, Column(unique=True, index=True, returned=False)]
    user_code: Annotated[str, Column(unique=True, index=True)]
    user_id: str | None = None
    """Whose request it is: the first who looked at it while signed in, or whom the client named."""
    expires_at: Timestamp
    status: str
    last_polled_at: Timestamp | None = None
    polling_interval: int | None = None
    """In milliseconds."""
    client_id: str | None = None
    scope: str | None = None


# Messages


class DeviceCodeRequest(OAuthWire):
    """A device authorization request. See RFC 8628 §3.1."""

    client_id: str
    user_id: Omittable[str] = None
    """Who alone may approve it; anybody who is signed in if left out."""
    scope: Omittable[str] = None
    """Shown to the user; separated by spaces."""


class DeviceCode(OAuthWire):
    """See RFC 8628 §3.2; times are in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceTokenRequest(OAuthWire):
    """See RFC 8628 §3.4."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:device_code"]
    device_code: str
    client_id: str


class DeviceAuthorized(OAuthWire):
    """See RFC 6749 §5.1; the access token is the token of a session."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    """In seconds."""
    scope: str


class UserCode(OAuthWire):
    user_code: str
    """As the device shows it; case and separators do not matter."""


class DeviceStatus(OAuthWire):
    user_code: str
    status: DeviceState
    client_id: str | None = None
    """Who asks; told only to the user whose request it is."""
    scope: str | None = None
    """What for."""


class DeviceDecision(Wire):
    user_code: str
