"""Bytes to a server and back, as no client of HTTP would send them."""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 5.0
"""In seconds: whoever is not answered by then never is."""
HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) ?[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
LENGTH = re.compile(rb"(?i)^content-length: (\d+)\r$", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: bytes
    rest: bytes
    """The body, and further answers if there were any."""


@dataclass(frozen=True)
class Line:
    """Where a server listens."""

    host: str
    port: int

    @classmethod
    def to(cls, url: str) -> "Line":
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        return cls(parts.hostname, parts.port)

    def connected(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)

    def said(self, sent: bytes) -> bytes:
        """Return all that comes back until the server hangs up; raise TimeoutError if it does not."""
        with self.connected() as connection:
            try:
                connection.sendall(sent)
                return received(connection)
            except ConnectionError:
                return b""

    def answer(self, sent: bytes) -> Answer | None:
        """Return the answer, or None to a server that only hung up."""
        return answer_in(self.said(sent))


def received(connection: socket.socket) -> bytes:
    """Return what comes until the other end hangs up."""
    pieces: list[bytes] = []
    try:
        while piece := connection.recv(65536):
            pieces.append(piece)
    except ConnectionError:
        # What came before the reset counts.
        pass
    return b"".join(pieces)


def one_answer(connection: socket.socket) -> Answer:
    """Return one whole answer of a server that does not hang up."""
    said = b""
    while (answer := _whole(said)) is None:
        piece = connection.recv(65536)
        assert piece, said
        said += piece
    return answer


def _whole(said: bytes) -> Answer | None:
    answer = answer_in(said) if b"\r\n\r\n" in said else None
    length = LENGTH.search(answer.headers) if answer else None
    return answer if answer and length and len(answer.rest) >= int(length[1]) else None


def answer_in(said: bytes) -> Answer | None:
    if not said:
        return None
    head = HEAD.match(said)
    assert head is not None, said[:200]
    return Answer(int(head[1]), head[2], said[head.end() :])


def request(method: str, target: str | bytes, *headers: tuple[str, str], body: bytes = b"") -> bytes:
    """Return a whole request, after whose answer the server hangs up; the target is sent as it is."""
    raw = target if isinstance(target, bytes) else target.encode("latin-1")
    fields = [("host", "localhost"), ("connection", "close"), *headers]
    fields += [("content-length", str(len(body)))] if body else []
    return b"".join((method.encode("latin-1"), b" ", raw, b" HTTP/1.1\r\n", lines(fields), b"\r\n", body))


def lines(fields: Iterable[tuple[str, str]]) -> bytes:
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in fields)
