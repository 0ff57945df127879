"""`portico cleanup`: what has expired leaves the database."""

from collections.abc import Mapping
from typing import Annotated

import typer

from portico.cli import database
from portico.cli.progress import progress
from portico.cli.target import Target, load

EXAMPLE = "Example: portico cleanup app:auth --dry-run"


def cleanup(
    target: Target,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; only count.")] = False,
    batch: Annotated[int, typer.Option(help="How many rows go at a time.", min=1)] = 1000,
) -> None:
    """Delete expired sessions, verifications and rows of plugins, and old counts of rate limits; for cron.

    Each batch stays deleted: whoever interrupts it loses nothing, and the next run goes on with what is left.
    """
    auth = load(target)

    async def work() -> Mapping[str, int]:
        totals = await auth.cleanup(dry_run=True)
        if dry_run:
            return totals
        with progress(totals) as told:
            return await auth.cleanup(batch=batch, told=told)

    for table, rows in database.run(auth, target, work).items():
        typer.echo(f"{table}: {rows} {'expired' if dry_run else 'deleted'}")
