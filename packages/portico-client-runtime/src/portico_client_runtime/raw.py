"""A reply together with the response that carried it, and how `with_raw_response` gets hold of it."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import httpx

ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class RawResponse(Generic[ValueT]):
    """A reply and the response that carried it."""

    value: ValueT
    response: httpx.Response

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status_code

    @property
    def headers(self) -> httpx.Headers:
        """The header fields; `headers.get_list("set-cookie")` has one item for each cookie."""
        return self.response.headers


class Capture:
    """Room for the response of one call."""

    def __init__(self) -> None:
        self.is_claimed = False
        self.response: httpx.Response | None = None

    def of(self, value: ValueT) -> RawResponse[ValueT]:
        """Return the captured response with the value that the call returned."""
        if self.response is None:
            raise TypeError("with_raw_response() takes a method of a client, which sends one request")
        return RawResponse(value, self.response)


# A ContextVar belongs to one task and one thread, so concurrent calls never see each other's response.
_CAPTURE: Final[ContextVar[Capture | None]] = ContextVar("portico_client_capture", default=None)


@contextmanager
def capturing() -> Generator[Capture]:
    """Capture the response of the first call that is sent within."""
    capture = Capture()
    token = _CAPTURE.set(capture)
    try:
        yield capture
    finally:
        _CAPTURE.reset(token)


def claim() -> Capture | None:
    """Return the capture that waits for this call, if there is one; calls that callbacks make come too late."""
    capture = _CAPTURE.get()
    if capture is None or capture.is_claimed:
        return None
    capture.is_claimed = True
    return capture
