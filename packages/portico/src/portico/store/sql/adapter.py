"""The store over an SQL database: compiled statements run by an executor."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portico.errors import ConfigError
from portico.schema import Record, Table
from portico.store import migrate
from portico.store.adapter import Join, Sort, Where
from portico.store.ddl.plan import Plan, plan_of
from portico.store.executors.executor import Executor

if TYPE_CHECKING:
    from portico.store.sql.statements import Statements


class SqlAdapter:
    """An Adapter over any Executor; SQLAlchemy, which compiles the SQL, is imported by the first call."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    @cached_property
    def _statements(self) -> "Statements":
        from portico.store.sql.statements import Statements  # noqa: PLC0415  # an Auth is built without SQLAlchemy

        return Statements(self.executor.dialect)

    async def create(self, table: Table[Any], record: Record) -> str:
        """Add a row and return its id."""
        statement = self._statements.insert(table, record)
        args = statement.args(changes=list(record.values()))
        if "id" not in record:
            return statement.decode((await self.executor.fetch(statement.sql, args))[0])
        await self.executor.run(statement.sql, args)
        made: str = record["id"]
        return made

    async def find_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Return the first row that matches."""
        statement = self._statements.first(table, where)
        rows = await self.executor.fetch(statement.sql, statement.args(where))
        return statement.decode(rows[0]) if rows else None

    async def find_joined(
        self, table: Table[Any], where: Sequence[Where], join: Join
    ) -> tuple[Record, Record | None] | None:
        """Return the first row that matches and the row it points to."""
        statement = self._statements.joined(table, where, join)
        rows = await self.executor.fetch(statement.sql, statement.args(where))
        return statement.decode(rows[0]) if rows else None

    async def find_many(
        self,
        table: Table[Any],
        where: Sequence[Where] = (),
        *,
        limit: int = 100,
        offset: int = 0,
        sort: Sort | None = None,
    ) -> list[Record]:
        """Return a page of the rows that match; NULL sorts before everything else."""
        statement = self._statements.page(table, where, sort)
        # A negative limit would be none at all to SQLite.
        args = statement.args(where, page=(max(limit, 0), max(offset, 0)))
        return [statement.decode(row) for row in await self.executor.fetch(statement.sql, args)]

    async def count(self, table: Table[Any], where: Sequence[Where] = ()) -> int:
        """Return how many rows match."""
        statement = self._statements.count(table, where)
        rows = await self.executor.fetch(statement.sql, statement.args(where))
        return statement.decode(rows[0])

    async def update(self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]) -> Record | None:
        """Change the first row that matches and return it as it is now."""
        return await self.increment_one(table, where, {}, values)

    async def update_many(self, table: Table[Any], where: Sequence[Where], values: Mapping[str, Any]) -> int:
        """Change every row that matches and return how many there were."""
        return await self._change_all(table, where, {}, values)

    async def delete(self, table: Table[Any], where: Sequence[Where]) -> bool:
        """Delete the first row that matches and tell whether there was one."""
        return await self.consume_one(table, where) is not None

    async def delete_many(self, table: Table[Any], where: Sequence[Where]) -> int:
        """Delete every row that matches and return how many there were."""
        statement = self._statements.delete(table, where, first=False)
        return await self.executor.run(statement.sql, statement.args(where))

    async def consume_one(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Delete the first row that matches and return it: of many callers at once, one gets it."""
        if not self._statements.returns_rows:
            async with self.transaction() as held:
                found = await held._hold(table, where)
                taken = found and await held.delete_many(table, [Where("id", found["id"])])
                return found if taken else None
        statement = self._statements.delete(table, where, first=True)
        rows = await self.executor.fetch(statement.sql, statement.args(where))
        return statement.decode(rows[0]) if rows else None

    async def increment_one(
        self,
        table: Table[Any],
        where: Sequence[Where],
        deltas: Mapping[str, int],
        values: Mapping[str, Any] | None = None,
    ) -> Record | None:
        """Add `deltas` to the first row that matches, set `values`, and return it as it is now; NULL counts as 0."""
        values = values or {}
        if not deltas and not values:
            return await self.find_one(table, where)
        if not self._statements.returns_rows:
            async with self.transaction() as held:
                found = await held._hold(table, where)
                if found is None:
                    return None
                await held._change_all(table, [Where("id", found["id"])], deltas, values)
                return await held.find_one(table, [Where("id", values.get("id", found["id"]))])
        statement = self._statements.update(table, where, deltas, values, first=True)
        args = statement.args(where, changes=[*deltas.values(), *values.values()])
        rows = await self.executor.fetch(statement.sql, args)
        return statement.decode(rows[0]) if rows else None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["SqlAdapter", None]:
        """Return a store whose writes are kept together; its own transactions are savepoints."""
        async with self.executor.transaction() as executor:
            inside = SqlAdapter(executor)
            inside._statements = self._statements
            yield inside

    def on(self, connection: Any) -> "SqlAdapter":
        """Return the store on a connection of the application, inside the transaction that is open there.

        Raises:
            ConfigError: this database has no connections that an application could have.
        """
        joined = getattr(self.executor, "on", None)
        if joined is None:
            raise ConfigError(
                "this database is reached by one thread of ours alone, so no connection can be joined: pass a "
                "SQLAlchemy AsyncEngine or a databases.Database as database="
            )
        inside = SqlAdapter(joined(connection))
        inside._statements = self._statements
        return inside

    async def missing(self, tables: Sequence[Table[Any]]) -> Sequence[str]:
        """Return the tables and columns that the database lacks."""
        return await migrate.missing(self.executor, tables)

    async def create_schema(self, tables: Sequence[Table[Any]]) -> Sequence[str]:
        """Create the tables, columns and indexes that the database lacks."""
        return await migrate.create_schema(self.executor, tables)

    async def plan(self, tables: Sequence[Table[Any]]) -> Plan:
        """Return what `create_schema` would do, or why it would do nothing."""
        return await plan_of(self.executor, tables)

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self.executor.close()

    async def _change_all(
        self, table: Table[Any], where: Sequence[Where], deltas: Mapping[str, int], values: Mapping[str, Any]
    ) -> int:
        if not deltas and not values:
            return await self.count(table, where)
        statement = self._statements.update(table, where, deltas, values, first=False)
        args = statement.args(where, changes=[*deltas.values(), *values.values()])
        return await self.executor.run(statement.sql, args)

    async def _hold(self, table: Table[Any], where: Sequence[Where]) -> Record | None:
        """Return the first row that matches and keep it from others until the transaction ends."""
        statement = self._statements.first(table, where, locked=True)
        rows = await self.executor.fetch(statement.sql, statement.args(where))
        return statement.decode(rows[0]) if rows else None
