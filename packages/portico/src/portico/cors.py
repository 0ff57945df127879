"""Which other origins a browser may let read our answers: the trusted ones. See the Fetch standard §3.2."""

import re
from collections.abc import Iterable

from portico.http import Header, Headers, Response
from portico.origin import Origins

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
EXPOSED = "Set-Auth-Token, Set-Auth-JWT, Retry-After, X-Retry-After"
MAX_AGE = 600
"""How long a browser remembers a preflight, in seconds."""
NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]*")
VARY = ("vary", "Origin")
LISTS = frozenset({"vary", "access-control-expose-headers"})
"""Fields of several names, to which an application may add its own."""


class Cors:
    """Cross-origin answers for the origins that an Auth trusts; its own pages need none.

    A host's middleware answers `preflight` in place of the application and adds `headers` to everything else.
    """

    def __init__(self, origins: Origins) -> None:
        self._origins = origins

    def preflight(self, method: str, headers: Headers) -> Response | None:
        """Answer the question that a browser asks ahead of a request; None if this is no such question."""
        if method != "OPTIONS" or "origin" not in headers or "access-control-request-method" not in headers:
            return None
        allowed = self.headers(headers)
        if len(allowed) == 1:
            return Response(status=403, headers=allowed)
        asked = headers.get("access-control-request-headers") or ""
        fields = [("access-control-allow-methods", METHODS), ("access-control-max-age", str(MAX_AGE))]
        if asked and NAMES.fullmatch(asked):
            fields.append(("access-control-allow-headers", asked))
        return Response(status=204, headers=(*allowed, *fields))

    def applied(self, headers: Headers, fields: Iterable[Header]) -> list[Header]:
        """Return `fields`, an answer's, with what a request with `headers` adds to them.

        Lists such as `Vary` are merged with what the application says itself; of the rest ours counts.
        """
        added = self.headers(headers)
        ours = {name for name, _ in added}
        kept: list[Header] = []
        lists: dict[str, list[str]] = {}
        for name, value in fields:
            if (key := name.lower()) not in ours:
                kept.append((name, value))
            elif key in LISTS:
                lists.setdefault(key, []).append(value)
        return [*kept, *((name, _joined([*lists.get(name, ()), value])) for name, value in added)]

    def headers(self, headers: Headers) -> tuple[Header, ...]:
        """Return what the answer to a request with these headers carries; only `Vary` for an origin without trust."""
        origin = headers.get("origin")
        if origin is None or not self._origins.trusts(origin):
            return (VARY,)
        return (
            VARY,
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", EXPOSED),
        )


def _joined(values: Iterable[str]) -> str:
    names = [name.strip() for value in values for name in value.split(",")]
    if "*" in names:
        return "*"
    # The first spelling of a name stays: they are compared without case.
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(name.lower(), name)
    return ", ".join(known.values())
