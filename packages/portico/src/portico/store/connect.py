"""Turn what `Auth(database=...)` was given into a store."""

from importlib.util import find_spec

from portico.errors import ConfigError
from portico.store.adapter import Adapter, RowStore
from portico.store.memory import MemoryStore
from portico.store.sql.adapter import SqlAdapter

ADVICE = 'write "sqlite:///auth.db" for a file in the working directory, or pass an Adapter such as MemoryStore()'
SERVERS = frozenset({"postgresql", "postgres", "mysql", "mariadb", "mssql"})


def open_store(database: "str | Adapter | None") -> Adapter:
    """Return the store for a URL or an adapter, without opening anything; None is a new MemoryStore.

    URLs are `sqlite:///relative.db`, `sqlite:////absolute.db` and `sqlite://` for a database in memory.
    Raises ConfigError for what this version cannot serve; no message repeats a URL, which may hold a password.
    """
    if database is None:
        return MemoryStore()
    if isinstance(database, str):
        # A driver is imported by who names its database.
        from portico.store.executors.sqlite import SqliteExecutor  # noqa: PLC0415

        return SqlAdapter(SqliteExecutor(_sqlite_path(database)))
    lacking = [name for name in ADAPTER_METHODS if not callable(getattr(database, name, None))]
    if lacking or isinstance(database, type):
        got = f"the class {database.__name__}" if isinstance(database, type) else f"a {type(database).__name__}"
        problem = f" without {', '.join(lacking)}" if lacking else ""
        raise ConfigError(f"database= takes a URL or an Adapter, got {got}{problem}: {ADVICE}")
    return database


ADAPTER_METHODS = tuple(name for name in (*vars(RowStore), *vars(Adapter)) if not name.startswith("_"))


def _sqlite_path(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    driver = scheme.partition("+")[0].lower()
    if not separator:
        raise ConfigError(f"database= is no URL: {ADVICE}")
    if driver in SERVERS:
        raise ConfigError(f"this version serves SQLite and adapters, not {driver}: {ADVICE}")
    if scheme.lower() != "sqlite":
        raise ConfigError(f"database= has the unknown scheme {scheme.partition(':')[0]!r}: {ADVICE}")
    if find_spec("sqlalchemy") is None:
        raise ConfigError("a database needs SQLAlchemy: pip install sqlalchemy")
    if rest in {"", "/", "/:memory:"}:
        return ":memory:"
    if not rest.startswith("/") or "?" in rest:
        raise ConfigError(f"an SQLite URL has three slashes, then the path, and no parameters: {ADVICE}")
    return rest[1:]
