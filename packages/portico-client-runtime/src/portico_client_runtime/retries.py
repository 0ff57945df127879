"""When a request is sent again, and after how long."""

import os
from typing import Any

import httpx

from portico_client_runtime.errors import retry_after
from portico_client_runtime.operation import Operation

FIRST_DELAY = 0.5
"""Seconds before the first retry; each next one waits twice as long."""
LONGEST_DELAY = 8.0
LONGEST_PATIENCE = 60.0
"""Seconds. Whoever is told to wait longer should hear of it."""
TOO_MANY_REQUESTS = 429
UNAVAILABLE = frozenset({502, 503, 504})

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""The server cannot have seen the request."""
CUT_OFF = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError)
"""The connection ended; the server may have done what was asked."""


def after_failure(operation: Operation[Any], attempt: int, failure: httpx.RequestError) -> float | None:
    """Return the seconds to wait before a request without a reply is sent again; None to give up.

    A request that may have arrived is sent again only if that does no harm. A timeout is the caller's own limit.
    """
    if isinstance(failure, NEVER_SENT) or (isinstance(failure, CUT_OFF) and _is_repeatable(operation)):
        return _backoff(attempt)
    return None


def after_response(operation: Operation[Any], attempt: int, response: httpx.Response) -> float | None:
    """Return the seconds to wait before a request that was turned away is sent again; None to take the answer."""
    status = response.status_code
    if status != TOO_MANY_REQUESTS and status not in UNAVAILABLE:
        return None
    if not _is_repeatable(operation):
        return None
    wait = retry_after(response.headers)
    if wait is None:
        return _backoff(attempt)
    return wait if wait <= LONGEST_PATIENCE else None


def _is_repeatable(operation: Operation[Any]) -> bool:
    return operation.method == "GET" or operation.idempotent


def _backoff(attempt: int) -> float:
    # Clients that failed together should not come back together.
    jitter = os.urandom(1)[0] / 255
    return min(FIRST_DELAY * 2.0**attempt, LONGEST_DELAY) * (1 - jitter / 4)
