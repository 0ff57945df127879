"""An OpenAPI document → what a client is made of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import urlsplit

from portico_client_runtime.generator.description import Description, Group, Json, Operation, Parameter, Place
from portico_client_runtime.generator.errors import GeneratorError
from portico_client_runtime.generator.names import (
    MODULE_NAMES,
    RUNTIME_NAMES,
    attribute_name,
    function_name,
    parameter_name,
    require_distinct,
)
from portico_client_runtime.generator.schemas import Schemas

METHODS = ("get", "post", "put", "patch", "delete")
PLACES: Mapping[str, Place] = {"path": "path", "query": "query"}
JSON_MEDIA = "application/json"
DEFAULT_BASE_PATH = "/api/auth"
"""What the runtime adds to a URL without a path."""
SESSION = ("get_session",)
"""The client path of the operation that the session store reads."""


def read(document: Json) -> Description:
    """Return what a client for the server that `document` describes is made of.

    Raises:
        GeneratorError: the document is none, or two of its names cannot be told apart in Python.
    """
    if not str(document.get("openapi", "")).startswith("3.1"):
        raise GeneratorError(f"this is no OpenAPI 3.1 document: it says openapi: {document.get('openapi')!r}")
    try:
        return _described(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise GeneratorError(f"the document is not as OpenAPI wants it: {error!r}; a validator says where") from error


def _described(document: Json) -> Description:
    reader = _Reader(document)
    operations = list(reader.operations())
    root = _grouped(operations)
    session = next((operation for operation in operations if operation.client == SESSION), None)
    if session is None:
        raise GeneratorError("no operation has the client path ['get_session'], which the session store reads")
    plugins: Sequence[str] = document.get("x-portico", {}).get("plugins", [])
    require_distinct(((function_name(plugin), plugin) for plugin in plugins), "The description")
    return Description(
        title=str(document.get("info", {}).get("title", "the server")),
        base_path=_base_path(document),
        plugins=plugins,
        operations=operations,
        root=root,
        session=" | ".join(part for part in session.reply.split(" | ") if part != "None"),
        session_operation=session,
        codes=sorted(reader.codes()),
        schemas=reader.schemas.models(reader.used),
    )


class _Reader:
    """Reads the operations of one document, and keeps which schemas their signatures and answers use."""

    def __init__(self, document: Json) -> None:
        components = document.get("components", {})
        self._paths: Mapping[str, Mapping[str, Json]] = document.get("paths", {})
        self._responses: Mapping[str, Json] = components.get("responses", {})
        self.schemas = Schemas(components.get("schemas", {}))
        self.used: list[Json] = []

    def operations(self) -> Iterator[Operation]:
        """Yield the operations that the client has."""
        for path, method, operation in self._all():
            about = operation.get("x-portico", {})
            if about.get("client"):
                yield self._operation(path, method, operation, about)

    def codes(self) -> set[str]:
        """Return every code that the server may refuse with."""
        refusals = (codes for *_, operation in self._all() for codes in self._codes(operation).values())
        return {code for codes in refusals for code in codes}

    def _all(self) -> Iterator[tuple[str, str, Json]]:
        for path, item in self._paths.items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def _operation(self, path: str, method: str, operation: Json, about: Json) -> Operation:
        where = f"{method.upper()} {path}"
        name = operation.get("operationId")
        if not isinstance(name, str):
            raise GeneratorError(f"{where} has no operationId")
        body, constants = self._body(operation, where)
        parameters = [*self._parameters(operation, where), *body]
        _require_placeholders(path, parameters, where)
        require_distinct(((each.name, each.wire) for each in parameters), where)
        return Operation(
            id=name,
            method=method.upper(),
            path=path,
            client=tuple(attribute_name(segment, where) for segment in about["client"]),
            plugin=str(about.get("plugin", "core")),
            signals=tuple(about.get("signals", ())),
            idempotent=bool(about.get("idempotent", False)),
            deprecated=bool(operation.get("deprecated", False)),
            summary=str(operation.get("summary", name)).strip().rstrip("."),
            doc=str(operation.get("description", "")).strip(),
            parameters=sorted(parameters, key=lambda each: not each.required),
            constants=constants,
            has_body="requestBody" in operation,
            reply=self._reply(operation, where),
            codes=self._codes(operation),
        )

    def _parameters(self, operation: Json, where: str) -> Iterator[Parameter]:
        for described in operation.get("parameters", ()):
            if described["in"] not in PLACES:
                raise GeneratorError(
                    f"{where} has the {described['in']} parameter {described['name']!r}; a client sends none"
                )
            yield self._parameter(described["name"], PLACES[described["in"]], described["schema"], described, where)

    def _body(self, operation: Json, where: str) -> tuple[list[Parameter], dict[str, object]]:
        """Return the parameters that a body holds, and what it always says."""
        if "requestBody" not in operation:
            return [], {}
        content = operation["requestBody"].get("content", {})
        if JSON_MEDIA not in content:
            raise GeneratorError(f"{where} takes {', '.join(content) or 'nothing'}, and a client sends {JSON_MEDIA}")
        name, component = self.schemas.named(content[JSON_MEDIA].get("schema", {}), f"The body of {where}")
        if component.get("type") != "object":
            raise GeneratorError(f"The body of {where}, {name!r}, is no object, so it has no parameters")
        required = component.get("required", ())
        parameters: list[Parameter] = []
        constants: dict[str, object] = {}
        for wire, schema in component.get("properties", {}).items():
            if "const" in schema and wire in required:
                constants[wire] = schema["const"]
            else:
                about = {**schema, "required": wire in required}
                parameters.append(self._parameter(wire, "body", schema, about, where))
        return parameters, constants

    def _parameter(self, wire: str, place: Place, schema: Json, about: Json, where: str) -> Parameter:
        plugin = schema.get("x-portico", {}).get("plugin")
        described = about.get("description") or schema.get("description", "")
        self.used.append(_without_arrays(self.schemas, schema))
        return Parameter(
            name=parameter_name(wire, where),
            wire=wire,
            where=place,
            type=self.schemas.input(schema, f"{where}: {wire!r}"),
            required=bool(about.get("required", False)),
            doc=f"{described} Of the plugin `{plugin}`.".strip() if plugin else str(described).strip(),
        )

    def _reply(self, operation: Json, where: str) -> str:
        answers = {status: answer for status, answer in operation.get("responses", {}).items() if status[0] == "2"}
        if not answers:
            raise GeneratorError(f"{where} has a client path and no answer that a method could return")
        types: dict[str, None] = {}
        for answer in answers.values():
            content = answer.get("content", {})
            if content and JSON_MEDIA not in content:
                raise GeneratorError(f"{where} answers {', '.join(content)}, and a client reads {JSON_MEDIA}")
            schema = content.get(JSON_MEDIA, {}).get("schema", {"type": "null"})
            types[self.schemas.reply(schema, f"The answer of {where}")] = None
            self.used.append(_variants(self.schemas, schema))
        return " | ".join(types)

    def _codes(self, operation: Json) -> dict[int, Sequence[str]]:
        found: dict[int, Sequence[str]] = {}
        for status, answer in operation.get("responses", {}).items():
            if status[0] not in "45":
                continue
            shared = self._responses.get(str(answer.get("$ref", "")).rpartition("/")[2], answer)
            schema = shared.get("content", {}).get(JSON_MEDIA, {}).get("schema", {})
            found[int(status)] = sorted(self._refusal(schema))
        return found

    def _refusal(self, schema: Json) -> set[str]:
        if "$ref" in schema:
            schema = self.schemas.named(schema, "A refusal")[1]
        if "anyOf" in schema:
            return {code for each in schema["anyOf"] for code in self._refusal(each)}
        properties: Json = schema.get("properties", {})
        # A refusal in the words of OAuth has its code under another name.
        code: Json = properties.get("code") or properties.get("error") or {}
        return set(code.get("enum", [code["const"]] if "const" in code else []))


def _variants(schemas: Schemas, schema: Json) -> Json:
    """Return the schemas that a reply's type names: a union stands for its variants, which need no name of its own."""
    if "$ref" not in schema:
        return schema
    component = schemas.named(schema, "An answer")[1]
    variants = component.get("anyOf") or component.get("oneOf")
    return {"anyOf": [_variants(schemas, each) for each in variants]} if variants else schema


