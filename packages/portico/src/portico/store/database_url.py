"""Database URLs: which driver they mean, and what they tell it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from portico.errors import ConfigError
from portico.store.executors.executor import Executor

ADVICE: Final = (
    'write "sqlite:///auth.db" for a file in the working directory, "postgresql://user:password@host/name", '
    '"mysql://user:password@host/name", or pass an Adapter such as MemoryStore()'
)
POOL_SIZE: Final = 10
PATIENCE: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Driver:
    """What serves one kind of database."""

    module: str
    """The package to install; also its name when imported."""
    extra: str
    """The extra of portico that brings it."""
    make: Callable[["DatabaseUrl"], Executor]


class DatabaseUrl:
    """A URL taken apart. No message repeats it, because it may hold a password.

    Two parameters are ours on every server: `pool_size`, connections at most (10), and `pool_timeout`, seconds to wait
    for a free one (10). Others are the driver's.
    """

    def __init__(self, url: str) -> None:
        scheme, separator, self.rest = url.partition("://")
        if not separator:
            raise ConfigError(f"database= is no URL: {ADVICE}")
        self.kind, _, self.driver = scheme.lower().partition("+")
        self._url = url
        self._parameters = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))

    def number(self, name: str, default: float) -> float:
        """Return a parameter of ours and take it out of the URL."""
        text = self._parameters.pop(name, None)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if value < 0:
            raise ConfigError(f"the parameter {name} of database= is a number of at least 0: {ADVICE}")
        return value

    def without_ours(self, scheme: str) -> str:
        """Return the URL with the parameters that are left."""
        parts = urlsplit(self._url)
        return parts._replace(scheme=scheme, query=urlencode(self._parameters)).geturl()

    def settings(self) -> Mapping[str, Any]:
        """Return host, port, user, password and database name, as far as they are given."""
        parts = urlsplit(self._url)
        given = {
            "host": parts.hostname,
            "port": parts.port,
            "user": parts.username and unquote(parts.username),
            "password": parts.password and unquote(parts.password),
            "database": unquote(parts.path.lstrip("/")) or None,
        }
        return {**{name: value for name, value in given.items() if value is not None}, **self._parameters}


def executor_of(url: str) -> Executor:
    """Return the executor that a URL means, without opening anything.

    Raises:
        ConfigError: nothing here serves such a URL, or its driver is not installed.
    """
    parsed = DatabaseUrl(url)
    name = ALIASES.get(parsed.kind, parsed.kind)
    if name not in DRIVERS:
        raise ConfigError(f"database= has the unknown scheme {parsed.kind.partition(':')[0]!r}: {ADVICE}")
    driver = DRIVERS[name]
    if parsed.driver and parsed.driver != driver.module:
        raise ConfigError(
            f"database= names the driver {parsed.driver}; {name} is served by {driver.module}. Leave it out: {ADVICE}"
        )
    for module, extra in (("sqlalchemy", ""), (driver.module, driver.extra)):
        if find_spec(module) is None:
            wanted = f"'portico[{extra}]'" if extra else module
            raise ConfigError(f"a {name} database needs {module}: pip install {wanted}")
    return driver.make(parsed)


def _sqlite(url: DatabaseUrl) -> Executor:
    from portico.store.executors.sqlite import SqliteExecutor  # noqa: PLC0415  # who names a database imports its driver

    if url.rest in {"", "/", "/:memory:"}:
        return SqliteExecutor(":memory:")
    if not url.rest.startswith("/") or "?" in url.rest:
        raise ConfigError(f"an SQLite URL has three slashes, then the path, and no parameters: {ADVICE}")
    return SqliteExecutor(url.rest[1:])


def _postgres(url: DatabaseUrl) -> Executor:
    from portico.store.executors.postgres import PostgresExecutor  # noqa: PLC0415

    size, patience = int(url.number("pool_size", POOL_SIZE)), url.number("pool_timeout", PATIENCE)
    cache = int(url.number("statement_cache_size", 512))
    return PostgresExecutor(
        url.without_ours("postgresql"), pool_size=size, patience=patience, statement_cache_size=cache
    )


def _mysql(url: DatabaseUrl) -> Executor:
    from portico.store.executors.mysql import MysqlExecutor  # noqa: PLC0415

    size, patience = int(url.number("pool_size", POOL_SIZE)), url.number("pool_timeout", PATIENCE)
    return MysqlExecutor(url.settings(), pool_size=size, patience=patience)


ALIASES: Final = {"postgres": "postgresql", "mariadb": "mysql"}
DRIVERS: Final[Mapping[str, Driver]] = {
    "sqlite": Driver(module="sqlite3", extra="", make=_sqlite),
    "postgresql": Driver(module="asyncpg", extra="postgresql", make=_postgres),
    "mysql": Driver(module="asyncmy", extra="mysql", make=_mysql),
}
