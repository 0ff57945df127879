"""The whole document."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from portico.cookies import SESSION_TOKEN
from portico.endpoint import Endpoint, Plugin
from portico.errors import INVALID_HOST
from portico.openapi.operations import SECTION, Operations, asked
from portico.openapi.refusals import Refusals
from portico.openapi.schemas import MARK, Components, Json
from portico.wire import Wire

if TYPE_CHECKING:
    from portico.auth import Auth


def document(auth: "Auth[Any]", endpoints: Sequence[Endpoint] | None = None, *, is_published: bool = False) -> Json:
    """Describe what `auth` serves, or some of its endpoints.

    A published document describes every server that has some of the plugins: what a plugin adds to a message or a row
    of the core is marked and never required, and the server has no address.
    """
    served = [compiled.endpoint for compiled in auth.handler.compiled.values() if not compiled.is_disabled]
    routed = [each for each in (served if endpoints is None else endpoints) if not each.server_only]
    components = Components(pair for endpoint in routed for pair in asked(endpoint))
    _mark_plugins(auth, routed, components, is_published=is_published)
    # Whose base URL depends on the host refuses those that are not its own, unless it has an address for them, too.
    refusals = Refusals((INVALID_HOST,) if auth.places is not None and not auth.site.origin else ())
    has_bearer = any(plugin.id == "bearer" for plugin in auth.api.plugins)
    operations = Operations(components, refusals, has_bearer=has_bearer)
    paths: defaultdict[str, Json] = defaultdict(dict)
    for endpoint in routed:
        for route in endpoint.routes:
            paths[route.path][route.method.lower()] = operations.describe(endpoint, route)
            if route.root:
                paths[route.path]["servers"] = [{"url": auth.site.origin or "/"}]
    components.prune(dict(paths))
    tags = [SECTION, *dict.fromkeys(endpoint.plugin for endpoint in routed if endpoint.plugin != "core")]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": auth.app_name,
            "version": version("portico"),
            "description": "Users, sessions and accounts.",
        },
        "servers": [{"url": auth.site.path if is_published or not auth.site.origin else auth.site.url}],
        "tags": [{"name": tag} for tag in tags],
        "paths": dict(paths),
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "responses": dict(sorted(refusals.responses.items())),
            "securitySchemes": _schemes(auth, has_bearer=has_bearer),
        },
        MARK: {"plugins": tags[1:]},
    }


def _schemes(auth: "Auth[Any]", *, has_bearer: bool) -> Json:
    schemes: Json = {"cookie": {"type": "apiKey", "in": "cookie", "name": auth.cookies.name_of(SESSION_TOKEN)}}
    if has_bearer:
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    return schemes


def _mark_plugins(
    auth: "Auth[Any]", endpoints: Iterable[Endpoint], components: Components, *, is_published: bool
) -> None:
    """Say in every shared schema what a plugin adds to it."""
    for plugin in auth.api.plugins:
        for table, columns in plugin.columns.items():
            row = components.named(auth.tables[table].row)
            if row is not None:
                components.mark(row, _wires(columns), plugin.id, is_published=is_published)
        for endpoint in endpoints:
            if endpoint.body is not None and endpoint.plugin != plugin.id:
                body = components.of(endpoint.body, "validation")
                components.mark(body, _added(endpoint, plugin), plugin.id, is_published=is_published)
        for challenge in plugin.challenges():
            asked_for = components.named(challenge)
            if asked_for is not None:
                components.mark_whole(asked_for, plugin.id)


def _added(endpoint: Endpoint, plugin: Plugin[Any, Any]) -> Iterator[str]:
    """Yield the fields that a plugin adds to the body of an endpoint."""
    for extension in plugin.extensions:
        if extension.path == endpoint.path and extension.body:
            yield from _wires(extension.body)
    for table in {endpoint.columns, endpoint.updates} & plugin.columns.keys():
        yield from _wires(plugin.columns[table or ""])


def _wires(model: type[Wire]) -> Iterator[str]:
    return (wire for wire, _ in model.wire_names)
