"""The command: it asks on a terminal, and takes options elsewhere."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from portico.cli.init.frameworks import FRAMEWORKS
from portico.cli.init.project import USUAL, Project, database_of, name_of, write
from portico.errors import ConfigError

EXAMPLE = "Example: portico init shop --framework fastapi --database sqlite"
FRAMEWORK, DATABASE = "fastapi", "sqlite"
"""What is taken if nobody says anything else."""
DONE = """\

{directory} is ready. Next:

{enter}  python -m pip install -r requirements.txt
  portico migrate auth:auth
  {serve}
"""


def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIRECTORY]", help="Where to write; made if needed.")] = Path(),
    *,
    framework: Annotated[
        str | None, typer.Option(metavar="|".join(FRAMEWORKS), help="What the application is written in.")
    ] = None,
    database: Annotated[str | None, typer.Option(metavar="|".join((*USUAL, "URL")), help="Where users live.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help=f"Ask nothing: {FRAMEWORK} and {DATABASE} if not given.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there; never .env.")] = False,
) -> None:
    """Write a small application that works: code, settings with a new secret, and how to start it."""
    asks = not yes and sys.stdin.isatty()
    if not asks and not yes and None in {framework, database}:
        raise ConfigError("there is no terminal to ask on: say --framework and --database, or --yes for the usual ones")
    if framework is None:
        framework = _asked_framework() if asks else FRAMEWORK
    if database is None:
        database = _asked_database() if asks else DATABASE
    if framework not in FRAMEWORKS:
        raise ConfigError(f"--framework is one of {', '.join(FRAMEWORKS)}, not {framework!r}")
    name = name_of(directory)
    project = Project(name=name, framework=framework, database=database_of(database, name))
    for line in write(project, directory, force=force):
        typer.echo(line)
    enter = "" if directory == Path() else f"  cd {directory}\n"
    shown = "The application" if directory == Path() else directory
    typer.echo(DONE.format(directory=shown, enter=enter, serve=project.serve), nl=False)


def _asked_framework() -> str:
    for name, known in FRAMEWORKS.items():
        typer.echo(f"  {name:10} {known.title}")
    asked: str = typer.prompt("Framework", default=FRAMEWORK)
    return asked


def _asked_database() -> str:
    asked: str = typer.prompt(f"Database ({', '.join(USUAL)}, or a URL)", default=DATABASE)
    return asked
