"""How a body is framed, in bytes that no client sends: one request is one request, or none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest

from app import ORIGIN
from live import live
from requirements import requirement
from threats.everything import BASE, JSON, Site, Visitor, everything
from threats.raw import Answer, Line, answer_in, lines, received

pytestmark = [pytest.mark.anyio, requirement("I01")]

Parser = Literal["httptools", "h11"]
PATH = f"{BASE}/update-user"
BODY = b'{"name":"Evil"}'
LENGTH = str(len(BODY))
CHUNKED = ("transfer-encoding", "chunked")
CHUNKS = b"5\r\n" + BODY[:5] + b"\r\n" + b"a\r\n" + BODY[5:] + b"\r\n0\r\n\r\n"


def framed(visitor: Visitor, body: bytes, *headers: tuple[str, str]) -> bytes:
    """Return a request whose framing headers are those that are given, and no others."""
    fields = [("host", "localhost"), ("connection", "close"), ("origin", ORIGIN), ("content-type", JSON)]
    return f"POST {PATH} HTTP/1.1\r\n".encode() + lines([*fields, visitor.cookie, *headers]) + b"\r\n" + body


REFUSED: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "two lengths": (BODY, [("content-length", LENGTH), ("content-length", "4")]),
    "two lengths in one line": (BODY, [("content-length", f"{LENGTH}, 4")]),
    "a negative length": (BODY, [("content-length", "-1")]),
    "a length with a sign": (BODY, [("content-length", f"+{LENGTH}")]),
    "a length in hexadecimal": (BODY, [("content-length", "0xf")]),
    "a length with a point": (BODY, [("content-length", f"{LENGTH}.0")]),
    "a length that is a word": (BODY, [("content-length", "many")]),
    "an empty length": (BODY, [("content-length", "")]),
    "a length beyond all numbers": (BODY, [("content-length", "9" * 40)]),
    "an unknown coding": (BODY, [("transfer-encoding", "rot13")]),
    "chunks that are no numbers": (b"x\r\n" + BODY + b"\r\n0\r\n\r\n", [CHUNKED]),
    "a negative chunk": (b"-1\r\n" + BODY + b"\r\n0\r\n\r\n", [CHUNKED]),
    "a chunk beyond all numbers": (b"f" * 40 + b"\r\n" + BODY, [CHUNKED]),
    "a chunk without its end": (b"4\r\n" + BODY + b"0\r\n\r\n", [CHUNKED]),
    "no chunk at all": (BODY, [CHUNKED]),
}


@contextmanager
def served(parser: Parser) -> Iterator[tuple[Site, Line]]:
    site = everything()
    with live(lambda _: site.auth, parser) as url:
        yield site, Line.to(url)


@pytest.mark.parametrize("parser", ["httptools", "h11"])
async def test_x(parser: Parser) -> None:
    with served(parser) as (site, line):
        visitor = await site.visitor()
        remembered = await site.remembered()
        for told, (body, headers) in REFUSED.items():
            try:
                a = line.answer(framed(visitor, body, *headers))
            except TimeoutError:
                a = "TIMEOUT"
            print(parser, told, a if isinstance(a, str) else a and a.status, await site.remembered() == remembered)
