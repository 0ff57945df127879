"""One connection to MySQL or MariaDB, whichever of asyncmy and aiomysql made it, and what its errors mean."""

import re
from typing import Any, Final

from portico.errors import ConfigError, NotUniqueError, StoreBusyError, UnstorableError
from portico.store.executors.executor import Args
from portico.store.executors.link import Rows

# Duplicate entry 'ann@example.com' for key 'user.email'; MariaDB leaves out the table.
TAKEN: Final = re.compile(r"'(?:[^']*\.)?([^'.]+)'$")
TABLE: Final = re.compile(r"(?:INSERT INTO|UPDATE) `?([^` ]+)", re.IGNORECASE)
MATCHED: Final = re.compile(rb"Rows matched: (\d+)")

# See "Server Error Message Reference" and "Client Error Message Reference" of MySQL; 4025 is MariaDB's.
DUPLICATE: Final = {1062, 1586}
UNSTORABLE: Final = {1048, 1264, 1265, 1292, 1366, 1406, 1411, 1451, 1452, 3140, 3141, 4025}
LACKING: Final = {1054, 1146}
REFUSED: Final = {1044, 1045, 1049, 1142, 1227}
SHUTTING_DOWN: Final = {1053, 1077, 1927, 2002, 2003, 2006, 2013, 2014}
BUSY: Final = {1040, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1290, 1317, 1836, *SHUTTING_DOWN}
PASSING: Final = (OSError, EOFError, TimeoutError)


class MysqlLink:
    """One connection."""

    aborts = False

    def __init__(self, connection: Any, failure: type[Exception], *, counts_changes: bool = False) -> None:
        """Take a connection and the base of its driver's errors.

        `counts_changes` says that it does not count rows which an update left as they were, as FOUND_ROWS would.
        """
        self._connection = connection
        self._failures = (failure, *PASSING)
        self._counts_changes = counts_changes
        self._is_waiting = False

    async def fetch(self, sql: str, args: Args = ()) -> Rows:
        """Return the rows of a SELECT or of a RETURNING clause."""
        _, rows = await self._ask(sql, args)
        return rows

    async def run(self, sql: str, args: Args = ()) -> int:
        """Return how many rows the statement matched."""
        count, _ = await self._ask(sql, args)
        return count

    def is_in_transaction(self) -> bool:
        """Tell whether a transaction is open."""
        return bool(self._connection.get_transaction_status())

    def is_whole(self) -> bool:
        """Tell whether every answer was read to its end."""
        return not self._is_waiting

    async def _ask(self, sql: str, args: Args) -> tuple[int, Rows]:
        self._is_waiting = True
        try:
            async with self._connection.cursor() as cursor:
                await cursor.execute(sql, args or None)
                answer = self._count_of(cursor), await cursor.fetchall()
        except self._failures as error:
            failure = explained(error, sql)
            # What the server refuses it has answered; anything else may have cut an answer short.
            self._is_waiting = isinstance(failure, StoreBusyError) or failure is error
            raise failure from error
        self._is_waiting = False
        return answer

    def _count_of(self, cursor: Any) -> int:
        # Only the text of the answer says how many rows matched.
        message: bytes = getattr(cursor._result, "message", None) or b"" if self._counts_changes else b""
        matched = MATCHED.search(message)
        return int(matched[1]) if matched else int(cursor.rowcount)


def explained(error: Exception, sql: str = "") -> Exception:
    """Return what the failure of the statement `sql` means to a store; or `error` itself."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in DUPLICATE:
        return _taken(str(error.args[1]), sql)
    if code in UNSTORABLE:
        return UnstorableError(f"the database cannot store a value: error {code}")
    if code in LACKING:
        return ConfigError(f"{error.args[1]}: the database lacks part of the schema; create the schema first")
    if code in REFUSED:
        return ConfigError(f"the database refuses us: {error.args[1]}")
    if code in BUSY or isinstance(error, PASSING) or type(error).__name__ == "InterfaceError":
        return StoreBusyError(f"the database is not available: {type(error).__name__} {code}")
    return error


def _taken(message: str, sql: str) -> NotUniqueError:
    table, index = TABLE.match(sql), TAKEN.search(message)
    name = table[1] if table else "row"
    if index is None:
        return NotUniqueError(name)
    if index[1] == "PRIMARY":
        return NotUniqueError(name, "id")
    # The index of a unique column has its name, unless the column was added later.
    return NotUniqueError(name, index[1].removeprefix(f"{name}_").removesuffix("_uidx"))
