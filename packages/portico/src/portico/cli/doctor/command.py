"""The command, and the checklist in its order."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import anyio
import typer

from portico.cli.doctor import addresses, guards, keys, mails, sessions, storage
from portico.cli.doctor.finding import Check, Examined, Finding, Outcome
from portico.cli.target import Target, load

EXAMPLE = "Example: portico doctor app:auth --strict"
CHECKS: Sequence[Check] = (
    keys.mode,
    keys.secret,
    addresses.base_url,
    addresses.trusted_origins,
    addresses.proxies,
    guards.rate_limits,
    guards.senders,
    guards.cookies,
    sessions.lifetimes,
    sessions.cookie_cache,
    sessions.tokens,
    sessions.strictness,
    mails.senders,
    storage.database,
    storage.secondary,
)
COLORS: dict[Outcome, str] = {"pass": "green", "warn": "yellow", "fail": "bold red"}


def findings(examined: Examined) -> list[Finding]:
    """Return what the checks find, item by item."""
    return [finding for check in CHECKS for finding in check(examined)]


def doctor(
    target: Target,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
) -> None:
    """Check an Auth for production: run it with the environment of production. Exits with 1 if anything fails."""
    auth = load(target)
    probed = anyio.run(storage.probe, auth)
    found = findings(Examined(auth=auth, target=target, environment=os.environ, probed=probed))
    counts = {outcome: sum(each.outcome == outcome for each in found) for outcome in COLORS}
    if as_json:
        typer.echo(json.dumps({"counts": counts, "findings": [asdict(each) for each in found]}, indent=2))
    else:
        _print(found)
        typer.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    raise typer.Exit(1 if counts["fail"] or (strict and counts["warn"]) else 0)


def _print(found: Sequence[Finding]) -> None:
    from rich.console import Console  # noqa: PLC0415  # a server has no use for it
    from rich.text import Text  # noqa: PLC0415  # as above

    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        console.print(Text.assemble((each.outcome, COLORS[each.outcome]), f"  {each.id}: {each.says}"))
        if each.remedy and each.outcome != "pass":
            console.print(Text(f"      {each.remedy}"))
