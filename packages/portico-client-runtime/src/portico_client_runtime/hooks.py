"""What a caller, a client or a plugin wants to hear about calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from portico_client_runtime.errors import AuthError
from portico_client_runtime.raw import RawResponse


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Functions that are told about a call: those of the call first, then the client's, then the plugins'.

    An async client awaits what a callback returns. What a callback raises reaches the caller.
    """

    on_request: Callable[[httpx.Request], object] | None = None
    """Told before each attempt; it may change the headers. Credentials are added afterwards."""
    on_response: Callable[[httpx.Response], object] | None = None
    """Told after each attempt that was answered, whatever the status."""
    on_success: Callable[[RawResponse[Any]], object] | None = None
    """Told the reply, once, when what it makes stale is marked as stale."""
    on_error: Callable[[AuthError], object] | None = None
    """Told what is about to be raised, once, after the last attempt."""


@dataclass(frozen=True, kw_only=True)
class ClientPlugin(Callbacks):
    """What a client knows about a plugin of the server."""

    id: str
    """The plugin's id on the server, such as `two-factor`."""
    on_two_factor_redirect: Callable[[Sequence[str]], object] | None = None
    """Told the methods of the second step, when signing in needs one."""
