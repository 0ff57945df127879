"""Commands of many tasks in one message to Redis: who comes while a message is under way shares the next one."""

from typing import TYPE_CHECKING, Any

from anyio import Event, fail_after

from portico.store.executors.link import uninterrupted

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Asked:
    """One command, and the task that waits for its reply."""

    __slots__ = ("arguments", "is_to_send", "reply", "wake")

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.arguments = arguments
        self.wake = Event()
        """Set when there is a reply, or when this task is to send the next message."""
        self.is_to_send = False
        self.reply: Any = None
        """What Redis replied; an exception if it refused or could not be reached."""


class Batches:
    """The messages of one client. A task that has a command sends it, together with those that wait by then."""

    def __init__(self, client: "Redis", timeout: float) -> None:
        self._client: Any = client
        self._timeout = timeout
        self._waiting: list[Asked] = []
        self._is_under_way = False

    async def ask(self, *arguments: Any) -> Any:
        """Return the reply to one command.

        Raises:
            redis.exceptions.RedisError: Redis refused it or cannot be reached.
            TimeoutError: it did not reply in time, to this command or to those that this one waited for; the command
                may have been executed.
        """
        asked = Asked(arguments)
        self._waiting.append(asked)
        if self._is_under_way:
            await self._wait(asked)
        else:
            self._is_under_way = asked.is_to_send = True
        if asked.is_to_send:
            # Once begun it is finished: others wait for their replies in it.
            await uninterrupted(self._send())
        if isinstance(asked.reply, Exception):
            raise asked.reply
        return asked.reply

    async def _wait(self, asked: Asked) -> None:
        try:
            await asked.wake.wait()
        except BaseException:
            # A command that has not left yet need not leave.
            if asked in self._waiting:
                self._waiting.remove(asked)
            if asked.is_to_send:
                self._pass_on()
            raise

    async def _send(self) -> None:
        asked, self._waiting = self._waiting, []
        replies: list[Any]
        try:
            with fail_after(self._timeout):
                replies = await self._replies(asked)
        except TimeoutError as error:
            # Who has waited for this message would wait as long again for the next one.
            asked, self._waiting = [*asked, *self._waiting], []
            replies = [error] * len(asked)
        except Exception as error:  # noqa: BLE001  # whatever it is, it goes to everybody who waits
            replies = [error] * len(asked)
        for each, reply in zip(asked, replies, strict=True):
            each.reply = reply
            each.wake.set()
        self._pass_on()

    async def _replies(self, asked: list[Asked]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        try:
            for each in asked:
                pipeline.execute_command(*each.arguments)
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
            return replies
        finally:
            await pipeline.reset()

    def _pass_on(self) -> None:
        self._is_under_way = bool(self._waiting)
        if self._waiting:
            self._waiting[0].is_to_send = True
            self._waiting[0].wake.set()
