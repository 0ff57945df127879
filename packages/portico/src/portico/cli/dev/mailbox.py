"""Every mail that would have been sent."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from portico.http import Request
from portico.mails import address_of
from portico.models import User


@dataclass(frozen=True)
class Letter:
    """One mail, and when it would have been sent."""

    number: int
    at: datetime
    kind: str
    address: str
    user: User | None
    """None if it goes to an address, whoever has it."""
    contents: Mapping[str, Any]
    """What the mailer was given besides the user: a link, its token, a new address."""


class Mailbox:
    """Letters in the order in which they were sent."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._sent = 0
        self._letters: list[Letter] = []

    def __iter__(self) -> Iterator[Letter]:
        return iter(self._letters)

    def __len__(self) -> int:
        return len(self._letters)

    def keeper(self, kind: str) -> Callable[[Any, Request | None], Awaitable[None]]:
        """Return a mailer that keeps what it is asked to send."""

        async def keep(mail: Any, request: Request | None) -> None:
            given = {each.name: getattr(mail, each.name) for each in fields(mail)}
            contents = {name: value for name, value in given.items() if name != "user" and value is not None}
            self._sent += 1
            at, user = self._clock(), given.get("user")
            self._letters.append(Letter(self._sent, at, kind, address_of(mail), user, contents))

        return keep

    def clear(self) -> None:
        """Throw all letters away; numbers go on, as those of upstream do."""
        self._letters.clear()
