"""An event loop in a thread of its own, on which sync code runs async functions."""

import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar
from weakref import ref

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")
PATIENCE = 5
"""How long the end of the process waits for what is left to do, in seconds."""


class Closable(Protocol):
    """Lets go of what it holds."""

    async def close(self) -> None: ...


class LoopThread:
    """The thread; it starts with the first call and ends with the process."""

    def __init__(self, owner: "Closable") -> None:
        """Take whose thread it is: it is closed on this loop, where its connections live, before the process ends."""
        self._owner = ref(owner)
        self._lock = threading.Lock()
        self._portal: BlockingPortal | None = None
        self._process = 0

    def run(
        self,
        function: Callable[ParametersT, Coroutine[Any, Any, ResultT]],
        *args: ParametersT.args,
        **kwargs: ParametersT.kwargs,
    ) -> ResultT:
        """Call an async function and wait for its result."""
        result: ResultT = self._started().call(partial(function, *args, **kwargs))
        return result

    def _started(self) -> "BlockingPortal":
        with self._lock:
            # A thread stays behind when a process forks, as servers do after they loaded the application.
            if self._portal is None or self._process != os.getpid():
                self._portal, self._process = _start(self._owner), os.getpid()
            return self._portal


def _start(owner: "ref[Closable]") -> "BlockingPortal":
    # Most processes never call it, and importing it takes as long as importing the plugins.
    from anyio import run  # noqa: PLC0415
    from anyio.from_thread import BlockingPortal  # noqa: PLC0415

    # Not anyio's start_blocking_portal: a forked process that throws its generator away waits for ever for a thread
    # that only the parent has.
    started: Future[BlockingPortal] = Future()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    thread = threading.Thread(target=run, args=(serve,), name="portico-loop", daemon=True)
    thread.start()
    # While threads still run: a daemon thread that is cut off inside a driver may take the process with it.
    atexit.register(_end, started.result(), thread, os.getpid(), owner)
    return started.result()


def _end(portal: "BlockingPortal", thread: threading.Thread, process: int, owner: "ref[Closable]") -> None:
    if process != os.getpid():
        return
    owned = owner()
    if owned is not None:
        # A server that does not answer any more must not keep the process.
        with suppress(Exception):
            portal.start_task_soon(owned.close).result(PATIENCE)
    portal.start_task_soon(portal.stop, True)
    thread.join(PATIENCE)
