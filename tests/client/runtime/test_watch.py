"""Following the session."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import Any

import anyio
import httpx
import pytest
import trio.testing
from anyio import to_thread

from app import plain
from client.runtime.acme import SIGN_OUT, SIGN_UP, UPDATE_USER, Acme, AsyncAcme, Face, SessionData
from client.runtime.scripted import Scripted, reply, session_of
from portico.hosts import asgi, wsgi
from portico_client_runtime import Operation, SessionState
from portico_client_runtime.errors import ServerError
from requirements import requirement

pytestmark = pytest.mark.anyio
ORIGIN = "http://localhost:3000"
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
TICK = 0.01
FAST_CLOCK = ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


def name_of(state: SessionState[SessionData]) -> str | None:
    return None if state.data is None else state.data.user.name


def numbered() -> Iterator[httpx.Response]:
    """Return a session that belongs to `v0`, `v1` and so on."""
    return (reply(session_of(f"v{number}")) for number in count())


def numbering() -> httpx.MockTransport:
    answers = numbered()
    return httpx.MockTransport(lambda _: next(answers))


@requirement("S-225")
async def test_operations_of_the_client_show_in_the_states() -> None:
    steps: list[tuple[Operation[Any], dict[str, str]]] = [
        (SIGN_UP, ANN),
        (UPDATE_USER, {"name": "Bea"}),
        (SIGN_OUT, {}),
    ]
    seen: list[str | None] = []
    async with AsyncAcme(ORIGIN, transport=httpx.ASGITransport(app=asgi.app(plain()))) as client:
        with anyio.fail_after(5):
            async with client.session.watch() as states:
                async for state in states:
                    if state.is_pending or state.is_refetching:
                        continue
                    seen.append(name_of(state))
                    if not steps:
                        break
                    operation, body = steps.pop(0)
                    await client.send(operation, body=body)
    assert seen == [None, "Ann", "Bea", None]


@requirement("S-225")
async def test_states_come_once_and_begin_with_what_is_known() -> None:
    seen: list[SessionState[SessionData]] = []
    async with AsyncAcme(ORIGIN, transport=numbering()) as client:
        await client.session.get()
        with anyio.fail_after(5):
            async with client.session.watch() as states:
                async for state in states:
                    seen.append(state)
                    if name_of(state) == "v1" and not state.is_refetching:
                        break
                    if len(seen) == 1:
                        client.store.notify("$sessionSignal")
    # Whoever is slower than the server skips what lies between.
    assert [name_of(state) for state in seen if not state.is_refetching] == ["v0", "v1"]
    assert len(seen) == len({id(state) for state in seen})


@requirement("S-225")
@pytest.mark.parametrize("anyio_backend", [FAST_CLOCK], ids=["trio"])
async def test_polling_asks_as_long_as_somebody_is_signed_in_and_ends_with_the_block() -> None:
    server = Scripted(*(reply(answer) for answer in (session_of("v0"), session_of("v1"), None, session_of("v3"))))
    seen: list[tuple[float, str | None]] = []
    started = anyio.current_time()
    async with AsyncAcme(ORIGIN, transport=server.transport) as client:
        async with client.session.watch(poll_interval=60) as states:
            async for state in states:
                if not state.is_pending and not state.is_refetching:
                    seen.append((anyio.current_time() - started, name_of(state)))
                    if state.data is None:
                        break
            # Nobody is signed in any more.
            await anyio.sleep(3600)
            assert len(server.requests) == 3
            client.store.notify("session")
            async for state in states:
                if state.data is not None:
                    break
        await anyio.sleep(3600)
    assert [(round(seconds), name) for seconds, name in seen] == [(0, "v0"), (60, "v1"), (120, None)]
    assert len(server.requests) == 4


@requirement("S-225")
async def test_a_failure_is_a_state_and_the_next_signal_tries_again() -> None:
    server = Scripted(reply({}, 500), reply(session_of("v1")))
    errors: list[type | None] = []
    async with AsyncAcme(ORIGIN, transport=server.transport) as client:
        with anyio.fail_after(5):
            async with client.session.watch() as states:
                async for state in states:
                    if state.is_pending or state.is_refetching:
                        continue
                    errors.append(None if state.error is None else type(state.error))
                    if state.error is None:
                        break
                    client.store.notify("session")
    assert errors == [ServerError, None]


@requirement("S-225")
async def test_another_thread_wakes_a_watch() -> None:
    async with AsyncAcme(ORIGIN, transport=numbering()) as client:
        with anyio.fail_after(5):
            async with client.session.watch() as states:
                async for state in states:
                    if state.is_refetching or state.is_pending:
                        continue
                    if name_of(state) == "v3":
                        break
                    await to_thread.run_sync(client.store.notify, "session")


@requirement("S-225")
async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    async with AsyncAcme(ORIGIN, transport=numbering()) as client:
        with anyio.fail_after(5), pytest.raises(KeyError):
            async with client.session.watch():
                raise KeyError
        with anyio.fail_after(5), anyio.CancelScope() as scope:
            async with client.session.watch():
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught


@requirement("S-225")
async def test_two_watches_of_one_client_see_the_same() -> None:
    seen: dict[int, list[str | None]] = {0: [], 1: []}
    async with AsyncAcme(ORIGIN, transport=numbering()) as client:
        ready = [anyio.Event(), anyio.Event()]

        async def follow(number: int) -> None:
            async with client.session.watch() as states:
                async for state in states:
                    if state.is_pending or state.is_refetching:
                        continue
                    seen[number].append(name_of(state))
                    ready[number].set()
                    if name_of(state) == "v1":
                        return

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow, 0)
                tasks.start_soon(follow, 1)
                for event in ready:
                    await event.wait()
                client.store.notify("session")
    assert seen == {0: ["v0", "v1"], 1: ["v0", "v1"]}


@requirement("S-225")
def test_the_sync_watch_fetches_when_it_is_asked_for_the_next_state() -> None:
    steps: list[tuple[Operation[Any], dict[str, str]]] = [
        (SIGN_UP, ANN),
        (UPDATE_USER, {"name": "Bea"}),
        (SIGN_OUT, {}),
    ]
    seen: list[str | None] = []
    with Acme(ORIGIN, transport=httpx.WSGITransport(app=wsgi.app(plain()))) as client, client.session.watch() as states:
        for state in states:
            seen.append(name_of(state))
            if not steps:
                break
            operation, body = steps.pop(0)
            client.send(operation, body=body)
    assert seen == [None, "Ann", "Bea", None]


@requirement("S-225")
def test_the_sync_watch_polls_and_is_woken_and_ended_by_other_threads() -> None:
    seen: list[str | None] = []
    second, third = Event(), Event()
    with Acme(ORIGIN, transport=numbering()) as client, ThreadPoolExecutor(1) as threads:
        watch = client.session.watch()

        def follow() -> None:
            for state in watch:
                seen.append(name_of(state))
                if len(seen) == 1:
                    second.set()
                if len(seen) == 2:
                    third.set()

        with watch:
            following = threads.submit(follow)
            assert second.wait(5)
            client.store.notify("session")
            assert third.wait(5)
        following.result(5)
        with client.session.watch(poll_interval=TICK) as states:
            assert [name_of(next(states)) for _ in range(3)] == ["v1", "v2", "v3"]
    assert seen == ["v0", "v1"]


@requirement("S-225")
def test_the_sync_watch_does_not_hurry_after_a_failure() -> None:
    server = Scripted(reply({}, 500), reply(session_of("v1")))
    with Acme(ORIGIN, transport=server.transport) as client, client.session.watch() as states:
        assert isinstance(next(states).error, ServerError)
        client.store.notify("session")
        assert name_of(next(states)) == "v1"
    assert len(server.requests) == 2


@requirement("S-225")
async def test_a_client_that_was_made_outside_of_an_event_loop_works_in_several() -> None:
    client = Face("async").open(transport=numbering())

    def run() -> str | None:
        async def look() -> str | None:
            client.store.notify("session")
            return name_of(await client.session.refetch())

        return anyio.run(look)

    assert [await to_thread.run_sync(run) for _ in range(2)] == ["v0", "v1"]
