"""One route of an endpoint → one operation."""

import re
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from portico.endpoint import Endpoint, Route
from portico.http import Content, Empty, Html, Redirect
from portico.messages import Challenge
from portico.openapi.refusals import Refusals
from portico.openapi.schemas import MARK, Asked, Components, Json, any_of, models_in, properties, schema_of
from portico.wire import Wire

JSON = "application/json"
WORD = re.compile(r"[A-Za-z0-9]+")
SECTION = "Default"
"""The tag of the core's operations, as upstream calls it."""


class Operations:
    """Describes the operations of one document and names what they share."""

    def __init__(self, components: Components, refusals: Refusals, *, has_bearer: bool) -> None:
        self._components = components
        self._refusals = refusals
        self._schemes: list[Json] = [{"cookie": []}, *([{"bearer": []}] if has_bearer else [])]

    def describe(self, endpoint: Endpoint, route: Route) -> Json:
        """Return the operation that `route` is."""
        identity = operation_id(endpoint, route)
        operation: Json = {
            "operationId": identity,
            "summary": endpoint.summary.removesuffix("."),
            "tags": [SECTION if endpoint.plugin == "core" else endpoint.plugin],
            "security": self._security(endpoint, route),
            "parameters": self._parameters(endpoint, route),
            "responses": {**self._replies(endpoint), **self._refusals.of(identity, endpoint, route)},
            MARK: _marks(endpoint, route),
        }
        if endpoint.description:
            operation["description"] = endpoint.description
        if route.deprecated:
            operation["deprecated"] = True
        if endpoint.body is not None and route.input == "body" and route.method != "GET":
            operation["requestBody"] = self._request_body(endpoint, endpoint.body)
        return operation

    def _request_body(self, endpoint: Endpoint, body: type[Wire]) -> Json:
        """Describe a body as JSON wherever that is taken; a text mentions what else is.

        Two media types of one schema are what generators of clients cannot tell apart: see
        https://github.com/openapi-generators/openapi-python-client/issues/1451.
        """
        schema = self._components.of(body, "validation")
        shown = [JSON] if JSON in endpoint.media else sorted(endpoint.media)
        others = sorted(set(endpoint.media) - set(shown))
        text = {"description": f"{', '.join(others)} is taken, too."} if others else {}
        content = {media: {"schema": schema} for media in shown}
        return {**text, "required": not endpoint.is_body_optional, "content": content}

    def _security(self, endpoint: Endpoint, route: Route) -> list[Json]:
        rules = set(endpoint.rules(route))
        if rules <= {"own", "optional"}:
            return [{}, *self._schemes]
        return [] if rules == {"none"} else self._schemes

    def _parameters(self, endpoint: Endpoint, route: Route) -> list[Json]:
        placeholders = [name for name in endpoint.parameters if f"{{{name}}}" in route.path]
        parameters: list[Json] = [
            {"in": "path", "name": name, "required": True, "schema": {"type": "string"}} for name in placeholders
        ]
        for model in (endpoint.query, endpoint.body if route.input == "query" else None):
            described = {} if model is None else self._components.resolved(self._components.of(model, "validation"))
            for name, schema in properties(described).items():
                required = name in described.get("required", ())
                text = {"description": schema["description"]} if "description" in schema else {}
                parameters.append({"in": "query", "name": name, "required": required, **text, "schema": schema})
        return parameters

    def _replies(self, endpoint: Endpoint) -> Json:
        responses: Json = {}
        # Every route of an endpoint answers the same.
        identity = operation_id(endpoint, endpoint.routes[0])
        described = [each for each in replies(endpoint) if not is_content(each)]
        if described:
            schema = any_of([schema_of(each, self._components) for each in described])
            named = self._components.name(f"{identity[:1].upper()}{identity[1:]}Reply", schema)
            responses["200"] = {"description": "Done", "content": {"application/json": {"schema": named}}}
        for each in replies(endpoint):
            if each is Redirect:
                target: Json = {"description": "Where to go", "schema": {"type": "string", "format": "uri-reference"}}
                responses["302"] = {"description": "Found", "headers": {"Location": target}}
            elif each is Empty:
                responses["204"] = {"description": "Done"}
            elif is_content(each):
                content = responses.setdefault("200", {"description": "Done", "content": {}})["content"]
                content[_media(each)] = {"schema": {"type": "string"}}
        return responses


def operation_id(endpoint: Endpoint, route: Route) -> str:
    """Name an operation after its path, `/sign-in/email` → `signInEmail`; an alias says its method, too."""
    words = [word[:1].upper() + word[1:] for word in WORD.findall(route.path)]
    if route is not endpoint.routes[0]:
        return route.method.lower() + "".join(words)
    return endpoint.operation_id or words[0][:1].lower() + words[0][1:] + "".join(words[1:])


def client_path(endpoint: Endpoint, route: Route) -> list[str] | None:
    """Return where the client has an operation: `/sign-in/email` → `sign_in.email`; None if it has it nowhere."""
    if route is not endpoint.routes[0] or endpoint.client is False:
        return None
    if endpoint.client is not None:
        return endpoint.client.split(".")
    if route.root or "{" in route.path or any(is_content(each) and each is not Empty for each in replies(endpoint)):
        return None
    return [segment.replace("-", "_") for segment in route.path.strip("/").split("/")]


def replies(endpoint: Endpoint) -> Sequence[Any]:
    """Return the kinds of reply, without the base class of challenges: the plugins' own stand beside it."""
    annotation = endpoint.reply
    kinds = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return [kind for kind in kinds if kind is not Challenge]


def is_content(reply: Any) -> bool:
    """Tell whether a reply is no JSON."""
    return isinstance(reply, type) and issubclass(reply, Redirect | Html | Content | Empty)


def asked(endpoint: Endpoint) -> list[Asked]:
    """Return the models that an endpoint reads and writes."""
    models: list[Asked] = [(each, "validation") for each in (endpoint.body, endpoint.query) if each is not None]
    for reply in replies(endpoint):
        if reply is not NoneType and not is_content(reply):
            written: list[Asked] = [(each, "serialization") for each in models_in(reply)]
            models += written
    return models


def _media(reply: Any) -> str:
    return "text/html" if issubclass(reply, Html) else "*/*"


def _marks(endpoint: Endpoint, route: Route) -> Json:
    marks: Json = {"plugin": endpoint.plugin}
    path = client_path(endpoint, route)
    if path is not None:
        marks["client"] = path
    rules = [rule if isinstance(rule, str) else "resource" for rule in endpoint.rules(route)]
    return {**marks, "signals": list(endpoint.signals), "session": rules, "idempotent": endpoint.idempotent}
