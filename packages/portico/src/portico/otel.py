"""Spans of OpenTelemetry round calls, hooks, handlers and queries, under upstream's names.

Who traces is decided when an Auth is built: without it, nothing of this module is in the way of a call. Attributes are
names that the code declares, never values of a request; of what went wrong they have the code or the type, because a
message or a traceback may hold a secret.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, TypeVar

from opentelemetry.trace import (
    ProxyTracerProvider,
    Status,
    StatusCode,
    TracerProvider,
    get_tracer,
    get_tracer_provider,
)

from portico.endpoint import Endpoint
from portico.errors import ApiError
from portico.hooks import Hook
from portico.openapi.operations import operation_id
from portico.schema import Record, Table
from portico.store.adapter import Adapter, Join, Sort, Where
from portico.store.connect import joined
from portico.store.ddl.plan import Plan
from portico.store.hooks import DatabaseHook
from portico.store.migrate import planned

COLLECTION = "db.collection.name"
CONTEXT = "better_auth.context"
ERROR = "error.type"
HOOK = "better_auth.hook.type"
OPERATION = "better_auth.operation_id"
QUERY = "db.operation.name"
ROUTE = "http.route"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
ResultT = TypeVar("ResultT")


class Tracing:
    """Makes the spans of one Auth."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self.is_heard = provider is not None
        """Whether spans reach anybody. Until an SDK is set up the global provider is a proxy: they only cost time."""
        self._tracer = get_tracer("portico", version("portico"), provider)

    def listens(self) -> bool:
        """Tell whether spans reach anybody by now; asked once for each call."""
        if not self.is_heard:
            # A provider that was set up stays.
            self.is_heard = not isinstance(get_tracer_provider(), ProxyTracerProvider)
        return self.is_heard

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, str]) -> Generator[None]:
        """Record what happens in the block, and whether it failed."""
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                refusal = error.error if isinstance(error, ApiError) else None
                kind = (refusal and (refusal.code or str(refusal.status))) or type(error).__name__
                span.set_attribute(ERROR, kind)
                span.set_status(Status(StatusCode.ERROR, kind))
                raise

    def store(self, store: Adapter) -> Adapter:
        """Return a store whose queries are spans."""
        # The store of another Auth, which traces it already.
        inner = store.store if isinstance(store, TracedStore) else store
        return TracedStore(inner, self)  # pyright: ignore[reportReturnType]  # an async def returns a Coroutine, and no more is promised

    def call(self, endpoint: Endpoint, method: str, work: Coroutine[Any, Any, ResultT]) -> Coroutine[Any, Any, ResultT]:
        """Return a call with its hooks, in a span."""
        if not self.listens():
            return work
        route, operation = _route(endpoint), _operation(endpoint)
        return self.inside(f"{method} {route}", {ROUTE: route, OPERATION: operation}, work)

    def handler(self, endpoint: Endpoint, run: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        """Return the handler of an endpoint, in a span."""
        route = _route(endpoint)
        return self._traced(f"handler {route}", {ROUTE: route, OPERATION: _operation(endpoint)}, run)

    def hooks(self, endpoint: Endpoint, hooks: Sequence[Hook]) -> tuple[Hook, ...]:
        """Return hooks as they run at an endpoint, each in a span."""
        route, operation = _route(endpoint), _operation(endpoint)
        return tuple(
            replace(
                hook,
                run=self._traced(
                    f"middleware {route} {hook.source}"
                    if hook.stage == "middleware"
                    else f"hook {hook.stage} {route} {hook.source}",
                    {HOOK: hook.stage, ROUTE: route, CONTEXT: hook.source, OPERATION: operation},
                    hook.run,
                ),
            )
            for hook in hooks
        )

    def database_hook(self, hook: DatabaseHook) -> DatabaseHook:
        """Return a database hook, in a span."""
        kind = f"{hook.event}.{hook.stage}"
        attributes = {HOOK: kind, COLLECTION: hook.table, CONTEXT: hook.source}
        return replace(hook, run=self._traced(f"db {kind} {hook.table}", attributes, hook.run))

    def _traced(
        self, name: str, attributes: Mapping[str, str], run: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Any]:
        def traced(*args: Any, **inputs: Any) -> Any:
            work = run(*args, **inputs)
            return self.inside(name, attributes, work) if self.is_heard else work

        return traced

    async def inside(self, name: str, attributes: Mapping[str, str], work: Awaitable[ResultT]) -> ResultT:
        """Do `work` in a span."""
        with self.span(name, attributes):
            return await work


@dataclass(frozen=True)
class TracedStore:
    """A store whose queries are spans."""

    store: Adapter
    tracing: Tracing

    def create(self, table: Table[Any], record: Record) -> Coroutine[Any, Any, str]:
        """Add a row and return its id."""
        return self._query("create", table, self.store.create(table, record))

    def on(self, connection: Any) -> "TracedStore":
        """Return the store on a connection of the application.

        Raises:
            ConfigError: this database has none that could be joined.
        """
        return TracedStore(joined(self.store, connection), self.tracing)

    def find_one(self, table: Table[Any], where: Sequence[Where]) -> Coroutine[Any, Any, Record | None]:
        """Return the first row that matches."""
        return self._query("findOne", table, self.store.find_one(table, where))

    def find_joined(
        self, table: Table[Any], where: Sequence[Where], join: Join
    ) -> Coroutine[Any, Any, tuple[Record, Record | None] | None]:
        """Return the first row that matches and the row it points to."""
        return self._query("findOne", table, self.store.find_joined(table, where, join))

    def find_many(
        self,
        table: Table[Any],
        where: Sequence[Where] = (),
        *,
        limit: int = 100,
        offset: int = 0,
        sort: Sort | None = None,
    ) -> Coroutine[Any, Any, list[Record]]:
        """Return a page of the rows that match."""
        return self._query("findMany", table, self.store.find_many(table, where, limit=limit, offset=offset, sort=sort))

    def count(self, table: Table[Any], where: Sequence[Where] = ()) -> Coroutine[Any, Any, int]:
        """Return how many rows match."""
        return self._query("count", table, self.store.count(table, where))

    def update(
        self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]
    ) -> Coroutine[Any, Any, Record | None]:
        """Change the first row that matches and return it as it is now."""
        return self._query("update", table, self.store.update(table, where, values))

    def update_many(
        self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]
    ) -> Coroutine[Any, Any, int]:
        """Change every row that matches and return how many there were."""
        return self._query("updateMany", table, self.store.update_many(table, where, values))

    def delete(self, table: Table[Any], where: Sequence[Where]) -> Coroutine[Any, Any, bool]:
        """Delete the first row that matches and tell whether there was one."""
        return self._query("delete", table, self.store.delete(table, where))

    def delete_many(self, table: Table[Any], where: Sequence[Where]) -> Coroutine[Any, Any, int]:
        """Delete every row that matches and return how many there were."""
        return self._query("deleteMany", table, self.store.delete_many(table, where))

    def consume_one(self, table: Table[Any], where: Sequence[Where]) -> Coroutine[Any, Any, Record | None]:
        """Delete the first row that matches and return it."""
        return self._query("consumeOne", table, self.store.consume_one(table, where))

    def increment_one(
        self,
        table: Table[Any],
        where: Sequence[Where],
        deltas: Mapping[str, int],
        values: Mapping[str, Any] | None = None,
    ) -> Coroutine[Any, Any, Record | None]:
        """Add `deltas` to the first row that matches, set `values`, and return it as it is now."""
        return self._query("incrementOne", table, self.store.increment_one(table, where, deltas, values))

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["TracedStore", None]:
        """Return a store whose writes are kept together, traced as well."""
        async with self.store.transaction() as inside:
            yield TracedStore(inside, self.tracing)

    async def missing(self, tables: Sequence[Table[Any]]) -> Sequence[str]:
        """Return what the database lacks."""
        return await self.store.missing(tables)

    async def plan(self, tables: Sequence[Table[Any]]) -> Plan:
        """Return what `create_schema` would do."""
        return await planned(self.store, tables)

    async def create_schema(self, tables: Sequence[Table[Any]]) -> Sequence[str]:
        """Create what the database lacks."""
        return await self.store.create_schema(tables)

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self.store.close()

    def _query(
        self, operation: str, table: Table[Any], work: Coroutine[Any, Any, ResultT]
    ) -> Coroutine[Any, Any, ResultT]:
        if not self.tracing.is_heard:
            return work
        attributes = {QUERY: operation, COLLECTION: table.name}
        return self.tracing.inside(f"db {operation} {table.name}", attributes, work)


def _route(endpoint: Endpoint) -> str:
    """Return the canonical path, with placeholders as upstream writes them."""
    return PLACEHOLDER.sub(r":\1", endpoint.path)


def _operation(endpoint: Endpoint) -> str:
    return operation_id(endpoint, endpoint.routes[0])
