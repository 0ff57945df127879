"""What each plugin adds to an Auth."""

from collections.abc import Iterator
from typing import Any, Literal

from portico.auth import Auth
from portico.cli.info.shown import described, limit_shown
from portico.endpoint import Plugin, members
from portico.errors import ErrorCode
from portico.hooks import hooks_of
from portico.store.hooks import database_hook_of

POINTS: tuple[Literal["before_session", "on_request", "on_response"], ...] = (
    "before_session",
    "on_request",
    "on_response",
)


def plugins_of(auth: Auth[Any]) -> list[dict[str, Any]]:
    """Return the plugins of an Auth and what each adds, as JSON."""
    return [_plugin(auth, plugin) for plugin in auth.api.plugins]


def _plugin(auth: Auth[Any], plugin: Plugin[Any, Any]) -> dict[str, Any]:
    return {
        "id": plugin.id,
        "options": described(plugin),
        "endpoints": list(_endpoints(auth, plugin)),
        "extends": sorted({extension.path for extension in plugin.extensions}),
        "tables": {
            auth.tables[name].database_name: [field.database_name for field in auth.tables[name].fields.values()]
            for name in plugin.tables
        },
        "columns": {
            auth.tables[name].database_name: [
                auth.tables[name].fields[column].database_name for column in mixin.model_fields
            ]
            for name, mixin in plugin.columns.items()
        },
        "cookies": [auth.cookies.name_of(name) for name in plugin.cookies],
        "hooks": list(_hooks(plugin)),
        "rate_limits": {path: limit_shown(limit) for path, limit in plugin.limits.items()},
        "errors": sorted({error.code for error in _errors(plugin) if error.code is not None}),
    }


def _endpoints(auth: Auth[Any], plugin: Plugin[Any, Any]) -> Iterator[str]:
    for endpoint in plugin.endpoints():
        if endpoint.server_only:
            yield f"auth.api.{plugin.id.replace('-', '_')}.{endpoint.name}"
            continue
        for route in endpoint.routes:
            yield f"{route.method} {route.under(auth.site.path)}"


def _hooks(plugin: Plugin[Any, Any]) -> Iterator[str]:
    for hook in hooks_of(plugin):
        yield f"{hook.stage} {', '.join(hook.paths)}"
    for value in members(type(plugin)).values():
        database_hook = database_hook_of(value)
        if database_hook is not None:
            yield f"{database_hook.stage} {database_hook.event} of {database_hook.table}"
    for point in POINTS:
        if plugin.overrides(point):
            yield point


def _errors(plugin: Plugin[Any, Any]) -> Iterator[ErrorCode]:
    """Yield what its endpoints, its hooks and what it adds to others may refuse with."""
    for endpoint in plugin.endpoints():
        yield from endpoint.errors
    for hook in hooks_of(plugin):
        yield from hook.errors
    for extension in plugin.extensions:
        yield from extension.errors
