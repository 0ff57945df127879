"""The commands of `portico` and their options."""

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import anyio
import typer

from portico.cli import cleanup, client, create_admin, embedded, server, tables
from portico.cli.doctor import command as doctor
from portico.cli.generate.command import generate
from portico.cli.info import command as info
from portico.cli.init import command as init
from portico.cli.progress import working
from portico.cli.target import Target, load
from portico.crypto.random import random_letters
from portico.errors import ConfigError, StoreBusyError
from portico.openapi import document
from portico.store.ddl.plan import Plan

SECRET_LENGTH = 48

cli = typer.Typer(
    help="Better Auth for Python.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
cli.add_typer(client.cli, name="client")
cli.command(epilog=cleanup.EXAMPLE)(cleanup.cleanup)
cli.command(epilog=create_admin.EXAMPLE)(create_admin.create_admin)
cli.command(epilog=doctor.EXAMPLE)(doctor.doctor)
cli.command(epilog=info.EXAMPLE)(info.info)
cli.command(epilog=init.EXAMPLE)(init.init)


def main() -> None:
    """Run the command line: 0 is done, 1 is a check or work that failed, 2 is a mistake that the message explains, 3 is
    a database that is not there or busy, so that the same command may succeed later."""
    try:
        cli(prog_name="portico")
    except ConfigError as error:
        typer.echo(f"portico: {error}", err=True)
        raise SystemExit(2) from None
    except StoreBusyError as error:
        typer.echo(f"portico: {error}", err=True)
        raise SystemExit(3) from None


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"portico {version('portico')}")
        raise typer.Exit


@cli.callback()
def portico(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Better Auth for Python."""


@cli.command(epilog="Example: portico serve app:auth --port 8000")
def serve(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[MODULE:AUTH]", help="Your Auth, such as app:auth; without it, one on a SQLite file."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 3000,
    database: Annotated[Path | None, typer.Option(help="The SQLite file, portico.db by default.")] = None,
) -> None:
    """Serve your Auth, or one on a SQLite file that needs nothing else."""
    server.check_installed()
    if target is not None and database is not None:
        raise ConfigError(f"--database is for the server without {target!r}, which says itself where its rows live")
    # The port comes first: the base URL of the embedded Auth holds it.
    with server.listen(host, port) as listener:
        address = server.url_of(host, listener)
        if target is None:
            made = embedded.make(database or Path("portico.db"), address, os.environ)
            anyio.run(tables.create, made.auth)
            auth, welcome = made.auth, made.welcome(address)
        else:
            auth = load(target)
            anyio.run(tables.check, auth, target)
            welcome = f"Serving {target} on {address}{auth.site.path}"
        typer.echo(welcome)
        server.run(auth, listener)


@cli.command(epilog="Example: portico dev --plugins bearer,two-factor")
def dev(
    host: Annotated[str, typer.Option(help="Address of this machine to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 4100,
    database: Annotated[str, typer.Option(help="URL of a SQLite file; in memory by default.")] = "sqlite://",
    plugins: Annotated[
        str | None, typer.Option(metavar="ID,ID", help="Which plugins are on; all of them by default.")
    ] = None,
) -> None:
    """Serve an Auth to develop and test against: mails on a page, a clock to move, routes to reset and look inside."""
    from portico.cli.dev import serving, setup  # noqa: PLC0415  # every plugin, and their libraries, for this command

    server.check_installed()
    setup.check(host, os.environ)
    with server.listen(host, port) as listener:
        address = server.url_of(host, listener)
        made = setup.make(database, plugins, listener.getsockname()[1], address)
        typer.echo(serving.welcome(made, address))
        server.run_app(serving.app(made), listener)


@cli.command(epilog="Example: portico migrate app:auth --check")
def migrate(
    target: Target,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if something is missing or in the way.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; print the SQL that would be run.")
    ] = False,
) -> None:
    """Create the tables, columns and indexes that the database lacks; where that is unsafe, change nothing and say why.

    On MySQL, each statement is kept by itself: what fails there goes on where it stopped when it is run again.
    """
    auth = load(target)
    if check or dry_run:
        _print_plan(anyio.run(tables.plan, auth), as_sql=dry_run, is_check=check)
        return
    with working("creating what is missing"):
        created = anyio.run(tables.create, auth)
    for name in created:
        typer.echo(f"created {name}")
    if not created:
        typer.echo("nothing is missing")


def _print_plan(plan: Plan, *, as_sql: bool, is_check: bool) -> None:
    typer.echo(plan.sql if as_sql else "".join(f"missing {name}\n" for name in plan.names), nl=False)
    for reason in plan.refusals:
        typer.echo(f"in the way: {reason}", err=True)
    if plan.refusals or (is_check and plan.steps):
        raise typer.Exit(1)


cli.command(
    epilog="Example: portico generate app:auth --format alembic --dialect postgresql --out migrations/versions/auth.py"
)(generate)


@cli.command(epilog="Example: portico secret")
def secret() -> None:
    """Print a new secret for BETTER_AUTH_SECRET."""
    typer.echo(random_letters(SECRET_LENGTH))


@cli.command(epilog="Example: portico openapi app:auth > openapi.json")
def openapi(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[MODULE:AUTH]", help="Your Auth, such as app:auth; without it, every plugin there is."),
    ] = None,
) -> None:
    """Print the OpenAPI document of your Auth, or the one that the published client is made from."""
    if target is None:
        from portico.published import published_document  # noqa: PLC0415  # the other commands need no plugin

        described = published_document()
    else:
        described = document(load(target))
    typer.echo(json.dumps(described, indent=2, ensure_ascii=False))
