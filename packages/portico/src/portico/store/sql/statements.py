"""SQL statements, compiled by SQLAlchemy once per shape."""

from collections.abc import Hashable, Mapping, Sequence
from threading import Lock
from typing import Any, Final

import sqlalchemy
from sqlalchemy.engine import Dialect

from portico.schema import Record, Table
from portico.store.adapter import Join, Sort, Where
from portico.store.codecs import encode_number
from portico.store.sql.conditions import shape_of
from portico.store.sql.draft import Draft, RowT, Statement, Values, clause_of
from portico.store.sql.idioms import idiom_of
from portico.store.where import field_of

SHAPES: Final = 512
"""Statements that are kept; the oldest goes first."""


class Statements:
    """The statements for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.idiom = idiom_of(dialect.name)
        self.returns_rows = dialect.update_returning and dialect.delete_returning
        """One statement can change a row and return it."""
        self._kept: dict[Hashable, Statement[Any]] = {}
        self._lock = Lock()

    def first(self, table: Table[Any], where: Sequence[Where], *, locked: bool = False) -> Statement[Record]:
        """Return the statement that reads the first row; `locked` keeps it from others until the transaction ends."""
        key = ("first", table, shape_of(where), locked)
        return self._kept.get(key) or self._keep(key, self._first(table, where, locked))

    def joined(self, table: Table[Any], where: Sequence[Where], join: Join) -> Statement[tuple[Record, Record | None]]:
        """Return the statement that reads the first row and the one it points to."""
        key = ("joined", table, shape_of(where), join)
        return self._kept.get(key) or self._keep(key, self._joined(table, where, join))

    def page(self, table: Table[Any], where: Sequence[Where], sort: Sort | None) -> Statement[Record]:
        """Return the statement that reads a page of rows."""
        key = ("page", table, shape_of(where), sort)
        return self._kept.get(key) or self._keep(key, self._page(table, where, sort))

    def count(self, table: Table[Any], where: Sequence[Where]) -> Statement[int]:
        """Return the statement that counts rows."""
        key = ("count", table, shape_of(where))
        return self._kept.get(key) or self._keep(key, self._count(table, where))

    def insert(self, table: Table[Any], record: Record) -> Statement[str]:
        """Return the statement that adds a row with the fields of `record`, and returns its id if that is not one."""
        key = ("insert", table, tuple(record))
        return self._kept.get(key) or self._keep(key, self._insert(table, record))

    def update(
        self,
        table: Table[Any],
        where: Sequence[Where],
        deltas: Mapping[str, int],
        values: Mapping[str, Any],
        *,
        first: bool,
    ) -> Statement[Record]:
        """Return the statement that adds `deltas` and sets `values`: in every row, or in the first and returns it."""
        key = ("update", table, shape_of(where), tuple(deltas), tuple(values), first)
        return self._kept.get(key) or self._keep(key, self._update(table, where, deltas, values, first))

    def delete(self, table: Table[Any], where: Sequence[Where], *, first: bool) -> Statement[Record]:
        """Return the statement that deletes: every row, or the first and returns it."""
        key = ("delete", table, shape_of(where), first)
        return self._kept.get(key) or self._keep(key, self._delete(table, where, first))

    def _keep(self, key: Hashable, statement: Statement[RowT]) -> Statement[RowT]:
        with self._lock:
            if len(self._kept) >= SHAPES:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = statement
        return statement

    def _first(self, table: Table[Any], where: Sequence[Where], locked: bool) -> Statement[Record]:
        draft = Draft(table, self.idiom)
        query = sqlalchemy.select(*draft.columns(table, draft.clause)).where(draft.condition(where))
        query = self.idiom.first(query)
        return draft.compiled(query.with_for_update() if locked else query, self.dialect, draft.decoder(table))

    def _joined(self, table: Table[Any], where: Sequence[Where], join: Join) -> Statement[tuple[Record, Record | None]]:
        draft = Draft(table, self.idiom)
        other = clause_of(join.table).alias("joined")
        match = (
            draft.clause.c[field_of(table, join.on).database_name]
            == other.c[field_of(join.table, join.to).database_name]
        )
        query = (
            sqlalchemy.select(*draft.columns(table, draft.clause), *draft.columns(join.table, other))
            .select_from(draft.clause.outerjoin(other, match))
            .where(draft.condition(where))
        )
        query = self.idiom.first(query)
        decode, decode_other = draft.decoder(table), draft.decoder(join.table)
        size = len(table.fields)
        id_of_other = size + list(join.table.fields).index("id")

        def decode_both(row: Values) -> tuple[Record, Record | None]:
            return decode(row), None if row[id_of_other] is None else decode_other(row[size:])

        return draft.compiled(query, self.dialect, decode_both)

    def _page(self, table: Table[Any], where: Sequence[Where], sort: Sort | None) -> Statement[Record]:
        draft = Draft(table, self.idiom)
        query = sqlalchemy.select(*draft.columns(table, draft.clause)).where(draft.condition(where))
        order = self.idiom.any_order
        if sort is not None:
            order = self.idiom.ordered(draft.clause.c[field_of(table, sort.field).database_name], sort)
        query = query.order_by(order)
        query = query.limit(draft.parameters.bind(encode_number)).offset(draft.parameters.bind(encode_number))
        return draft.compiled(query, self.dialect, draft.decoder(table))

    def _count(self, table: Table[Any], where: Sequence[Where]) -> Statement[int]:
        draft = Draft(table, self.idiom)
        query = sqlalchemy.select(sqlalchemy.func.count()).select_from(draft.clause).where(draft.condition(where))
        return draft.compiled(query, self.dialect, lambda row: int(row[0]))

    def _insert(self, table: Table[Any], record: Record) -> Statement[str]:
        draft = Draft(table, self.idiom)
        addition = draft.clause.insert().values(dict(draft.given(name) for name in record))
        if "id" not in record:
            addition = addition.returning(draft.clause.c.id)
        decode = self.idiom.codecs[table.fields["id"].kind].decode
        return draft.compiled(addition, self.dialect, lambda row: str(decode(row[0]) if decode else row[0]))

    def _update(
        self,
        table: Table[Any],
        where: Sequence[Where],
        deltas: Mapping[str, int],
        values: Mapping[str, Any],
        first: bool,
    ) -> Statement[Record]:
        draft = Draft(table, self.idiom)
        changes = dict([draft.added(name) for name in deltas] + [draft.given(name) for name in values])
        change = draft.clause.update().values(changes)
        if first:
            change = change.where(draft.is_first(where)).returning(*draft.columns(table, draft.clause))
        else:
            change = change.where(draft.condition(where))
        return draft.compiled(change, self.dialect, draft.decoder(table))

    def _delete(self, table: Table[Any], where: Sequence[Where], first: bool) -> Statement[Record]:
        draft = Draft(table, self.idiom)
        deletion = draft.clause.delete()
        if not first:
            return draft.compiled(deletion.where(draft.condition(where)), self.dialect, draft.decoder(table))
        taken = deletion.where(draft.is_first(where)).returning(*draft.columns(table, draft.clause))
        return draft.compiled(taken, self.dialect, draft.decoder(table))
