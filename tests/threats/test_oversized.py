"""Too much, or too slowly: memory is bounded, and everybody else is answered meanwhile."""

import json
import re
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from anyio import CapacityLimiter, create_task_group, fail_after, to_thread

from app import ORIGIN
from raced import started
from requirements import requirement
from threats.everything import BASE, JSON, everything
from threats.raw import Answer, Line, lines, one_answer, request

T = TypeVar("T")
pytestmark = [
    pytest.mark.anyio,
    requirement("I04"),
    pytest.mark.skipif(sys.platform != "linux", reason="memory of a process is read from /proc"),
]

MEGABYTE = 1024 * 1024
GROWTH = 10 * MEGABYTE
"""What a request may add to the most memory that the server ever had: ten times the largest body that is read."""
PIECE = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
TARGET = f"{BASE}/sign-in/email"
CHUNKED = ("transfer-encoding", "chunked")


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    pid: int
    line: Line

    @property
    def peak(self) -> int:
        """The most memory that it ever had, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    @contextmanager
    def growing(self, limit: int) -> Generator[None]:
        """Fail if what is done meanwhile takes more memory than there was, and `limit`."""
        # Begin to look for the most at what there is now. See proc_pid_clear_refs(5).
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        before = self.peak
        yield
        assert self.peak - before < limit

    def asked(self) -> Answer:
        """Return what somebody else is answered."""
        body = b'{"email":"ann@example.com","password":"wrong password"}'
        answer = self.line.answer(request("POST", TARGET, ("content-type", JSON), ("origin", ORIGIN), body=body))
        assert answer is not None
        return answer


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    process = started("threats/serving.py")
    try:
        assert process.stdout is not None
        server = Server(process.pid, Line.to(process.stdout.readline().strip()))
        # What it loads on use is no growth.
        assert server.asked().status == 401
        over(server, 2 * MEGABYTE)
        yield server
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def over(server: Server, size: int) -> Answer:
    """Send a body of unknown length, to its end, and return the answer."""
    head = f"POST {TARGET} HTTP/1.1\r\n".encode() + lines([("host", "a"), ("content-type", JSON), CHUNKED]) + b"\r\n"
    with server.line.connected() as connection:
        connection.sendall(head)
        for _ in range(size // 0x10000):
            connection.sendall(PIECE)
        connection.sendall(b"0\r\n\r\n")
        return one_answer(connection)


TOO_LARGE = {"message": "Request body is too large", "code": "PAYLOAD_TOO_LARGE"}


def refusal_of(answer: Answer) -> tuple[int, Any]:
    return answer.status, json.loads(answer.rest)


async def at_once(count: int, work: Callable[[], T]) -> list[T]:
    """Return what many threads return that do the same."""
    results: list[T] = []

    async def one() -> None:
        results.append(await to_thread.run_sync(work, limiter=limiter))

    limiter = CapacityLimiter(count)
    async with create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return results


async def test_a_hundred_megabytes_are_refused_while_they_arrive(server: Server) -> None:
    with server.growing(GROWTH):
        assert refusal_of(over(server, 100 * MEGABYTE)) == (413, TOO_LARGE)


async def test_many_large_bodies_at_once_take_no_more_than_their_limits(server: Server) -> None:
    # Each may wait with as much as is read of any body, and once more while it is copied.
    with server.growing(8 * 2 * MEGABYTE + GROWTH):
        answers = await at_once(8, lambda: over(server, 20 * MEGABYTE))
    assert [refusal_of(answer) for answer in answers] == [(413, TOO_LARGE)] * 8


async def test_a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    for size in (MEGABYTE + 1, 100 * MEGABYTE, 2**63, 10**18):
        headers = [("host", "a"), ("content-type", JSON), ("content-length", str(size))]
        with server.line.connected() as connection:
            connection.sendall(f"POST {TARGET} HTTP/1.1\r\n".encode() + lines(headers) + b"\r\n{")
            assert refusal_of(one_answer(connection)) == (413, TOO_LARGE)


async def test_the_largest_bodies_that_are_read_cost_a_multiple_of_their_size(server: Server) -> None:
    bodies = [
        b'{"email":"ann@example.com","password":"' + b"x" * (MEGABYTE - 100) + b'"}',
        b"[" + b"[]," * (MEGABYTE // 3 - 10) + b"[]]",
        b"{" + b",".join(b'"%d":0' % number for number in range(80_000)) + b"}",
        b'{"email":"' + b"\\u0000" * (MEGABYTE // 6 - 10) + b'"}',
    ]
    for body in bodies:
        assert MEGABYTE // 2 < len(body) <= MEGABYTE
        # To Python, a megabyte of empty lists in a list is forty megabytes of objects.
        with server.growing(64 * MEGABYTE):
            for _ in range(3):
                answer = server.line.answer(request("POST", TARGET, ("content-type", JSON), body=body))
                assert answer is not None
                assert 400 <= answer.status < 500


async def test_a_header_of_a_megabyte_is_no_failure(server: Server) -> None:
    values = ["x" * MEGABYTE, "a=b;" * (MEGABYTE // 4), "1.2.3.4, " * (MEGABYTE // 9), ";=," * (MEGABYTE // 3)]
    with server.growing(GROWTH):
        for name in ("cookie", "origin", "authorization", "x-forwarded-for", "user-agent", "x-nobody-reads"):
            for value in values:
                answer = server.line.answer(request("GET", f"{BASE}/get-session", (name, value)))
                assert answer is not None, name
                assert answer.status < 500, name


async def test_ten_thousand_fields_of_a_query_are_no_failure(server: Server) -> None:
    queries = ["&".join(f"{number}=" for number in range(10_000)), "a=x&" * 10_000, "&=;" * 10_000]
    for door in everything().distinct_doors:
        for query in queries if not door.has_body else ():
            answer = server.line.answer(request(door.route.method, f"{door.path()}?{query}", ("origin", ORIGIN)))
            assert answer is not None, door
            assert answer.status < 500, door


async def test_whoever_sends_slowly_holds_up_nobody(server: Server) -> None:
    head = f"POST {TARGET} HTTP/1.1\r\n".encode() + lines([("host", "a"), ("content-type", JSON)])
    begun = [head[:20], head, head + b"content-length: 1000000\r\n\r\n{", head + lines([CHUNKED]) + b"\r\n4\r\n{"]
    with server.growing(GROWTH), ExitStack() as stack:
        waiting = [stack.enter_context(server.line.connected()) for _ in range(120)]
        for number, connection in enumerate(waiting):
            connection.sendall(begun[number % len(begun)])
        for _ in range(5):
            for connection in waiting:
                # A byte now and then keeps it alive, if it is not given up.
                with suppress(ConnectionError):
                    connection.sendall(b"x")
            with fail_after(5):
                assert [answer.status for answer in await at_once(10, server.asked)] == [401] * 10
    assert server.asked().status == 401


@requirement("E04")
async def test_a_hundred_giant_passwords_at_once_hold_up_nobody(server: Server) -> None:
    body = json.dumps({"name": "Ann", "email": "ann@example.com", "password": "x" * 1_000_000}).encode()
    giant = request("POST", f"{BASE}/sign-up/email", ("content-type", JSON), ("origin", ORIGIN), body=body)
    refused: list[Answer | None] = []

    async def send_giants() -> None:
        refused.extend(await at_once(100, lambda: server.line.answer(giant)))

    with fail_after(20):
        async with create_task_group() as tasks:
            tasks.start_soon(send_giants)
            # Others are answered among them.
            assert [answer.status for answer in await at_once(20, server.asked)] == [401] * 20
    assert [answer and (answer.status, json.loads(answer.rest)["code"]) for answer in refused] == [
        (400, "PASSWORD_TOO_LONG")
    ] * 100
