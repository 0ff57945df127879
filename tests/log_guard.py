"""A plugin of pytest: fails a run in which a secret that a test used reached the log."""

import json
import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from http.cookies import SimpleCookie
from typing import Any, cast
from urllib.parse import unquote

import pytest

from portico import Request, Response
from portico.handler import Handler

SECRET_FIELDS = frozenset(
    {"password", "newPassword", "currentPassword", "token", "code", "backupCodes", "totpURI", "secret"}
)
SHORTEST = 8
SMALL = 4096
WORD = re.compile(r"[A-Za-z_]+|[0-9.]+|\s+")
"""No secret can be told from a message, a number or an indentation by it."""


class Records(logging.Handler):
    """Every record as it would be written, each text once."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        self.texts: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.add(self.format(record))


class LogGuard:
    """Collects what the logger `portico` wrote, and the secrets that went in and out of the handlers."""

    def __init__(self) -> None:
        self.records = Records()
        self.secrets: set[str] = set()
        self.leaks: list[str] = []

    def pytest_configure(self) -> None:
        logger = logging.getLogger("portico")
        logger.addHandler(self.records)
        logger.setLevel(logging.DEBUG)
        answer = Handler.__call__

        async def answer_and_learn(handler: Handler, request: Request) -> Response:
            self.secrets.update(each for each in _sent(request) if _is_telling(each))
            response = await answer(handler, request)
            self.secrets.update(each for each in _returned(handler, response) if _is_telling(each))
            return response

        setattr(Handler, "__call__", answer_and_learn)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        text = "\n".join(self.records.texts)
        self.leaks = sorted(secret for secret in self.secrets if secret in text)
        if self.leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        count, texts = len(self.secrets), len(self.records.texts)
        terminalreporter.write_line(f"{count} secrets were looked for in {texts} log records")
        for leak in self.leaks:
            where = [text for text in self.records.texts if leak in text]
            terminalreporter.write_line(f"SECRET IN THE LOG: {leak!r} in {where[0]!r}", red=True)


def _sent(request: Request) -> Iterator[str]:
    yield from _told(request.body)
    yield from _named(request.query_fields)
    authorization = request.headers.get("authorization") or ""
    yield authorization.partition(" ")[2]


def _returned(handler: Handler, response: Response) -> Iterator[str]:
    yield from handler._auth.keyring.accepted  # pyright: ignore[reportPrivateUsage]  # whose handler it is, only it knows
    yield from _told(response.body)
    for name, value in response.headers:
        if name == "set-cookie":
            for cookie in SimpleCookie(value).values():
                yield from (cookie.value, unquote(cookie.value), unquote(cookie.value).partition(".")[0])
        elif name == "set-auth-token":
            yield value


def _told(body: bytes) -> tuple[str, ...]:
    """Return the texts at secret names in a body."""
    return _found(body) if len(body) > SMALL else _remembered(body)


def _found(body: bytes) -> tuple[str, ...]:
    return tuple(_named(_decoded(body)))


# The same refusals come thousands of times.
_remembered = lru_cache(maxsize=2048)(_found)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _named(value: Any, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the texts at secret names, however deep."""
    pending: list[tuple[Any, bool]] = [(value, is_secret)]
    while pending:
        each, is_telling = pending.pop()
        if isinstance(each, dict):
            fields = cast("dict[str, Any]", each)
            pending += [(inner, name in SECRET_FIELDS) for name, inner in fields.items()]
        elif isinstance(each, list):
            pending += [(inner, is_telling) for inner in _items(each)]
        elif isinstance(each, str) and is_telling:
            yield each


def _items(values: Any) -> list[Any]:
    return list(values)


def _is_telling(text: str) -> bool:
    return len(text) >= SHORTEST and WORD.fullmatch(text) is None
