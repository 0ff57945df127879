"""The command, and what it says to people."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import anyio
import typer

from portico.auth import Auth
from portico.cli.info.places import callbacks_of, urls_of
from portico.cli.info.plugins import plugins_of
from portico.cli.info.shown import changed, is_many, options_of, without
from portico.cli.info.versions import database_server, installed, runtime
from portico.cli.target import Target, load

EXAMPLE = "Example: portico info app:auth --json"
ADDED = ("endpoints", "extends", "cookies", "hooks", "errors")


def info(
    target: Target,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every option.")] = False,
) -> None:
    """Print versions, options, URLs and what each plugin adds, to show to others: nothing of it is secret."""
    auth = load(target)
    shown = facts(auth)
    if as_json:
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    for line in _lines(shown):
        typer.echo(line)


def facts(auth: Auth[Any]) -> dict[str, Any]:
    """Return everything that the command says, as JSON."""
    whole = {
        "versions": runtime(),
        "drivers": installed(),
        "database": anyio.run(database_server, auth),
        "urls": list(urls_of(auth)),
        "base_path": auth.site.path,
        "callback_urls": callbacks_of(auth),
        "options": options_of(auth),
        "plugins": plugins_of(auth),
    }
    # A secret that was written where none is expected is none to be shown either.
    shown: dict[str, Any] = without(auth.keyring.accepted, whole)
    return shown


def _lines(shown: Mapping[str, Any]) -> Iterator[str]:
    yield "Versions"
    yield from _pairs({**shown["versions"], **shown["drivers"]})
    database = shown["database"]
    yield f"  {database['kind']}: {database['version'] or database.get('problem') or 'no server'}"
    yield "URLs"
    for url in shown["urls"]:
        yield f"  {url}"
    if shown["callback_urls"]:
        yield "Redirect URIs to allow at the providers"
        yield from _pairs(shown["callback_urls"])
    yield "Options that were given"
    yield from _pairs(changed(shown["options"]))
    for plugin in shown["plugins"]:
        yield f"Plugin {plugin['id']}"
        yield from _pairs({name: plugin[name] for name in ADDED if plugin[name]})
        for kind in ("tables", "columns"):
            yield from _pairs({f"{kind} {name}": columns for name, columns in plugin[kind].items()})
        yield from _pairs({f"rate limit {path}": limit for path, limit in plugin["rate_limits"].items()})


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield f"  {name}: {', '.join(map(str, value)) if is_many(value) else value}"
