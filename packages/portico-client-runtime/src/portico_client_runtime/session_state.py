"""What a client knows about its session: snapshots, and which of several replies counts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Generic

from typing_extensions import TypeVar

from portico_client_runtime.errors import AuthError, Unauthorized
from portico_client_runtime.signals import SESSION, Store

SessionT = TypeVar("SessionT", default=Any)

NEVER = -1


@dataclass(frozen=True, kw_only=True)
class SessionState(Generic[SessionT]):
    """A snapshot."""

    data: SessionT | None = None
    """The session and its user; None without a session, and before the first reply."""
    error: AuthError | None = None
    """What the last attempt ended in; `data` is then the last good value, except after a 401."""
    is_pending: bool = True
    """Nothing is known yet."""
    is_refetching: bool = False
    """The server is being asked."""


@dataclass(frozen=True)
class Question:
    """One request for the session, in the order in which they were begun."""

    number: int
    version: int
    """Of the signal, when it was begun."""


class SessionRecord(Generic[SessionT]):
    """The state of one client's session; any thread may use it.

    Of two replies, the one that was asked for later counts, whichever comes first.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._state: SessionState[SessionT] = SessionState()
        self.begun = 0
        """The number of the latest question."""
        self.settled = 0
        """The number of the latest question whose answer counted."""
        self._open = 0
        self._fresh_at = NEVER
        self._listeners: dict[object, Callable[[], object]] = {}

    @property
    def state(self) -> SessionState[SessionT]:
        """The snapshot of this moment."""
        return self._state

    @property
    def is_stale(self) -> bool:
        """Whether something has happened since the last good reply that may have changed the session."""
        return self._fresh_at != self._store.version(SESSION)

    def listen(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` after each change of the state, in the thread that made it; call the result to stop that."""
        key = object()
        with self._lock:
            self._listeners[key] = callback

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(key, None)

        return unsubscribe

    def begin(self) -> Question:
        """Note that the server is being asked."""
        version = self._store.version(SESSION)
        with self._lock:
            self.begun += 1
            self._open += 1
            question = Question(self.begun, version)
            listeners = self._become(replace(self._state, is_refetching=True))
        _tell(listeners)
        return question

    def answer(self, question: Question, data: SessionT | None, *, is_final: bool = True) -> None:
        """Note what the server said; what is not final is asked for again by whoever needs it."""
        with self._lock:
            self._open -= 1
            after = self._state
            if question.number > self.settled:
                self.settled = question.number
                self._fresh_at = question.version if is_final else NEVER
                after = SessionState(data=data, is_pending=False)
            listeners = self._become(replace(after, is_refetching=self._open > 0))
        _tell(listeners)

    def fail(self, question: Question, error: AuthError) -> None:
        """Note that the server refused or did not answer: a 401 ends the session, others keep the last value."""
        with self._lock:
            self._open -= 1
            after = self._state
            if question.number > self.settled:
                self.settled = question.number
                is_over = isinstance(error, Unauthorized)
                self._fresh_at = question.version if is_over else NEVER
                after = SessionState(data=None if is_over else after.data, error=error, is_pending=False)
            listeners = self._become(replace(after, is_refetching=self._open > 0))
        _tell(listeners)

    def abandon(self, question: Question) -> None:
        """Note that nobody waits for the answer any more."""
        with self._lock:
            self._open -= 1
            listeners = self._become(replace(self._state, is_refetching=self._open > 0))
        _tell(listeners)

    def _become(self, state: SessionState[SessionT]) -> list[Callable[[], object]]:
        if state == self._state:
            return []
        if state.data == self._state.data:
            # Who compares by identity sees that nothing has changed.
            state = replace(state, data=self._state.data)
        self._state = state
        return [*self._listeners.values()]


def _tell(listeners: list[Callable[[], object]]) -> None:
    for listener in listeners:
        listener()
