"""Requests of an httpx client that an Auth in the same process answers, without a socket."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import httpx

from portico.http import Headers, Request, Response

if TYPE_CHECKING:
    from portico.auth import Auth

PEER = "127.0.0.1"
"""Whose requests they are, to rate limits and sessions."""


class InProcessTransport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Give it to an httpx client, or to a generated one, as `transport`.

    Everything holds that holds over HTTP: origins, limits, cookies. A sync client runs on the loop of `auth.run`.
    """

    def __init__(self, auth: "Auth[Any]") -> None:
        self._auth = auth

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an async client."""
        answer = await self._auth.handler(_read(request, await request.aread()))
        return _written(answer, _Answer(self._auth, answer))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a sync client."""
        answer = self._auth.run(self._auth.handler, _read(request, request.read()))
        return _written(answer, _SyncAnswer(self._auth, answer))


class _Answer(httpx.AsyncByteStream):
    """The body, and the work after it."""

    def __init__(self, auth: "Auth[Any]", answer: Response) -> None:
        self._auth = auth
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._answer.body

    async def aclose(self) -> None:
        await self._auth.finish(self._answer)


class _SyncAnswer(httpx.SyncByteStream):
    """The same for a sync client."""

    def __init__(self, auth: "Auth[Any]", answer: Response) -> None:
        self._auth = auth
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield self._answer.body

    def close(self) -> None:
        if self._answer.background:
            self._auth.run(self._auth.finish, self._answer)


def _read(request: httpx.Request, body: bytes) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    return Request(method=request.method, path=path, query=query, headers=headers, body=body, peer=PEER)


def _written(answer: Response, stream: Any) -> httpx.Response:
    length = ("content-length", str(len(answer.body)))
    return httpx.Response(answer.status, headers=[*answer.headers, length], stream=stream)
