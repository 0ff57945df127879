"""What a conversation with a server asks its shell to do: the shell awaits or blocks, the conversation decides."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import httpx

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Do:
    """Call what may block, outside of the event loop, and hand back what it returns."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Tell:
    """Call a callback, which may be async where the shell is."""

    callback: Callable[[Any], object]
    argument: Any


Step: TypeAlias = httpx.Request | Pause | Do | Tell
"""A request is answered with its response, or with the `httpx.RequestError` that was raised instead."""
Conversation: TypeAlias = Generator[Step, Any, ResultT]
