"""SQLite through the standard library: look-ups in the event loop, everything else in one thread."""

import os
import sqlite3
import weakref
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from portico.handback import Inbox, running_loop
from portico.store.executors.executor import Args, transaction_over
from portico.store.executors.sqlite_connection import Database, explained, is_busy
from portico.store.executors.sqlite_writer import Job, Turn, Writer

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

AnswerT = TypeVar("AnswerT")
Rows = Sequence[Sequence[Any]]
Readers = dict[tuple[int, int], sqlite3.Connection]

PATIENCE = 5.0
KNOWN_STATEMENTS = 2048


class SqliteExecutor:
    """An Executor over a file, or over `:memory:`.

    Rows found through an index are read in the event loop: that costs less than a thread would. Scans and all writes
    go to one thread, and so do all reads if the database cannot be switched to WAL. It serves asyncio and trio, and
    several event loops at once; nothing is opened before the first use.

    A single write whose task is cancelled happens whole or not at all; only a transaction is taken back.
    """

    def __init__(self, path: str, *, patience: float = PATIENCE) -> None:
        """Take the path of the file; `patience` is how many seconds to wait for other processes.

        A transaction that does nothing for as long is rolled back.
        """
        self._patience = patience
        self._database = Database(path, patience)
        self._writer = Writer(self._database)
        # By process and thread: a forked process or another event loop must not use the same one.
        self._readers: Readers = {}
        self._is_look_up: dict[str, bool] = {}
        self._inbox: Inbox | None = None
        self._dialect: Dialect | None = None
        weakref.finalize(self, _let_go, self._writer, self._readers)

    @property
    def dialect(self) -> "Dialect":
        """Return what SQLAlchemy compiles for."""
        if self._dialect is not None:
            return self._dialect
        from sqlalchemy.dialects.sqlite.pysqlite import dialect  # noqa: PLC0415  # an Auth is built without SQLAlchemy

        self._dialect = dialect(paramstyle="qmark")
        return self._dialect

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        is_look_up = self._is_look_up.get(sql)
        if self._database.reads_beside and is_look_up is not False:
            try:
                reader = self._readers.get((os.getpid(), get_ident())) or self._open_reader()
                if is_look_up or self._learn(reader, sql, args):
                    return reader.execute(sql, args).fetchall()
            except sqlite3.Error as error:
                # Readers wait only in the moments when the log is recovered or removed: in the thread, then.
                if not is_busy(error):
                    raise explained(error) from error
        return await self.ask(lambda connection: connection.execute(sql, args).fetchall())

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        return await self.ask(lambda connection: connection.execute(sql, args).rowcount)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["SqliteTransaction", None]:
        """Return an executor whose writes are kept together."""
        turn = Turn(self._inbox_here(), self._patience)
        inside = SqliteTransaction(turn, self.dialect)
        self._writer.put(turn)
        try:
            await turn.answer()
            yield inside
        except BaseException as error:
            inside.has_ended = True
            rollback = turn.end("ROLLBACK")
            # A coroutine that is thrown away cannot wait, and before the answer there is nothing to wait for.
            if turn.has_arrived and not isinstance(error, GeneratorExit):
                await rollback.finish()
            raise
        inside.has_ended = True
        await turn.end("COMMIT").answer_in_any_case()

    async def close(self) -> None:
        """End the thread and close the connections; no other task may be using them."""
        self._database.reads_beside = False
        last: Job[None] = Job(self._inbox_here(), sqlite3.Connection.close)
        if _let_go(self._writer, self._readers, last):
            await last.finish()

    async def ask(self, work: Callable[[sqlite3.Connection], AnswerT]) -> AnswerT:
        """Return what `work` returns when it is called with the connection, in the thread that owns it."""
        job = Job(self._inbox_here(), work)
        self._writer.put(job)
        return await job.answer()

    def _inbox_here(self) -> Inbox:
        loop = running_loop()
        inbox = self._inbox
        if inbox is None or inbox.loop is not loop:
            inbox = self._inbox = Inbox(loop)
        return inbox

    def _open_reader(self) -> sqlite3.Connection:
        reader = self._database.open_reader()
        self._readers[os.getpid(), get_ident()] = reader
        return reader

    def _learn(self, reader: sqlite3.Connection, sql: str, args: Args) -> bool:
        """Find out once per statement whether it reads no more rows than an index leads to."""
        if len(self._is_look_up) >= KNOWN_STATEMENTS:
            self._is_look_up.clear()
        is_look_up = sql.startswith("SELECT") and not any(
            detail.startswith("SCAN") for *_, detail in reader.execute(f"EXPLAIN QUERY PLAN {sql}", args)
        )
        self._is_look_up[sql] = is_look_up
        return is_look_up


class SqliteTransaction:
    """The Executor inside a transaction or one of its savepoints."""

    def __init__(self, turn: Turn, dialect: "Dialect", depth: int = 0) -> None:
        self.dialect = dialect
        self.has_ended = False
        self._turn = turn
        self._depth = depth

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        return await self._ask(lambda connection: connection.execute(sql, args).fetchall())

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        return await self._ask(lambda connection: connection.execute(sql, args).rowcount)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["SqliteTransaction", None]:
        """Return an executor for a savepoint."""
        inside = SqliteTransaction(self._turn, self.dialect, self._depth + 1)
        name = f"depth_{inside._depth}"
        try:
            await self.run(f"SAVEPOINT {name}")
            yield inside
        except BaseException as error:
            inside.has_ended = True
            back = self._turn.ask(lambda connection: _take_back(connection, name))
            if not isinstance(error, GeneratorExit):
                await back.finish()
            raise
        inside.has_ended = True
        await self._turn.ask(lambda connection: connection.execute(f"RELEASE {name}").rowcount).answer_in_any_case()

    async def close(self) -> None:
        """Do nothing: the transaction ends with its block."""

    async def _ask(self, work: Callable[[sqlite3.Connection], AnswerT]) -> AnswerT:
        if self.has_ended:
            raise transaction_over()
        return await self._turn.ask(work).answer()


def _take_back(connection: sqlite3.Connection, savepoint: str) -> None:
    connection.execute(f"ROLLBACK TO {savepoint}")
    connection.execute(f"RELEASE {savepoint}")


def _let_go(writer: Writer, readers: Readers, last: Job[None] | None = None) -> bool:
    # Readers first: the last connection to close empties the log.
    for (process, _), reader in readers.items():
        if process == os.getpid():
            reader.close()
    readers.clear()
    return writer.stop(last)