def _without_arrays(schemas: Schemas, schema: Json) -> Json:
    """Return the schemas that a parameter's type names: an array stands for its items."""
    if "$ref" not in schema:
        return schema
    component = schemas.named(schema, "A parameter")[1]
    return cast("Json", component["items"]) if component.get("type") == "array" else schema


def _require_placeholders(path: str, parameters: Sequence[Parameter], where: str) -> None:
    asked = {part.partition("}")[0] for part in path.split("{")[1:]}
    given = {parameter.wire for parameter in parameters if parameter.where == "path"}
    if asked != given:
        raise GeneratorError(f"{where} has the placeholders {sorted(asked)} and the path parameters {sorted(given)}")


def _base_path(document: Json) -> str:
    servers: Sequence[Json] = document.get("servers", [])
    return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/") if servers else DEFAULT_BASE_PATH


def _grouped(operations: Sequence[Operation]) -> Group:
    """Return the tree of groups; raise GeneratorError when two operations want one attribute."""
    root = Group(client=())
    claimed: dict[tuple[str, ...], Operation] = {}
    for operation in operations:
        where = f"{operation.method} {operation.path}"
        if operation.client in claimed:
            other = claimed[operation.client]
            raise GeneratorError(
                f"{where} and {other.method} {other.path} have one client path, {'.'.join(operation.client)}"
            )
        claimed[operation.client] = operation
        if operation.client[0] in RUNTIME_NAMES or MODULE_NAMES & set(operation.client):
            raise GeneratorError(f"{where} has the client path {'.'.join(operation.client)}, which clients need")
        _place(root, operation)
    _settle(root)
    require_distinct(((each.class_name, ".".join(each.client)) for each in root.below()), "The description")
    require_distinct(((each.constant, ".".join(each.client)) for each in operations), "The description")
    return root


def _place(root: Group, operation: Operation) -> None:
    group = root
    for depth, name in enumerate(operation.client[:-1], start=1):
        group = group.groups.setdefault(name, Group(client=operation.client[:depth]))
    group.operations[operation.name] = operation


def _settle(group: Group) -> None:
    """Make operations that are groups, too, what calling the group does."""
    for name, below in group.groups.items():
        below.call = group.operations.pop(name, None)
        _settle(below)
