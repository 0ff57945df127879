"""Signals, and the session that depends on them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx
import pytest

from app import plain
from client.runtime.acme import SIGN_OUT, UPDATE_USER, WRITE, AsyncAcme, Face, SessionData
from client.runtime.scripted import SESSION, Scripted, reply, session_of
from portico_client_runtime import RequestOptions, SessionState, Store
from portico_client_runtime.errors import ConnectionFailed, ServerError, Unauthorized
from requirements import requirement

pytestmark = pytest.mark.anyio
TIMES = 500
REFRESH = {**SESSION, "needsRefresh": True}


def name_of(state: SessionState[SessionData]) -> str | None:
    return None if state.data is None else state.data.user.name


@requirement("ARCH-client-signals")
def test_eight_threads_lose_no_notification() -> None:
    store, heard = Store(), list[int]()
    store.listen("session", heard.append)

    def notify(_: int) -> None:
        for _ in range(TIMES):
            store.notify("session")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(notify, range(8)))
    assert store.version("session") == 8 * TIMES
    assert sorted(heard) == [*range(1, 8 * TIMES + 1)]


@requirement("ARCH-client-signals")
def test_upstreams_spelling_is_the_same_signal_and_listeners_can_stop() -> None:
    store, heard = Store(), list[int]()
    stop = store.listen("$sessionSignal", heard.append)
    store.listen("organization", heard.append)
    store.notify("session")
    store.notify("$sessionSignal")
    stop()
    stop()
    store.notify("session")
    assert (heard, store.version("session"), store.version("$sessionSignal")) == ([1, 2], 3, 3)


@requirement("ARCH-client-signals")
async def test_a_success_notifies_and_a_refusal_does_not(face: Face) -> None:
    server = Scripted(reply({"status": True}), reply({}, 400), reply({"status": True}), reply({"status": True}))
    client = face.open(transport=server.transport)
    await face.do(client.send, UPDATE_USER, body={"name": "Ann"})
    with pytest.raises(Exception, match="400"):
        await face.do(client.send, UPDATE_USER, body={"name": "Ann"})
    await face.do(client.send, UPDATE_USER, options=RequestOptions(disable_signal=True))
    assert client.store.version("session") == 1
    await face.do(client.with_options(timeout=1).send, UPDATE_USER)
    assert client.store.version("session") == 2


@requirement("S-225", "S-227")
async def test_the_session_is_fetched_only_when_it_may_have_changed(face: Face) -> None:
    client = face.to(plain())
    assert client.session.state == SessionState()
    assert client.session.is_stale

    async def get() -> SessionData | None:
        found: SessionData | None = await face.do(client.session.get)
        return found

    assert await get() is None
    assert client.session.state == SessionState(is_pending=False)
    assert not client.session.is_stale
    await face.sign_up(client)
    assert client.session.is_stale
    first = await get()
    assert first is not None
    assert first.user.name == "Ann"
    assert await get() is first
    await face.do(client.send, UPDATE_USER, body={"name": "Bea"})
    assert (await get() or first).user.name == "Bea"
    await face.do(client.send, SIGN_OUT)
    assert await get() is None


@requirement("S-225")
async def test_a_session_that_is_known_is_not_asked_for(face: Face) -> None:
    server = Scripted(reply(SESSION), reply(SESSION), reply(SESSION))
    client = face.open(transport=server.transport)
    first = await face.do(client.session.get)
    assert await face.do(client.session.get) is first
    assert len(server.requests) == 1
    client.store.notify("session")
    # The same session is the same object: nothing has changed.
    assert await face.do(client.session.get) is first
    assert (await face.do(client.session.refetch)).data is first
    assert len(server.requests) == 3


@requirement("S-225")
async def test_a_401_clears_and_any_other_failure_keeps_the_last_session(face: Face) -> None:
    server = Scripted(
        reply(SESSION),
        reply({}, 500),
        httpx.ReadTimeout("slow"),
        reply(SESSION),
        reply({"code": "UNAUTHORIZED"}, 401),
        reply(SESSION),
    )
    client = face.open(transport=server.transport)
    first = await face.do(client.session.get)

    async def refetched() -> tuple[SessionData | None, type | None, bool]:
        state: SessionState[SessionData] = await face.do(client.session.refetch)
        assert (state.is_pending, state.is_refetching, state) == (False, False, client.session.state)
        return state.data, None if state.error is None else type(state.error), client.session.is_stale

    assert await refetched() == (first, ServerError, True)
    with pytest.raises(ConnectionFailed):
        await face.do(client.session.get)
    assert client.session.state.data is first
    assert await refetched() == (first, None, False)
    assert await refetched() == (None, Unauthorized, False)
    # Nothing is asked again until something happens.
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await face.do(client.session.get)
    client.store.notify("session")
    assert (await face.do(client.session.get)).user.name == "Ann"
    assert len(server.requests) == 6


@requirement("S-225")
async def test_a_session_that_needs_it_is_refreshed_by_post(face: Face) -> None:
    server = Scripted(reply(REFRESH), reply(session_of("Fresh")))
    client = face.open(transport=server.transport)
    assert (await face.do(client.session.get)).user.name == "Fresh"
    assert server.lines == ["GET /api/auth/get-session", "POST /api/auth/get-session"]
    assert server.last.read() == b"{}"
    assert not client.session.is_stale


@requirement("S-225")
async def test_a_refresh_that_fails_leaves_what_was_read_and_is_tried_again(face: Face) -> None:
    server = Scripted(reply(REFRESH), reply({}, 500), reply(SESSION))
    client = face.open(transport=server.transport)
    assert (await face.do(client.session.get)).user.name == "Ann"
    assert (client.session.state.error, client.session.is_stale) == (None, True)
    assert (await face.do(client.session.get)).user.name == "Ann"
    assert not client.session.is_stale


class Gates:
    """Get-session replies that come when a test opens their gate; the n-th session belongs to `v<n>`."""

    def __init__(self, count: int) -> None:
        self.gates = [anyio.Event() for _ in range(count)]
        self.arrived = [anyio.Event() for _ in range(count)]
        self.asked = 0

    async def answer(self, _: httpx.Request) -> httpx.Response:
        number = self.asked
        self.asked += 1
        self.arrived[number].set()
        await self.gates[number].wait()
        return reply(session_of(f"v{number}"))

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)


@requirement("S-225")
async def test_calls_at_the_same_time_share_one_request() -> None:
    gates, names = Gates(1), list[str | None]()
    async with AsyncAcme("http://localhost:3000", transport=gates.transport) as client:

        async def look() -> None:
            found = await client.session.get()
            names.append(None if found is None else found.user.name)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(look)
                await gates.arrived[0].wait()
                assert client.session.state == SessionState(is_refetching=True)
                gates.gates[0].set()
    assert (gates.asked, names) == (1, ["v0"] * 8)


@requirement("S-225")
async def test_calls_at_the_same_time_share_a_failure() -> None:
    asked, arrived, gate, errors = list[str](), anyio.Event(), anyio.Event(), list[int]()

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        arrived.set()
        await gate.wait()
        return reply({}, 500)

    async with AsyncAcme("http://localhost:3000", transport=httpx.MockTransport(answer)) as client:

        async def look() -> None:
            try:
                await client.session.get()
            except ServerError as error:
                errors.append(error.status)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(look)
                await arrived.wait()
                await anyio.wait_all_tasks_blocked()
                gate.set()
    # Whoever comes while the first is under way shares the second.
    assert len(asked) <= 2
    assert errors == [500] * 8


@requirement("S-225")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_refetches_the_later_one_counts(order: tuple[int, int]) -> None:
    gates = Gates(2)
    async with AsyncAcme("http://localhost:3000", transport=gates.transport) as client:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for number in range(2):
                    tasks.start_soon(client.session.refetch)
                    await gates.arrived[number].wait()
                for number in order:
                    gates.gates[number].set()
                    await anyio.wait_all_tasks_blocked()
                    assert client.session.state.is_refetching == (number == order[0])
        assert name_of(client.session.state) == "v1"
        assert not client.session.is_stale


@requirement("S-225")
async def test_a_refetch_that_is_cancelled_leaves_the_state_as_it_was() -> None:
    gates = Gates(1)
    async with AsyncAcme("http://localhost:3000", transport=gates.transport) as client:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.session.refetch)
                await gates.arrived[0].wait()
                tasks.cancel_scope.cancel()
        assert client.session.state == SessionState()
        assert client.session.is_stale


@requirement("S-225")
async def test_a_change_while_the_session_is_fetched_makes_the_next_look_fetch_again() -> None:
    gates = Gates(2)
    async with AsyncAcme("http://localhost:3000", transport=gates.transport) as client:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.session.get)
                await gates.arrived[0].wait()
                client.store.notify("session")
                gates.gates[0].set()
            assert client.session.is_stale
            gates.gates[1].set()
            found = await client.session.get()
    assert found is not None
    assert found.user.name == "v1"


@requirement("ARCH-client-replies")
async def test_raw_responses_of_concurrent_calls_are_not_mixed_up(face: Face) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return reply(request.headers["x-number"], 200, ("x-number", request.headers["x-number"]))

    client = face.open(transport=httpx.MockTransport(echo))
    seen: list[tuple[Any, str, str]] = []

    async def call(number: int) -> None:
        options = RequestOptions(headers={"x-number": str(number)})
        raw = await face.do(client.with_raw_response(client.send), WRITE, options=options)
        seen.append((raw.value, raw.headers["x-number"], str(number)))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for number in range(16):
                tasks.start_soon(call, number)
    assert len(seen) == 16
    assert all(one == two == three for one, two, three in seen)


@requirement("S-225")
def test_threads_that_look_at_the_same_time_share_one_request() -> None:
    asked, arrived, gate = list[str](), threading.Event(), threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        arrived.set()
        assert gate.wait(5)
        return reply(SESSION)

    client = Face("sync").open(transport=httpx.MockTransport(answer))
    look: Callable[[], SessionData | None] = client.session.get
    with ThreadPoolExecutor(8) as threads:
        looks = [threads.submit(look) for _ in range(8)]
        assert arrived.wait(5)
        gate.set()
        found = [each.result(5) for each in looks]
    assert len(asked) == 1
    assert all(each is not None and each is found[0] for each in found)
