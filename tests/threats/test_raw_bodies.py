"""How a body is framed, in bytes that no client sends: one request is one request, or none."""

import gzip
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import pytest

from app import ORIGIN
from live import live
from requirements import requirement
from threats.everything import BASE, JSON, Site, Visitor, everything
from threats.raw import Line, answer_in, lines, request

pytestmark = [pytest.mark.anyio, requirement("I01")]

Parser = Literal["httptools", "h11"]
PARSERS: list[Parser] = ["httptools", "h11"]
PATH = f"{BASE}/update-user"
BODY = b'{"name":"Evil"}'
LENGTH = str(len(BODY))
CHUNKED = ("transfer-encoding", "chunked")
CHUNKS = b"5\r\n" + BODY[:5] + b"\r\n" + b"a\r\n" + BODY[5:] + b"\r\n0\r\n\r\n"


def framed(visitor: Visitor, body: bytes, *headers: tuple[str, str]) -> bytes:
    """Return a request whose framing headers are those that are given, and no others."""
    fields = [("host", "localhost"), ("connection", "close"), ("origin", ORIGIN), ("content-type", JSON)]
    return f"POST {PATH} HTTP/1.1\r\n".encode() + lines([*fields, visitor.cookie, *headers]) + b"\r\n" + body


FULL = ("content-length", LENGTH)
REFUSED: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "two lengths": (BODY, [FULL, ("content-length", "4")]),
    "two lengths in one line": (BODY, [("content-length", f"{LENGTH}, 4")]),
    "a negative length": (BODY, [("content-length", "-1")]),
    "a length with a sign": (BODY, [("content-length", f"+{LENGTH}")]),
    "a length in hexadecimal": (BODY, [("content-length", "0xf")]),
    "a length with a point": (BODY, [("content-length", f"{LENGTH}.0")]),
    "a length that is a word": (BODY, [("content-length", "many")]),
    "an empty length": (BODY, [("content-length", "")]),
    "a length beyond all numbers": (BODY, [("content-length", "9" * 40)]),
    "a length that is too short": (BODY, [("content-length", "5")]),
    "an unknown coding": (BODY, [("transfer-encoding", "rot13")]),
    "a coding twice": (CHUNKS, [CHUNKED, CHUNKED]),
    "a coding that does not end in chunks": (CHUNKS, [("transfer-encoding", "chunked, identity")]),
    "a coding behind a tabulator": (CHUNKS, [("transfer-encoding", "\x0bchunked")]),
    "a coding in a folded line": (CHUNKS, [("x-a", "b\r\n transfer-encoding: chunked")]),
    "a space behind a name": (CHUNKS, [("transfer-encoding ", "chunked")]),
    "a NUL in a header": (BODY, [FULL, ("x-a", "b\x00c")]),
    "chunks that are no numbers": (b"x\r\n" + BODY + b"\r\n0\r\n\r\n", [CHUNKED]),
    "a negative chunk": (b"-1\r\n" + BODY + b"\r\n0\r\n\r\n", [CHUNKED]),
    "a chunk beyond all numbers": (b"f" * 40 + b"\r\n" + BODY, [CHUNKED]),
    "a chunk without its end": (b"4\r\n" + BODY + b"0\r\n\r\n", [CHUNKED]),
    "no chunk at all": (BODY + b"\r\n", [CHUNKED]),
    "another protocol, wanted": (BODY, [FULL, ("upgrade", "websocket"), ("connection", "upgrade")]),
    "two framings and no body": (b"0\r\n\r\n", [FULL, CHUNKED]),
    "packed": (gzip.compress(BODY), [("content-length", str(len(gzip.compress(BODY)))), ("content-encoding", "gzip")]),
}


