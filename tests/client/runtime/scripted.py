"""A server that answers what a test tells it to, and remembers what it was sent."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
import respx

Answer: TypeAlias = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Scripted:
    """Gives one answer for each request, in order; more requests than answers are a mistake."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self._router = respx.Router(assert_all_called=False)
        self._router.route().mock(side_effect=self._answer)
        self.requests: list[httpx.Request] = []

    @property
    def transport(self) -> httpx.MockTransport:
        """What a client of either face sends through."""
        return httpx.MockTransport(self._router.handler)

    @property
    def lines(self) -> list[str]:
        """Method and path of each request."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        # The fields as they were: a request that is sent again is changed.
        self.requests.append(
            httpx.Request(request.method, request.url, headers=request.headers.raw, stream=request.stream)
        )
        assert self._answers, f"nobody expected {request.method} {request.url}"
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        given = answer(request) if callable(answer) else answer
        # A response is read once.
        return httpx.Response(given.status_code, headers=given.headers.raw, content=given.content)


def reply(value: object, status: int = 200, *fields: tuple[str, str]) -> httpx.Response:
    """Return a JSON response."""
    headers = [("content-type", "application/json"), *fields]
    return httpx.Response(status, headers=headers, content=json.dumps(value).encode())


def sent(request: httpx.Request) -> Any:
    """Return the JSON body of a request."""
    return json.loads(request.read())


DATE = "2030-01-02T03:04:05.678Z"
USER = {"id": "u1", "name": "Ann", "email": "ann@example.com"}
SESSION = {"session": {"token": "t1", "expiresAt": DATE}, "user": USER}


def session_of(name: str) -> dict[str, Any]:
    """Return the reply of get-session for a user of that name."""
    return {**SESSION, "user": {**USER, "name": name}}
