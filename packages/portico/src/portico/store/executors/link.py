"""One connection of a server's driver, and transactions on it; whatever has such connections is an Executor.

The drivers run on asyncio only, and so does this module.
"""

import asyncio  # noqa: TID251  # the drivers of servers know no other event loop
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from anyio import CancelScope

from portico.store.executors.dialects import dialect_of
from portico.store.executors.executor import Args, transaction_over

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

AnswerT = TypeVar("AnswerT")
Rows = Sequence[Sequence[Any]]


class Bounds(NamedTuple):
    """The statements that begin, keep and take back a transaction or a savepoint."""

    begin: str
    keep: str
    take_back: Sequence[str]


TRANSACTION: Final = Bounds("BEGIN", "COMMIT", ("ROLLBACK",))


def savepoint(name: str) -> Bounds:
    """Return the statements of the savepoint `name`."""
    release = f"RELEASE SAVEPOINT {name}"
    return Bounds(f"SAVEPOINT {name}", release, (f"ROLLBACK TO SAVEPOINT {name}", release))


class Link(Protocol):
    """One connection, whose failures are already told as an Executor tells them."""

    aborts: bool
    """A statement that fails spoils the transaction round it, as on PostgreSQL."""

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        ...

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        ...

    def is_in_transaction(self) -> bool:
        """Tell whether somebody has begun a transaction on this connection."""
        ...

    def is_whole(self) -> bool:
        """Tell whether the connection can be used again: it is there, and no answer is under way."""
        ...


class LinkExecutor:
    """An Executor that takes a connection for each statement, or for a transaction."""

    def __init__(self, kind: str) -> None:
        """Take what SQLAlchemy calls the database."""
        self._kind = kind
        self._dialect: Dialect | None = None

    @property
    def dialect(self) -> "Dialect":
        """Return what SQLAlchemy compiles for."""
        if self._dialect is None:
            self._dialect = dialect_of(self._kind)
        return self._dialect

    def link(self) -> AbstractAsyncContextManager[Link]:
        """Return a connection for the length of the block; after an exception it is not used again unless it is whole.

        Raises:
            StoreBusyError: there is none, and none became free in time.
        """
        raise NotImplementedError

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        async with self.link() as link:
            return await link.fetch(sql, args)

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        async with self.link() as link:
            return await link.run(sql, args)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["LinkTransaction", None]:
        """Return an executor whose writes are kept together; a savepoint if the connection is in a transaction."""
        async with self.link() as link:
            if link.is_in_transaction():
                async with LinkTransaction(link, self.dialect).transaction() as inside:
                    yield inside
                return
            async with _kept_together(link, self.dialect, TRANSACTION, 0) as inside:
                yield inside

    def on(self, connection: Any) -> "LinkExecutor":
        """Return an executor on a connection of the application, inside its transaction."""
        from portico.store.executors.joined import JoinedExecutor  # noqa: PLC0415  # which is a LinkExecutor

        return JoinedExecutor(connection, self._kind)

    async def close(self) -> None:
        """Let go of connections."""


class LinkTransaction:
    """The Executor inside a transaction or one of its savepoints."""

    def __init__(self, link: Link, dialect: "Dialect", depth: int = 0) -> None:
        self.dialect = dialect
        self.has_ended = False
        self._link = link
        self._depth = depth

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        self._check()
        if sql.startswith("SELECT") or not self._link.aborts:
            return await self._link.fetch(sql, args)
        async with self._guard():
            return await self._link.fetch(sql, args)

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        self._check()
        if not self._link.aborts:
            return await self._link.run(sql, args)
        async with self._guard():
            return await self._link.run(sql, args)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["LinkTransaction", None]:
        """Return an executor for a savepoint."""
        self._check()
        depth = self._depth + 1
        async with _kept_together(self._link, self.dialect, savepoint(f"depth_{depth}"), depth) as inside:
            yield inside

    async def close(self) -> None:
        """Do nothing: the transaction ends with its block."""

    def _check(self) -> None:
        if self.has_ended:
            raise transaction_over()

    @asynccontextmanager
    async def _guard(self) -> AsyncGenerator[None, None]:
        """Keep a refused write, such as one of a value that is taken, from spoiling the transaction."""
        bounds = savepoint(f"statement_{self._depth}")
        async with _kept_together(self._link, self.dialect, bounds, self._depth):
            yield


@asynccontextmanager
async def _kept_together(
    link: Link, dialect: "Dialect", bounds: Bounds, depth: int
) -> AsyncGenerator[LinkTransaction, None]:
    inside = LinkTransaction(link, dialect, depth)
    try:
        await link.run(bounds.begin)
        yield inside
    except BaseException as error:
        inside.has_ended = True
        # A coroutine that is thrown away cannot wait; whoever lent the connection ends what is open on it.
        if not isinstance(error, GeneratorExit):
            await _take_back(link, bounds)
        raise
    inside.has_ended = True
    await uninterrupted(link.run(bounds.keep))


async def _take_back(link: Link, bounds: Bounds) -> None:
    for statement in bounds.take_back:
        # If even that fails, the connection is lost and its transaction with it; the first failure is what counts.
        await settled(link.run(statement))


async def uninterrupted(work: Coroutine[Any, Any, AnswerT]) -> AnswerT:
    """Do `work` to its end even if the task is cancelled, and pass the cancellation on afterwards."""
    doing = asyncio.ensure_future(work)
    interruption = await _ended(doing)
    if interruption is not None:
        # Asked for, so that asyncio does not tell of a failure that nobody looked at.
        doing.exception()
        raise interruption
    return doing.result()


async def settled(work: Coroutine[Any, Any, object]) -> bool:
    """Do `work` to its end even if the task is cancelled, and tell whether it succeeded; for cleaning up."""
    doing = asyncio.ensure_future(work)
    await _ended(doing)
    return doing.exception() is None


async def _ended(doing: "asyncio.Task[Any]") -> BaseException | None:
    """Wait for the end of `doing`, and return what interrupted the wait."""
    try:
        await _end_of(doing)
    except asyncio.CancelledError as error:
        interruption: BaseException = error
    else:
        return None
    with CancelScope(shield=True):
        while not doing.done():
            try:
                await _end_of(doing)
            except asyncio.CancelledError as error:
                # The shield stops anyio's cancellation; Task.cancel() of asyncio comes through.
                interruption = error
    return interruption


def _end_of(doing: "asyncio.Task[Any]") -> "asyncio.Future[None]":
    """Return what is done when `doing` is; to be cancelled in its place. `asyncio.wait` takes four times as long."""
    end = doing.get_loop().create_future()

    def tell(_: object) -> None:
        if not end.done():
            end.set_result(None)

    doing.add_done_callback(tell)
    return end
