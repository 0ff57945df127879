"""One HTTP exchange with an aiohttp application: its server in this process, on a connection that is no socket."""

import asyncio  # noqa: TID251  # aiohttp's server talks to a transport of asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from anyio import Event, fail_after
from anyio.lowlevel import checkpoint

from hosts.conformance.exchange import PIECE, Answer, Call, pieces_of

BODILESS = (204, 304)
OWN = frozenset({"date", "server", "connection"})
"""What a server adds to every answer."""


class Connection(asyncio.Transport):
    """The client's side: what the server wrote, and whether it asks to wait."""

    def __init__(self, call: Call) -> None:
        super().__init__({"peername": (call.peer, 50000)})
        self._method = call.method
        self._written = bytearray()
        self._is_closing = False
        self.is_paused = False
        self.answered = Event()

    def write(self, data: Any) -> None:
        self._written += data
        if self.answer:
            self.answered.set()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True
        self.answered.set()

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    @property
    def answer(self) -> Answer | None:
        """The answer, once it is whole."""
        head, end, body = bytes(self._written).partition(b"\r\n\r\n")
        if not end:
            return None
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        answer = Answer(int(status.split()[1]), [field for field in fields if field[0] not in OWN], body)
        length = 0 if answer.status in BODILESS or self._method == "HEAD" else int(dict(fields)["content-length"])
        return answer if len(body) == length else None


async def through_aiohttp(make: Callable[[], web.Application], call: Call) -> Answer:
    """Start a server, send the call, stop the server."""
    runner = web.AppRunner(make(), access_log=None)
    await runner.setup()
    assert runner.server is not None
    protocol, connection = runner.server(), Connection(call)
    with fail_after(5):
        protocol.connection_made(connection)
        for piece in _sent(call):
            while connection.is_paused and not connection.answered.is_set():
                await checkpoint()
            if connection.answered.is_set():
                break
            protocol.data_received(piece)
            call.meter.taken += PIECE if call.is_streamed else 0
            await checkpoint()
        await connection.answered.wait()
        protocol.connection_lost(None)
        await runner.cleanup()
    assert connection.answer is not None, "the server closed the connection without an answer"
    return connection.answer


def _sent(call: Call) -> list[bytes]:
    fields = [("host", "localhost:3000"), ("connection", "close"), *call.headers]
    if call.is_streamed:
        fields.append(("transfer-encoding", "chunked"))
    lines = [f"{call.method} {call.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    head = "\r\n".join(lines).encode("latin-1")
    if not call.is_streamed:
        return [head, call.body]
    return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces_of(call, PIECE)), b"0\r\n\r\n"]
