"""Credentials in a file that nobody else can read."""

import os
from pathlib import Path

from portico_client_runtime.private_file import PrivateFile


class FileStorage:
    """Keeps credentials as JSON in a file of mode 0600; threads and processes may share it.

    A missing folder is made with mode 0700. A file that others can read, or that belongs to someone else, is refused.
    A write replaces the file as a whole, so that a reader sees the old content or the new one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = PrivateFile(path)

    @property
    def path(self) -> Path:
        """Where the file is, or will be."""
        return self._file.path

    def load(self, key: str) -> str | None:
        """Return what was saved."""
        found: object = self._file.read().get(key)
        return found if isinstance(found, str) else None

    def save(self, key: str, value: str) -> None:
        """Keep `value`."""
        with self._file.changing() as kept:
            kept[key] = value

    def delete(self, key: str) -> None:
        """Forget what was saved."""
        with self._file.changing() as kept:
            kept.pop(key, None)
