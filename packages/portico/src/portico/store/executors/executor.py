"""What the SQL adapter needs of a driver."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from portico.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

Args = Sequence[Any]
"""Values of a statement in the order of its placeholders, encoded for the database."""


class Executor(Protocol):
    """A driver: runs compiled SQL and knows nothing of tables and rows.

    Every method raises NotUniqueError when a unique column holds the value already, StoreBusyError when the database
    was locked for too long, and UnstorableError when a value points to a row that does not exist.
    """

    @property
    def dialect(self) -> "Dialect":
        """Return what SQLAlchemy compiles for; the placeholders must be positional."""
        ...

    async def fetch(self, sql: str, args: Args = ()) -> Sequence[Sequence[Any]]:
        """Return the rows of a SELECT or of a RETURNING clause, as tuples."""
        ...

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched: the true number, inside transactions too."""
        ...

    def transaction(self) -> AbstractAsyncContextManager["Executor"]:
        """Return an executor whose writes are committed at the end, or taken back after an exception.

        Its own transactions are savepoints.
        A task that is cancelled while its writes are being committed learns of the cancellation after the commit.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads; whoever uses the executor again opens them again."""
        ...


def transaction_over() -> ConfigError:
    """Return the refusal of a call on a transaction that has ended."""
    return ConfigError(
        "this transaction has ended: use the store that `transaction()` gives only inside its `async with`"
    )
