"""Following a session: what `client.session.watch()` returns in the async and in the sync client."""

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Generic, Protocol, Self

import anyio
from anyio.abc import TaskGroup

from portico_client_runtime.errors import AuthError
from portico_client_runtime.session_state import SessionRecord, SessionState, SessionT
from portico_client_runtime.signals import SESSION, Store
from portico_client_runtime.waiting import AsyncBell, Bell


class AsyncSource(Protocol[SessionT]):
    """The session store of an async client."""

    async def get(self) -> SessionT | None: ...
    async def refetch(self) -> SessionState[SessionT]: ...


class Source(Protocol[SessionT]):
    """The session store of a sync client."""

    def get(self) -> SessionT | None: ...
    def refetch(self) -> SessionState[SessionT]: ...


class AsyncWatch(Generic[SessionT]):
    """States of a session, each once; who is slow skips to the latest.

    Within the `async with` block one task asks the server whenever the session becomes stale, and after `poll_interval`
    seconds as long as somebody is signed in. It ends with the block.
    """

    def __init__(
        self,
        source: AsyncSource[SessionT],
        record: SessionRecord[SessionT],
        store: Store,
        poll_interval: float | None,
    ) -> None:
        self._source = source
        self._record = record
        self._store = store
        self._poll_interval = poll_interval
        self._seen: SessionState[SessionT] | None = None
        self._subscriptions: list[Callable[[], None]] = []
        self._tasks: TaskGroup
        self._changed: AsyncBell

    async def __aenter__(self) -> Self:
        signalled, self._changed = AsyncBell(), AsyncBell()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._subscriptions = [
            self._store.listen(SESSION, lambda _: signalled.ring()),
            self._record.listen(self._changed.ring),
        ]
        self._tasks.start_soon(self._follow, signalled)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._tasks.cancel_scope.cancel()
        if isinstance(error, anyio.get_cancelled_exc_class()):
            return await self._tasks.__aexit__(kind, error, traceback)
        # The group would wrap what the block raised in an ExceptionGroup; left alone, it goes on as it is.
        await self._tasks.__aexit__(None, None, None)
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionState[SessionT]:
        while self._record.state is self._seen:
            await self._changed.wait()
        self._seen = self._record.state
        return self._seen

    async def _follow(self, signalled: AsyncBell) -> None:
        # A failure is in the state, and the next signal or poll tries again.
        with suppress(AuthError):
            await self._source.get()
        while True:
            with anyio.move_on_after(self._poll_interval) as limit:
                await signalled.wait()
            if not limit.cancelled_caught:
                with suppress(AuthError):
                    await self._source.get()
            elif self._record.state.data is not None:
                await self._source.refetch()


class Watch(Generic[SessionT]):
    """States of a session, each once; the iterator blocks until there is another one.

    There is no thread behind it: `next()` itself asks the server when the session is stale, and after `poll_interval`
    seconds as long as somebody is signed in. Another thread's operations and `store.notify("session")` wake it; leaving
    the `with` block in another thread ends it.
    """

    def __init__(
        self, source: Source[SessionT], record: SessionRecord[SessionT], store: Store, poll_interval: float | None
    ) -> None:
        self._source = source
        self._record = record
        self._store = store
        self._poll_interval = poll_interval
        self._bell = Bell()
        self._is_due = True
        self._is_closed = False
        self._seen: SessionState[SessionT] | None = None
        self._subscriptions: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        self._subscriptions = [self._store.listen(SESSION, self._signalled), self._record.listen(self._bell.ring)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._is_closed = True
        self._bell.ring()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SessionState[SessionT]:
        while not self._is_closed:
            if self._is_due:
                self._is_due = False
                # A failure is in the state, and the next signal or poll tries again.
                with suppress(AuthError):
                    self._source.get()
            state = self._record.state
            if state is not self._seen and not state.is_refetching:
                self._seen = state
                return state
            if not self._bell.wait(self._poll_interval) and state.data is not None:
                self._source.refetch()
        raise StopIteration

    def _signalled(self, _: int) -> None:
        self._is_due = True
        self._bell.ring()
