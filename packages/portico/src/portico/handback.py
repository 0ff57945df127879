"""Answers on their way from a thread to the task that waits for them, on whatever event loop it runs."""

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from anyio import CancelScope, Event, get_cancelled_exc_class
from anyio.lowlevel import current_token

AnswerT = TypeVar("AnswerT")


def running_loop() -> Any:
    """Return what stands for the event loop of this task: asyncio's loop or trio's token."""
    token: Any = current_token()
    return getattr(token, "native_token", token)


class Inbox:
    """The answers for one event loop; those that are ready together cost one wake-up."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self._wake: Callable[[Callable[[], None]], object] = (
            getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
        )
        self._arrived: deque[Event] = deque()
        self._woken = False

    def deliver(self, arrival: Event) -> None:
        """Set `arrival` in the event loop; call it from any thread."""
        self._arrived.append(arrival)
        if self._woken:
            return
        self._woken = True
        try:
            self._wake(self._open)
        except RuntimeError:
            # The loop has ended, and the tasks that waited with it.
            self._arrived.clear()
            self._woken = False

    def _open(self) -> None:
        self._woken = False
        while self._arrived:
            self._arrived.popleft().set()


class Reply(Generic[AnswerT]):
    """What a thread will answer to one task."""

    def __init__(self, inbox: Inbox) -> None:
        self.withdrawn = False
        """Nobody waits any more: work that has not begun need not begin."""
        self._inbox = inbox
        self._arrival = Event()
        self._answer: AnswerT | None = None
        self._error: BaseException | None = None

    @property
    def has_arrived(self) -> bool:
        return self._arrival.is_set()

    def give(self, answer: AnswerT) -> None:
        self._answer = answer
        self._inbox.deliver(self._arrival)

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._inbox.deliver(self._arrival)

    async def answer(self) -> AnswerT:
        """Wait; a cancelled task withdraws its question."""
        try:
            await self._arrival.wait()
        finally:
            self.withdrawn = True
        return self._taken()

    async def answer_in_any_case(self) -> AnswerT:
        """Wait to the end even if the task is cancelled, and pass the cancellation on afterwards."""
        interruption = await self._arrive()
        if interruption is not None:
            raise interruption
        return self._taken()

    async def finish(self) -> None:
        """Wait to the end even if the task is cancelled, whatever the answer; for cleaning up after an exception."""
        await self._arrive()

    async def _arrive(self) -> BaseException | None:
        interruption: BaseException | None = None
        with CancelScope(shield=True):
            while not self.has_arrived:
                try:
                    await self._arrival.wait()
                except get_cancelled_exc_class() as error:
                    # The shield stops anyio's cancellation; Task.cancel() of asyncio comes through.
                    interruption = error
        return interruption

    def _taken(self) -> AnswerT:
        if self._error is not None:
            raise self._error
        answer: Any = self._answer
        return answer  # type: ignore[no-any-return]  # given, or the error above was
