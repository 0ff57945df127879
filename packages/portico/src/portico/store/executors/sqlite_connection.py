"""Connections to one SQLite database, and what its errors mean."""

import os
import re
import sqlite3
import time
from pathlib import Path
from typing import Final

from portico.errors import ConfigError, NotUniqueError, StoreBusyError, UnstorableError

MEMORY: Final = ":memory:"
STATEMENTS: Final = 512
"""Compiled statements that each connection keeps."""

UNUSABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY}
TAKEN = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
UNSTORABLE = {
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "a column would point to a row that does not exist",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "a column that must have a value has none",
    # What SQLite says for `on delete restrict`.
    sqlite3.SQLITE_CONSTRAINT_TRIGGER: "another row points to this one and keeps it",
    sqlite3.SQLITE_TOOBIG: "a value is too long for the database",
}
NAMED = re.compile(r"failed: ([^.,]+)\.([^.,]+)$")


class Database:
    """Where the rows are; nothing is opened before `open`."""

    def __init__(self, path: str, patience: float) -> None:
        self._shown = path
        # Reading threads open it later than the writer does, perhaps from another working directory.
        self._path = path if path == MEMORY else str(Path(path).absolute())
        self._patience = patience
        self.reads_beside = False
        """Another connection may read while one writes: the database is in WAL mode."""

    def open(self) -> sqlite3.Connection:
        """Return the connection that writes; raise ConfigError if there can be none."""
        self._check_directory()
        try:
            connection = self._connect(self._patience)
            self.reads_beside = self._switch_to_wal(connection)
            connection.execute("PRAGMA synchronous=normal")
            connection.execute("PRAGMA foreign_keys=on")
        except sqlite3.DatabaseError as error:
            if _code(error) & 0xFF in UNUSABLE:
                raise ConfigError(f"cannot open the database {self._shown!r}: {error}") from error
            raise
        return connection

    def open_reader(self) -> sqlite3.Connection:
        """Return a connection that reads beside the writing one and waits for nobody."""
        connection = self._connect(0)
        connection.execute("PRAGMA query_only=on")
        return connection

    def _connect(self, patience: float) -> sqlite3.Connection:
        # Sets busy_timeout, before anything else is asked of the database.
        return sqlite3.connect(
            self._path,
            timeout=patience,
            isolation_level=None,
            cached_statements=STATEMENTS,
            check_same_thread=False,
        )

    def _check_directory(self) -> None:
        directory = Path(self._path).parent
        if self._path == MEMORY or os.access(directory, os.W_OK | os.X_OK):
            return
        problem = "is not writable" if directory.is_dir() else "does not exist"
        raise ConfigError(f"cannot open the database {self._shown!r}: the directory {problem}")

    def _switch_to_wal(self, connection: sqlite3.Connection) -> bool:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                mode = connection.execute("PRAGMA journal_mode=wal").fetchone()
            except sqlite3.OperationalError as error:
                # Two processes that open a new database at once: SQLite does not wait here, whatever its busy_timeout.
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return bool(mode == ("wal",))


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection stood in the way."""
    return _code(error) & 0xFF == sqlite3.SQLITE_BUSY


def explained(error: Exception) -> Exception:
    """Return what `error` means to a store, caused by it; or `error` itself."""
    meaning = _meaning(error) if isinstance(error, sqlite3.Error) else None
    if meaning is None:
        return error
    meaning.__cause__ = error
    return meaning


def _meaning(error: sqlite3.Error) -> Exception | None:
    code = _code(error)
    if code in TAKEN:
        named = NAMED.search(str(error))
        return NotUniqueError(*named.groups()) if named else NotUniqueError("row")
    if code in UNSTORABLE:
        return UnstorableError(UNSTORABLE[code])
    if is_busy(error):
        return StoreBusyError("another process has been writing to the database for too long")
    if str(error).startswith(("no such table", "no such column", "table ")):
        return ConfigError(f"{error}: the database lacks part of the schema; create the schema first")
    return None


def _code(error: sqlite3.Error) -> int:
    # Errors that the module raises itself, such as for a closed connection, carry no code.
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code
