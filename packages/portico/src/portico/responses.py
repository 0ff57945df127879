"""What a reply or a refusal is in HTTP."""

from typing import Any

from pydantic_core import to_json

from portico.errors import ApiError
from portico.http import NO_CONTENT, Content, Empty, Header, Html, Redirect, Reply, Response, location
from portico.wire import encode

HTML_TYPE = ("content-type", "text/html")
JSON_TYPE = ("content-type", "application/json")


def encoded(reply: Any, added: Reply) -> Response:
    """Return the response for a reply, with what the call had added to it."""
    if isinstance(reply, Empty):
        return Response(status=NO_CONTENT, headers=tuple(added.headers), background=tuple(added.background))
    if isinstance(reply, Redirect):
        # Upstream types even the body that is none.
        headers = (JSON_TYPE, location(reply.url), *added.headers)
        return Response(status=302, headers=headers, background=tuple(added.background))
    if isinstance(reply, Html):
        return page(added.status, reply, added)
    kind = JSON_TYPE
    if isinstance(reply, Content):
        kind, body = ("content-type", reply.media_type), reply.body
    else:
        body = encode(reply)
    return Response(status=added.status, headers=(kind, *added.headers), body=body, background=tuple(added.background))


def page(status: int, shown: Html, added: Reply, further: tuple[Header, ...] = ()) -> Response:
    """Return the response for a page, whose own headers come first."""
    return Response(
        status=status,
        headers=(HTML_TYPE, *shown.headers, *added.headers, *further),
        body=shown.text.encode(errors="replace"),
        background=tuple(added.background),
    )


def refused(refusal: ApiError, added: Reply | None = None) -> Response:
    """Return the response for a refusal, with what the call had added to its reply before."""
    error = refusal.error
    return Response(
        status=error.status,
        headers=(JSON_TYPE, *(added.headers if added else ()), *refusal.headers),
        body=to_json(error.content) if error.message else b"",
        background=tuple(added.background) if added else (),
    )
