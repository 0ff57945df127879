"""What is sent again, and what never is."""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
import trio.testing

from client.runtime.acme import GET_SESSION, READ, REVOKE_SESSIONS, WRITE, AsyncAcme, Face
from client.runtime.scripted import Scripted, reply
from portico_client_runtime import Operation, RequestOptions
from portico_client_runtime.errors import ConnectionFailed, RateLimited, ServerError
from portico_client_runtime.retries import after_failure, after_response
from requirements import requirement

pytestmark = pytest.mark.anyio
NOW = ("retry-after", "0")
FAST_CLOCK = ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


def wait_after(operation: Operation[Any], status: int, *fields: tuple[str, str]) -> float | None:
    return after_response(operation, 0, httpx.Response(status, headers=[*fields]))


@requirement("S-238")
@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_reading_is_tried_again_when_the_server_says_so(face: Face, status: int) -> None:
    server = Scripted(reply({}, status, NOW), reply({}, status, ("x-retry-after", "0")), reply(None))
    client = face.open(transport=server.transport)
    assert await face.do(client.get_session) is None
    assert server.lines == ["GET /api/auth/get-session"] * 3


@requirement("S-238")
async def test_the_last_refusal_is_raised_when_the_tries_are_used_up(face: Face) -> None:
    answers = [reply({}, 429, NOW) for _ in range(6)]
    server = Scripted(*answers)
    client = face.open(transport=server.transport)
    with pytest.raises(RateLimited):
        await face.do(client.get_session)
    with pytest.raises(RateLimited):
        await face.do(client.get_session, options=RequestOptions(max_retries=1))
    with pytest.raises(RateLimited):
        await face.do(client.with_options(max_retries=0).get_session)
    assert len(server.requests) == 6


@requirement("ARCH-client-retries")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_changes_something_is_not_sent_again_after_an_answer(face: Face, status: int) -> None:
    server = Scripted(reply({}, status, NOW))
    with pytest.raises(RateLimited if status == 429 else ServerError):
        await face.do(face.open(transport=server.transport).send, WRITE, body={})
    assert len(server.requests) == 1


@requirement("ARCH-client-retries")
@pytest.mark.parametrize("failure", [httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadTimeout])
async def test_what_changes_something_is_not_sent_again_once_it_may_have_arrived(
    face: Face, failure: Callable[[str], Exception]
) -> None:
    server = Scripted(failure("cut off"))
    with pytest.raises(ConnectionFailed) as caught:
        await face.do(face.open(transport=server.transport).send, WRITE, body={})
    assert isinstance(caught.value.__cause__, httpx.TransportError)
    assert len(server.requests) == 1


@requirement("ARCH-client-retries")
@pytest.mark.parametrize("anyio_backend", [FAST_CLOCK], ids=["trio"])
@pytest.mark.parametrize(
    ("operation", "failure", "is_repeated"),
    [
        (WRITE, httpx.ConnectError, True),
        (WRITE, httpx.ConnectTimeout, True),
        (WRITE, httpx.PoolTimeout, True),
        (WRITE, httpx.ReadError, False),
        (REVOKE_SESSIONS, httpx.ReadError, True),
        (REVOKE_SESSIONS, httpx.ReadTimeout, False),
        (READ, httpx.ConnectError, True),
        (READ, httpx.RemoteProtocolError, True),
        (READ, httpx.WriteTimeout, False),
    ],
)
async def test_only_what_does_no_harm_twice_is_sent_again_without_an_answer(
    operation: Operation[Any], failure: Callable[[str], Exception], is_repeated: bool
) -> None:
    server = Scripted(*(failure("gone") for _ in range(3)))
    path = {"id": "1"} if operation is READ else {}
    started = anyio.current_time()
    async with AsyncAcme("http://localhost:3000", transport=server.transport) as client:
        with pytest.raises(ConnectionFailed):
            await client.send(operation, path=path)
    assert len(server.requests) == (3 if is_repeated else 1)
    # Half a second, then one, each up to a quarter shorter.
    waited = anyio.current_time() - started
    assert 1.125 <= waited <= 1.5 if is_repeated else waited == 0


@requirement("ARCH-client-retries")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_server_that_is_not_there_is_a_failed_connection(face: Face) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
    with anyio.fail_after(30), pytest.raises(ConnectionFailed):
        client = face.open(f"http://127.0.0.1:{port}", max_retries=0)
        await face.do(client.get_session)


@requirement("ARCH-client-retries")
async def test_the_server_decides_how_long_to_wait_up_to_a_minute() -> None:
    wait = partial(wait_after, GET_SESSION)
    assert wait(429, ("retry-after", "10")) == 10
    assert wait(503, ("retry-after", "60")) == 60
    assert wait(503, ("retry-after", "61")) is None
    assert 0.375 <= (wait(503) or 0) <= 0.5
    assert wait(500) is None
    assert wait_after(REVOKE_SESSIONS, 503, ("retry-after", "1")) == 1
    assert wait_after(WRITE, 503) is None


@requirement("ARCH-client-retries")
async def test_waits_grow_to_eight_seconds() -> None:
    waits = [after_failure(READ, attempt, httpx.ConnectError("")) or 0 for attempt in range(8)]
    assert all(top * 0.75 <= wait <= top for wait, top in zip(waits, [0.5, 1, 2, 4, 8, 8, 8, 8], strict=True))
