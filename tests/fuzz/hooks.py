"""Lets Schemathesis sign in and know a password: what is behind the first refusal wants to be tried, too."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import schemathesis

from fuzz.visitor import KNOWN, PASSWORD, Visitors, is_signed_in, username_of

EXISTING: Mapping[str, Sequence[str]] = {
    "password": [PASSWORD],
    "currentPassword": [PASSWORD],
    "email": KNOWN,
    "username": [username_of(email) for email in KNOWN],
}


class Newcomers:
    """Gives every request a session of its own, because many of them end the one they have."""

    def __init__(self) -> None:
        self._visitors: Visitors | None = None

    def get(self, case: schemathesis.Case[Any], _: schemathesis.AuthContext) -> Mapping[str, str] | None:
        if self._visitors is None:
            self._visitors = Visitors(str(case.operation.base_url))
        return dict(self._visitors.newcomer()) if is_signed_in() else None

    def set(self, case: schemathesis.Case[Any], data: Mapping[str, str], _: schemathesis.AuthContext) -> None:
        case.cookies.update(data)


schemathesis.auth(refresh_interval=None)(Newcomers)  # pyright: ignore[reportUnknownMemberType]  # of which Case, it leaves open


def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """Write what exists into half of the bodies that have the place for it."""
    if not isinstance(body, dict):
        return body
    fields = cast("dict[str, Any]", body)
    # The body itself decides, so that one seed sends the same every time.
    texts = {name: fields[name] for name in EXISTING if isinstance(fields.get(name), str)}
    chance = sum(len(text) for text in texts.values())
    if chance % 2:
        return fields
    return {**fields, **{name: EXISTING[name][chance // 2 % len(EXISTING[name])] for name in texts}}


schemathesis.hook(map_body)  # pyright: ignore[reportUnknownMemberType]  # it takes every hook
