"""What has expired and is still in the database: sessions, verifications, counts of rate limits, and plugins' rows."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from portico.context import Context
from portico.errors import ConfigError
from portico.rate_counts import RateLimitRow
from portico.store.adapter import Where
from portico.store.rows import Rows

KEPT = 3600
"""In seconds; counts are kept for this long at least, for processes whose clocks differ."""


class Expired(NamedTuple):
    """The rows of one table that nobody needs any more."""

    rows: Rows[Any]
    condition: Where


def expired(ctx: Context) -> Iterator[Expired]:
    """Yield what has expired, by table; tables that are not in the database have nothing."""
    auth = ctx.auth
    stored = {table.name for table in auth.database_tables}
    # Ended sessions that are kept as a record have expired, too.
    if "session" in stored and not auth.session_options.preserve_session_in_database:
        yield Expired(auth.sessions, Where("expires_at", ctx.now(), "lte"))
    if "verification" in stored:
        yield Expired(auth.verifications, Where("expires_at", ctx.now(), "lte"))
    if "rateLimit" in stored:
        limits = [compiled.limit for compiled in auth.handler.compiled.values()]
        longest = max([KEPT, *(limit.window for limit in limits if limit is not None)])
        moment = int((ctx.now().timestamp() - longest) * 1000)
        yield Expired(auth.rows(RateLimitRow), Where("last_request", moment, "lt"))
    for name, row in (item for plugin in auth.api.plugins for item in plugin.tables.items()):
        for field in auth.tables[name].fields.values():
            if field.column.expires:
                yield Expired(auth.rows(row), Where(field.name, ctx.now(), "lte"))


async def swept(
    ctx: Context, *, batch: int, dry_run: bool, told: Callable[[str, int], None] | None
) -> Mapping[str, int]:
    """Delete what has expired, or count it, and return how many rows by table."""
    if batch < 1:
        raise ConfigError(f"batch is a number of rows above 0, not {batch!r}")
    counts: dict[str, int] = {}
    for rows, condition in expired(ctx):
        name = rows.table.name
        if dry_run:
            counts[name] = await ctx.store.count(rows.table, [condition])
        else:
            listener = None if told is None else partial(told, name)
            counts[name] = await rows.sweep(ctx, condition, batch=batch, told=listener)
    return counts
