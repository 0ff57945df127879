"""Threads that hash passwords and give way to those that serve requests."""

import os
import sys
import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from portico.handback import Inbox, Reply, running_loop

FoundT = TypeVar("FoundT")
Jobs = SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...], Reply[Any]] | None]

NICENESS = 10
"""How far the threads give way, as of nice(1): a hash takes a core for 20 ms, a request for a hundredth of that."""


class HashThreads:
    """Runs functions in threads of its own, at most `count` at once; they start on first use.

    They are not anyio's worker threads, because a thread that has lowered its priority cannot raise it again.
    """

    def __init__(self, count: int | None = None) -> None:
        """Run `count` functions at once; one for each core that this process may use, if not given."""
        self._count = count or usable_cores()
        self._lock = threading.Lock()
        self._open()

    async def run(self, function: Callable[..., FoundT], *arguments: Any) -> FoundT:
        """Call `function` in a thread and return its result; a cancelled call that has not begun is dropped."""
        reply: Reply[FoundT] = Reply(Inbox(running_loop()))
        self._start_one()
        self._jobs.put((function, arguments, reply))
        return await reply.answer()

    def _open(self) -> None:
        self._jobs: Jobs = SimpleQueue()
        self._process, self._started = os.getpid(), 0
        weakref.finalize(self, _end, self._jobs, self._count)

    def _start_one(self) -> None:
        with self._lock:
            if self._process != os.getpid():
                # Threads stay behind when a process forks.
                self._open()
            if self._started < self._count:
                self._started += 1
                threading.Thread(target=_work, args=(self._jobs,), name="portico-hash", daemon=True).start()


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _work(jobs: Jobs) -> None:
    if sys.platform == "linux":
        # Elsewhere a thread has no priority of its own.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    while (job := jobs.get()) is not None:
        function, arguments, reply = job
        if reply.withdrawn:
            continue
        try:
            reply.give(function(*arguments))
        except BaseException as error:  # noqa: BLE001  # raised where the answer is awaited
            reply.fail(error)


def _end(jobs: Jobs, count: int) -> None:
    for _ in range(count):
        jobs.put(None)
