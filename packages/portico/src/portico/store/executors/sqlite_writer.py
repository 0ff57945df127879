"""The one thread that writes to an SQLite database, in the order in which it was asked."""

import sqlite3
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from portico.errors import PorticoError, StoreBusyError
from portico.handback import Inbox, Reply
from portico.store.executors.executor import transaction_over
from portico.store.executors.sqlite_connection import Database, explained

AnswerT = TypeVar("AnswerT")


class Job(Reply[AnswerT]):
    """Work for the thread that owns the connection, and its reply."""

    def __init__(self, inbox: Inbox, work: Callable[[sqlite3.Connection], AnswerT]) -> None:
        super().__init__(inbox)
        self._work = work

    def perform(self, connection: sqlite3.Connection) -> None:
        """Do the work, in the thread; what it raises belongs to the task that waits."""
        if self.withdrawn:
            return
        try:
            answer = self._work(connection)
        except Exception as error:  # noqa: BLE001  # a thread that dies of it would leave every task waiting
            self.fail(explained(error))
        else:
            self.give(answer)


Jobs = SimpleQueue[Job[Any] | None]


class Turn(Job[None]):
    """A transaction: from BEGIN to its end the thread serves nobody else."""

    def __init__(self, inbox: Inbox, patience: float) -> None:
        super().__init__(inbox, lambda connection: _execute(connection, "BEGIN IMMEDIATE"))
        self._inbox = inbox
        self._patience = patience
        self._jobs: Jobs = SimpleQueue()
        self._lock = Lock()
        self._refusal: Callable[[], PorticoError] | None = None

    def ask(self, work: Callable[[sqlite3.Connection], AnswerT]) -> Job[AnswerT]:
        """Ask for work inside the transaction."""
        job = Job(self._inbox, work)
        with self._lock:
            if self._refusal is None:
                self._jobs.put(job)
                return job
        job.fail(self._refusal())
        return job

    def end(self, sql: str) -> Job[None]:
        """Ask for the last statement, COMMIT or ROLLBACK; not waiting for it changes nothing."""
        job = self.ask(lambda connection: _execute(connection, sql))
        self._jobs.put(None)
        return job

    def perform(self, connection: sqlite3.Connection) -> None:
        super().perform(connection)
        refusal: Callable[[], PorticoError] = transaction_over
        try:
            # Not if BEGIN failed, or was not wanted any more.
            while connection.in_transaction and (job := self._jobs.get(timeout=self._patience)):
                job.perform(connection)
        except Empty:
            refusal = partial(
                StoreBusyError,
                f"a transaction that did nothing for {self._patience} seconds was rolled back, because others wait"
                " meanwhile: inside it, use only the store that `transaction()` gives, and wait for nothing slow",
            )
        finally:
            if connection.in_transaction:
                connection.rollback()
            self._refuse(refusal)

    def fail(self, error: BaseException) -> None:
        self._refuse(transaction_over)
        super().fail(error)

    def _refuse(self, refusal: Callable[[], PorticoError]) -> None:
        with self._lock:
            self._refusal = refusal
        while not self._jobs.empty():
            if job := self._jobs.get():
                job.fail(refusal())


class Writer:
    """The thread, started by the first job and again by the first one after `stop`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._thread: Thread | None = None
        self._jobs: Jobs = SimpleQueue()

    def put(self, job: Job[Any]) -> None:
        """Have the thread do `job` after all that wait already."""
        with self._lock:
            # A process that forked inherits this object but not the thread.
            if self._thread is None or not self._thread.is_alive():
                self._jobs = SimpleQueue()
                self._thread = Thread(
                    target=_serve, args=(self._database, self._jobs), name="portico-sqlite", daemon=True
                )
                self._thread.start()
            self._jobs.put(job)

    def stop(self, last: Job[None] | None = None) -> bool:
        """End the thread after the jobs that wait already and `last`; tell whether there is a thread to do it."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                return False
            if last is not None:
                self._jobs.put(last)
            self._jobs.put(None)
            self._thread = None
            return True


def _execute(connection: sqlite3.Connection, sql: str) -> None:
    connection.execute(sql)


def _serve(database: Database, jobs: Jobs) -> None:
    connection: sqlite3.Connection | None = None
    for job in iter(jobs.get, None):
        if connection is None:
            try:
                connection = database.open()
            except Exception as error:  # noqa: BLE001  # as in Job.perform; the next job tries again
                job.fail(explained(error))
                continue
        job.perform(connection)
    if connection is not None:
        connection.close()
