"""What generated code says about an operation, and what a caller may say about one call of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Generic, Literal, TypeVar, final

from pydantic import TypeAdapter

from portico_client_runtime.hooks import Callbacks

ReplyT = TypeVar("ReplyT")


@final
class Omit:
    """The type of `OMIT`."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "OMIT"


OMIT: Final = Omit()
"""Stands for an argument that was not given; None is sent as null."""


@dataclass(frozen=True)
class Operation(Generic[ReplyT]):
    """One operation of a server, as the OpenAPI document declares it; generated code has one constant for each."""

    method: str
    path: str
    """Under the base path, with `{placeholders}`."""
    reply: Any
    """The type of the reply, which pydantic validates."""
    plugin: str = "core"
    """Id of the server plugin that it belongs to."""
    signals: tuple[str, ...] = ()
    """What a success makes stale."""
    idempotent: bool = False
    """Sending it twice does what sending it once does."""

    @cached_property
    def adapter(self) -> TypeAdapter[ReplyT]:
        """What validates the reply; made on first use, because most programs use few operations."""
        return TypeAdapter(self.reply)


@dataclass(frozen=True, kw_only=True)
class RequestOptions(Callbacks):
    """What a caller may say about one call; its callbacks are told about that call alone."""

    timeout: float | None = None
    """In seconds; the client's own if None."""
    max_retries: int | None = None
    """How often to try again; the client's own if None."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Sent as well."""
    disable_signal: bool = False
    """Leave what the call would make stale as it is."""
