"""`portico client`: typed clients of your server."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from portico.cli.target import load
from portico.errors import ConfigError
from portico.openapi import document

if TYPE_CHECKING:
    from portico_client_runtime.generator import Outcome

NEEDED = {
    "portico_client_runtime": "portico-client-runtime",
    "datamodel_code_generator": "datamodel-code-generator",
    "jinja2": "jinja2",
    "ruff": "ruff",
}
PATIENCE = 30
"""In seconds; a description that takes longer to come is not waited for."""

cli = typer.Typer(help="Typed clients of your server.", no_args_is_help=True)


@cli.callback()
def client() -> None:
    """Typed clients of your server."""


@cli.command(epilog="Example: portico client generate app:auth --out acme_client")
def generate(
    target: Annotated[
        str | None, typer.Argument(metavar="[MODULE:AUTH]", help="Where your Auth is, such as app:auth.")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="The folder to write: the package, or with --package its project.")],
    package: Annotated[
        str | None, typer.Option(help="Make OUT a project with pyproject.toml and this package in its src.")
    ] = None,
    spec: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="An OpenAPI document to use instead of your Auth.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if the client is out of date.")
    ] = False,
) -> None:
    """Write a client with the types of your plugins and fields; run again, it says what has changed."""
    _require_generator()
    from portico_client_runtime.generator import GeneratorError, generate  # noqa: PLC0415  # an extra brings it

    described = _described(target, spec)
    try:
        outcome = generate(described, out, package=package, is_check=check, progress=typer.echo)
    except GeneratorError as error:
        raise ConfigError(str(error)) from error
    _report(outcome, out, is_check=check)
    raise typer.Exit(1 if check and outcome.files else 0)


def _require_generator() -> None:
    missing = [name for module, name in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ConfigError(
            f"generating a client needs {', '.join(missing)}: pip install 'portico[client]', "
            "which brings 'portico-client-runtime[generator]'"
        )


def _described(target: str | None, spec: str | None) -> dict[str, Any]:
    if (target is None) == (spec is None):
        raise ConfigError("say either where your Auth is, such as app:auth, or --spec and where its description is")
    typer.echo(f"reading {target or spec}")
    if target is not None:
        return document(load(target))
    try:
        decoded = json.loads(_text(str(spec)))
    except ValueError as error:
        raise ConfigError(f"{spec} is no JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise ConfigError(f"{spec} is no OpenAPI document")
    return decoded  # pyright: ignore[reportUnknownVariableType]  # JSON


def _text(source: str) -> str:
    if source.startswith(("http://", "https://")):
        import httpx  # noqa: PLC0415  # comes with the generator

        try:
            return httpx.get(source, timeout=PATIENCE, follow_redirects=True).raise_for_status().text
        except httpx.HTTPError as error:
            raise ConfigError(f"cannot read {source}: {error}") from error
    try:
        return Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from error


def _report(outcome: "Outcome", out: Path, *, is_check: bool) -> None:
    if not outcome.files:
        typer.echo(f"{out} is up to date")
        return
    for change in outcome.changes:
        typer.echo(f"  {change}")
    if outcome.is_new:
        typer.echo(f"{out} is missing" if is_check else f"{out} is ready")
        return
    for name, what in outcome.files.items():
        typer.echo(f"{what} {name}")
    typer.echo(f"{out} is out of date" if is_check else f"{out} is up to date")
