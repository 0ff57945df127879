"""Signals: counters that say how often something was made stale."""

from collections import defaultdict
from collections.abc import Callable
from threading import Lock

SESSION = "session"
"""What every operation bumps that changes who is signed in, or what is known about them."""


class Store:
    """The signals of one client; any thread may use it.

    Names are those of the operations, such as `session`; upstream's spelling `$sessionSignal` is the same name.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._versions: defaultdict[str, int] = defaultdict(int)
        self._listeners: dict[str, dict[object, Callable[[int], object]]] = {}

    def version(self, name: str) -> int:
        """Return how often `name` was notified."""
        with self._lock:
            return self._versions[_plain(name)]

    def notify(self, name: str) -> None:
        """Make what depends on `name` stale, and tell who listens, in the caller's thread."""
        name = _plain(name)
        with self._lock:
            self._versions[name] += 1
            version = self._versions[name]
            listeners = [*self._listeners.get(name, {}).values()]
        for listener in listeners:
            listener(version)

    def listen(self, name: str, callback: Callable[[int], object]) -> Callable[[], None]:
        """Call `callback` with the new count whenever `name` is notified; call what is returned to stop that."""
        name, key = _plain(name), object()
        with self._lock:
            self._listeners.setdefault(name, {})[key] = callback

        def unsubscribe() -> None:
            with self._lock:
                self._listeners[name].pop(key, None)

        return unsubscribe


def _plain(name: str) -> str:
    return name.removeprefix("$").removesuffix("Signal")
