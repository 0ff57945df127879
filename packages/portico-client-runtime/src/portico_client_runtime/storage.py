"""Where a client keeps a credential."""

from typing import Protocol


class CredentialStorage(Protocol):
    """Keeps one text for each server; any thread may use it.

    `key` is the URL of the server. A method may block; an async client calls it in a worker thread.
    Raise `StorageError` for a place that is not safe or not readable.
    """

    def load(self, key: str) -> str | None:
        """Return what was saved."""
        ...

    def save(self, key: str, value: str) -> None:
        """Keep `value`, and forget what was kept for `key` before."""
        ...

    def delete(self, key: str) -> None:
        """Forget what was saved, if anything was."""
        ...


class MemoryStorage:
    """Keeps credentials until the process ends."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def load(self, key: str) -> str | None:
        """Return what was saved."""
        return self._values.get(key)

    def save(self, key: str, value: str) -> None:
        """Keep `value`."""
        self._values[key] = value

    def delete(self, key: str) -> None:
        """Forget what was saved."""
        self._values.pop(key, None)
