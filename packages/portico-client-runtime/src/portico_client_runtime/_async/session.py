"""The session of a client, fetched when it is needed and not known."""

from collections.abc import Awaitable, Callable
from typing import Generic

from portico_client_runtime.errors import AuthError
from portico_client_runtime.session_state import SessionRecord, SessionState, SessionT
from portico_client_runtime.signals import Store
from portico_client_runtime.waiting import AsyncLock
from portico_client_runtime.watching import AsyncWatch


class AsyncSessionStore(Generic[SessionT]):
    """Who is signed in. Operations that may change that make it stale; the next look fetches it."""

    def __init__(self, fetch: Callable[[], Awaitable[tuple[SessionT | None, bool]]], store: Store) -> None:
        """`fetch` returns the session and whether that is final."""
        self._fetch = fetch
        self._store = store
        self._record: SessionRecord[SessionT] = SessionRecord(store)
        self._lock = AsyncLock()

    @property
    def state(self) -> SessionState[SessionT]:
        """What is known at this moment; nothing is fetched."""
        return self._record.state

    @property
    def is_stale(self) -> bool:
        """Whether `get` would ask the server."""
        return self._record.is_stale

    async def get(self) -> SessionT | None:
        """Return the session and its user, or None; the server is asked only if that may have changed.

        Calls at the same time share one request.

        Raises:
            AuthError: The server was asked and refused or did not answer; `state.data` is the last good value.
        """
        if self.is_stale:
            begun = self._record.begun
            async with self._lock:
                # What was asked while this call waited answers it, even with a failure.
                if self._record.settled <= begun and self.is_stale:
                    await self.refetch()
        state = self.state
        if state.error is not None:
            # It may be raised many times, and each would add to its traceback.
            raise state.error.with_traceback(None)
        return state.data

    async def refetch(self) -> SessionState[SessionT]:
        """Ask the server, and return the state afterwards; a refusal is in its `error`."""
        question = self._record.begin()
        try:
            data, is_final = await self._fetch()
        except AuthError as error:
            self._record.fail(question, error)
        except BaseException:
            self._record.abandon(question)
            raise
        else:
            self._record.answer(question, data, is_final=is_final)
        return self.state

    def watch(self, *, poll_interval: float | None = None) -> AsyncWatch[SessionT]:
        """Follow the session: `async with client.session.watch() as states: async for state in states: ...`."""
        return AsyncWatch(self, self._record, self._store, poll_interval)
