"""What the device flow declares: its errors, rows and messages, in the words of RFC 8628 and RFC 6749."""

from typing import Annotated, Literal, get_args

from portico.errors import OAuthErrorCode
from portico.schema import Column, Row
from portico.wire import OAuthWire, Omittable, Timestamp, Wire

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
FORM = "application/x-www-form-urlencoded"
LONGEST = 191
"""Characters of a code; every database keeps so many in an index."""


# Errors of the device

INVALID_REQUEST = OAuthErrorCode(400, "invalid_request", "The request is malformed")
CLIENT_ID_REQUIRED = OAuthErrorCode(400, "invalid_request", "client_id is required")
INVALID_CLIENT = OAuthErrorCode(400, "invalid_client", "Invalid client ID")
UNSUITABLE_CODE = OAuthErrorCode(400, "invalid_request", "Generated codes must be text of at most 191 characters")
NO_FREE_CODE = OAuthErrorCode(500, "server_error", "Failed to generate a unique device code")
INVALID_DEVICE_CODE = OAuthErrorCode(400, "invalid_grant", "Invalid device code")
CLIENT_MISMATCH = OAuthErrorCode(400, "invalid_grant", "Client ID mismatch")
POLLING_TOO_FREQUENTLY = OAuthErrorCode(400, "slow_down", "Polling too frequently")
EXPIRED_DEVICE_CODE = OAuthErrorCode(400, "expired_token", "Device code has expired")
AUTHORIZATION_PENDING = OAuthErrorCode(400, "authorization_pending", "Authorization pending")
ACCESS_DENIED = OAuthErrorCode(400, "access_denied", "Access denied")
INVALID_STATUS = OAuthErrorCode(400, "invalid_grant", "Invalid device code status")
NO_SESSION = OAuthErrorCode(400, "access_denied", "Failed to create session")
USER_GONE = OAuthErrorCode(400, "invalid_grant", "User not found")

# Errors of the user

INVALID_USER_CODE = OAuthErrorCode(400, "invalid_request", "Invalid user code")
EXPIRED_USER_CODE = OAuthErrorCode(400, "expired_token", "User code has expired")
ALREADY_PROCESSED = OAuthErrorCode(400, "invalid_request", "Device code already processed")
NOT_CLAIMED = OAuthErrorCode(
    400,
    "invalid_request",
    "Device code has not been claimed by a verifying session; call `GET /device` with the `user_code` while signed in "
    "before approving or denying",
)
AUTHENTICATION_REQUIRED = OAuthErrorCode(401, "unauthorized", "Authentication required")
NOT_YOURS_TO_APPROVE = OAuthErrorCode(
    403, "access_denied", "You are not authorized to approve this device authorization"
)
NOT_YOURS_TO_DENY = OAuthErrorCode(403, "access_denied", "You are not authorized to deny this device authorization")
UNDECIDED = (AUTHENTICATION_REQUIRED, INVALID_USER_CODE, EXPIRED_USER_CODE, ALREADY_PROCESSED, NOT_CLAIMED)

# Rows

Decision = Literal["approved", "denied"]
DeviceState = Literal["pending", "approved", "denied"]
STATES = frozenset(get_args(DeviceState))


class DeviceCodeRow(Row):
    device_code: Annotated[str, Column(unique=True, index=True, returned=False)]
    user_code: Annotated[str, Column(unique=True, index=True)]
    user_id: str | None = None
    """Whose request it is: the first who looked at it while signed in, or whom the client named."""
    expires_at: Annotated[Timestamp, Column(expires=True)]
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


class OfferedCode(OAuthWire):
    user_code: Omittable[str] = None
    """What the page has in its field at first."""


class TypedDecision(UserCode):
    """What the buttons of the page send."""

    decision: Literal["approve", "deny"]


class DeviceStatus(OAuthWire):
    user_code: str
    status: DeviceState
    client_id: str | None = None
    """Who asks; told only to the user whose request it is."""
    scope: str | None = None
    """What for."""


class DeviceDecision(Wire):
    user_code: str
