"""A JSON file that nobody else can read, and that threads and processes may share."""

import errno
import json
import os
import stat
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from portico_client_runtime.errors import StorageError
from portico_client_runtime.shapes import is_object

OTHERS = stat.S_IRWXG | stat.S_IRWXO

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        # It gives up after ten seconds.
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError as error:
                if error.errno != errno.EDEADLK:
                    raise
            else:
                return

    def _is_private(found: os.stat_result) -> bool:
        # A file under the user's profile inherits access rights that leave others out.
        return stat.S_ISREG(found.st_mode)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _is_private(found: os.stat_result) -> bool:
        return stat.S_ISREG(found.st_mode) and not found.st_mode & OTHERS and found.st_uid == os.geteuid()


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Keep other threads and processes out of what asks for the same file; it and its folder are made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


class PrivateFile:
    """A JSON object in a file of mode 0600.

    A missing folder is made with mode 0700. A file that others can read, or that belongs to someone else, is refused.
    A write replaces the file as a whole, so that a reader sees the old content or the new one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def read(self) -> dict[str, Any]:
        """Return what it holds; nothing if it is not there."""
        try:
            # A link could point at a file of somebody else's choice.
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return {}
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise StorageError(f"{self.path} is a link: name the file itself") from error
            raise StorageError(f"{self.path} cannot be read: {error.strerror}") from error
        if not _is_private(os.fstat(descriptor)):
            os.close(descriptor)
            raise StorageError(f"{self.path} is not a file of ours alone: run `chmod 600 {self.path}` as its owner")
        with os.fdopen(descriptor, "rb") as file:
            return self._parsed(file.read())

    @contextmanager
    def changing(self) -> Generator[dict[str, Any]]:
        """Yield what it holds, under a lock; what that has become in the end is written."""
        # A file of its own: the one with the credentials is replaced, and a lock on what was replaced holds nobody.
        with locked(self.path.with_name(f"{self.path.name}.lock")):
            content = self.read()
            before = deepcopy(content)
            yield content
            if content != before:
                self._write(content)

    def _parsed(self, text: bytes) -> dict[str, Any]:
        try:
            found: object = json.loads(text)
        except ValueError:
            found = None
        if not is_object(found):
            raise StorageError(f"{self.path} does not hold credentials: remove it, and sign in again")
        return found

    def _write(self, values: Mapping[str, Any]) -> None:
        try:
            self._replace(values)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error.strerror}") from error

    def _replace(self, values: Mapping[str, Any]) -> None:
        # mkstemp makes a file of mode 0600.
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(values, file)
                file.flush()
                os.fsync(descriptor)
            Path(temporary).replace(self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
