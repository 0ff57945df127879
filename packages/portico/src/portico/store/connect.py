"""Turn what `Auth(database=...)` was given into a store."""

from typing import TYPE_CHECKING, Any

from portico.errors import ConfigError
from portico.store.adapter import Adapter, RowStore
from portico.store.database_url import ADVICE, executor_of
from portico.store.executors.executor import Executor
from portico.store.memory import MemoryStore
from portico.store.sql.adapter import SqlAdapter

if TYPE_CHECKING:
    from databases import Database
    from sqlalchemy.ext.asyncio import AsyncEngine


def open_store(database: "str | Adapter | AsyncEngine | Database | None") -> Adapter:
    """Return the store that `Auth(database=...)` means, without opening anything; None is a new MemoryStore.

    URLs are `sqlite:///relative.db`, `sqlite:////absolute.db` and `sqlite://` for a database in memory,
    `postgresql://user:password@host/name` and `mysql://user:password@host/name`; see `DatabaseUrl` for parameters.
    Raises ConfigError for what this version cannot serve; no message repeats a URL, which may hold a password.
    """
    if database is None:
        return MemoryStore()
    if isinstance(database, str):
        return SqlAdapter(executor_of(database))
    executor = _borrowing(database)
    if executor is not None:
        return SqlAdapter(executor)
    lacking = [name for name in ADAPTER_METHODS if not callable(getattr(database, name, None))]
    if lacking or isinstance(database, type):
        got = f"the class {database.__name__}" if isinstance(database, type) else f"a {type(database).__name__}"
        problem = f" without {', '.join(lacking)}" if lacking else ""
        raise ConfigError(
            f"database= takes a URL, an AsyncEngine, a databases.Database or an Adapter, got {got}{problem}: {ADVICE}"
        )
    adapter: Any = database
    return adapter  # type: ignore[no-any-return]  # it has every method of one


def joined(store: Adapter, connection: Any) -> Adapter:
    """Return the store on a connection of the application, inside the transaction that is open there.

    Raises:
        ConfigError: the store has none that could be joined.
    """
    join = getattr(store, "on", None)
    if join is None:
        raise ConfigError("a connection can be joined where database= is a server's URL, an AsyncEngine or a Database")
    on_connection: Adapter = join(connection)
    return on_connection


def dialect_in(store: Adapter) -> str | None:
    """Return what SQLAlchemy calls the kind of database that a store is over, if it is one, without opening it."""
    inner = getattr(store, "store", store)
    executor: Executor | None = getattr(inner, "executor", None)
    return None if executor is None else executor.dialect.name


def _borrowing(database: object) -> Executor | None:
    """Return the executor over connections of the application, if that is what was given."""
    # The application may have classes of its own that derive from them.
    packages = {each.__module__.partition(".")[0] for each in type(database).__mro__}
    if "sqlalchemy" in packages and hasattr(database, "sync_engine"):
        from portico.store.executors.engine import EngineExecutor  # noqa: PLC0415  # who has an engine has SQLAlchemy

        engine: Any = database
        return EngineExecutor(engine)
    if "databases" in packages and hasattr(database, "connection"):
        from portico.store.executors.databases import DatabasesExecutor  # noqa: PLC0415

        given: Any = database
        return DatabasesExecutor(given)
    return None


ADAPTER_METHODS = tuple(name for name in (*vars(RowStore), *vars(Adapter)) if not name.startswith("_"))