@contextmanager
def served(parser: Parser) -> Generator[tuple[Site, Line]]:
    site = everything()
    with live(lambda _: site.auth, parser) as url:
        yield site, Line.to(url)


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_body_whose_end_is_not_clear_is_refused_and_changes_nothing(parser: Parser) -> None:
    with served(parser) as (site, line):
        visitor = await site.visitor()
        remembered = await site.remembered()
        for told, (body, headers) in REFUSED.items():
            answer = line.answer(framed(visitor, body, *headers))
            assert answer is not None, told
            assert 400 <= answer.status < 500, (told, answer)
        assert await site.remembered() == remembered


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_body_in_chunks_is_read(parser: Parser) -> None:
    """What is refused above would have changed something."""
    with served(parser) as (site, line):
        visitor = await site.visitor()
        for headers in ([CHUNKED], [("Transfer-Encoding", "CHUNKED")], [CHUNKED, ("x-a", "b")]):
            answer = line.answer(framed(visitor, CHUNKS, *headers))
            assert answer is not None
            assert (answer.status, answer.rest) == (200, b'{"status":true}')
        [user] = await site.auth.users.find_many(site.auth.context(None))
        assert user.name == "Evil"


@pytest.mark.parametrize("parser", PARSERS)
async def test_nothing_behind_a_body_is_a_second_request(parser: Parser) -> None:
    with served(parser) as (site, line):
        visitor = await site.visitor()
        hidden = request("POST", f"{BASE}/revoke-sessions", visitor.cookie, ("origin", ORIGIN), ("content-type", JSON))
        whole = [
            b"0\r\n\r\n" + hidden,
            CHUNKS + hidden,
            BODY + hidden,
            b"f\r\n" + BODY + b"\r\n0\r\nx: y\r\n\r\n" + hidden,
        ]
        for body in whole:
            # As a proxy reads it that counts, and as one that reads chunks.
            for headers in ([("content-length", str(len(body))), CHUNKED], [CHUNKED], [FULL], [FULL, CHUNKED]):
                said = line.said(framed(visitor, body, *headers))
                assert said.count(b"HTTP/1.1 ") <= 1, (body, headers)
                answer = answer_in(said)
                assert answer is None or answer.status < 500, (body, headers)
        assert await site.auth.store.count(site.auth.tables["session"]) == 1


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_trailer_is_no_header(parser: Parser) -> None:
    """A foreign page cannot say behind its body where it comes from."""
    with served(parser) as (site, line):
        visitor = await site.visitor()
        remembered = await site.remembered()
        body = b"f\r\n" + BODY + b"\r\n0\r\n" + lines([("origin", ORIGIN), visitor.cookie]) + b"\r\n"
        sent = framed(visitor, body, CHUNKED).replace(f"origin: {ORIGIN}".encode(), b"origin: https://evil.test", 1)
        answer = line.answer(sent)
        assert answer is not None
        assert answer.status == 403
        assert await site.remembered() == remembered


NO_REQUESTS = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 50 + b"\r\n\r\n",
    b"\x00" * 100 + b"\r\n\r\n",
    b"PRI * HTTP/2.0\r\nconnection: close\r\n\r\nSM\r\n\r\n",
    b" GET /api/auth/ok HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET\t/api/auth/ok\tHTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /api/auth/ok HTTP/x\r\nhost: a\r\n\r\n",
    b"GET /api/auth/ok HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
    b"GET /api/auth/ok HTTP/1.1\r\nhost: a\r\n: no name\r\n\r\n",
    b"GET /api/auth/ok HTTP/1.1\r\nhost: a\r\nx\xff: y\r\n\r\n",
    b"GET /api/auth/a\nx-evil: 1 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /api/auth/a\rx HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /api/auth/" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
]


@requirement("I03", "C06")
@pytest.mark.parametrize("parser", PARSERS)
async def test_what_is_no_request_is_no_failure(parser: Parser) -> None:
    with served(parser) as (_, line):
        for sent in NO_REQUESTS:
            for answer in (line.answer(sent),):
                assert answer is None or 400 <= answer.status < 500, (sent[:60], answer)
                assert answer is None or b"x-evil" not in answer.headers
        fine = line.answer(request("GET", f"{BASE}/ok"))
        assert fine is not None
        assert fine.rest == b'{"ok":true}'
