"""Signing in by a code that is entered in a browser, on whatever machine. See RFC 8628."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from portico_client_runtime import OMIT, BaseClient, Operation, RequestOptions
from portico_client_runtime.cli.errors import LoginError
from portico_client_runtime.cli.machine import Machine
from portico_client_runtime.errors import ApiError, ConnectionFailed, NotFound, RateLimited, ServerError

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER = 5.0
"""Seconds that `slow_down` adds to the interval, for good. See RFC 8628 §3.5."""
LONGEST_DELAY = 60.0
"""Seconds between two questions while the server does not answer."""
EXPIRED = "the code has expired before it was approved: log in again"
SENTENCES = {
    "access_denied": "the request was denied in the browser",
    "expired_token": EXPIRED,
}
# What waits here waits for the user, and tries again in its own rhythm.
ONCE = RequestOptions(max_retries=0)


class DeviceCode(BaseModel):
    """What a device shows to its user. See RFC 8628 §3.2; times are in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = None
    expires_in: int
    interval: int = 5


class DeviceToken(BaseModel):
    """See RFC 8628 §3.5."""

    access_token: str


ASK: Operation[DeviceCode] = Operation("POST", "/device/code", DeviceCode)
POLL: Operation[DeviceToken] = Operation("POST", "/device/token", DeviceToken, signals=("session",))


def log_in_by_code(
    client: BaseClient[Any],
    *,
    client_id: str,
    scopes: Sequence[str],
    show: Callable[[DeviceCode], None],
    machine: Machine,
) -> str:
    """Return the token that the server gives when its user has approved what `show` shows.

    Raises:
        LoginError: The user said no, or nothing in time.
        AuthError: The server refused or did not answer.
    """
    try:
        asked = client.send(ASK, body={"client_id": client_id, "scope": " ".join(scopes) or OMIT})
    except NotFound as error:
        raise LoginError("the server offers no login by code") from error
    deadline = machine.clock() + asked.expires_in
    show(asked)
    body = {"grant_type": GRANT_TYPE, "device_code": asked.device_code, "client_id": client_id}
    interval = delay = max(float(asked.interval), 1.0)
    while machine.clock() + delay < deadline:
        machine.sleep(delay)
        try:
            return client.send(POLL, body=body, options=ONCE).access_token
        except (ConnectionFailed, ServerError):
            delay = max(delay, min(delay * 2, LONGEST_DELAY))
        except ApiError as refusal:
            interval, delay = _rhythm(refusal, interval)
    raise LoginError(EXPIRED)


def _rhythm(refusal: ApiError, interval: float) -> tuple[float, float]:
    """Return the interval and the next delay after a refusal that only asks for patience."""
    match refusal:
        case ApiError(raw_code="authorization_pending"):
            return interval, interval
        case ApiError(raw_code="slow_down"):
            return interval + SLOWER, interval + SLOWER
        case RateLimited(retry_after=wanted):
            return interval, max(interval, wanted or 0.0)
        case _:
            raise LoginError(SENTENCES.get(refusal.raw_code or "", refusal.message)) from refusal
