"""What a document must be, besides valid: every rule yields the places that break it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

Json = Mapping[str, Any]
Rule = Callable[[Json], Iterator[str]]
SCHEMAS = "#/components/schemas/"
RESPONSES = "#/components/responses/"
METHODS = frozenset({"get", "post", "put", "patch", "delete"})

IN_BOTH: Mapping[str, str] = {}
"""Operations that take one name in body and query, each with the reason."""


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def twice(names: list[Any]) -> list[Any]:
    return [name for name, count in Counter(names).items() if count > 1]


def is_openapi_31(document: Json) -> Iterator[str]:
    if not document["openapi"].startswith("3.1."):
        yield document["openapi"]


def operation_ids_are_unique(document: Json) -> Iterator[str]:
    yield from twice([operation["operationId"] for _, operation in operations(document)])


def operations_have_a_summary_a_tag_and_security(document: Json) -> Iterator[str]:
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in operations(document):
        if not operation["summary"] or not set(operation["tags"]) <= tags or "security" not in operation:
            yield name


def security_is_none_or_cookie_or_bearer(document: Json) -> Iterator[str]:
    schemes = set(document["components"]["securitySchemes"])
    for name, operation in operations(document):
        alternatives = [tuple(each) for each in operation["security"] if each]
        if alternatives and {scheme for each in alternatives for scheme in each} != schemes:
            yield name
        if any(len(each) != 1 for each in alternatives):
            yield f"{name} wants two at once"


def bodies_are_named(document: Json) -> Iterator[str]:
    for name, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if not content["schema"].get("$ref", "").startswith(SCHEMAS):
                yield name


def json_replies_are_named(document: Json) -> Iterator[str]:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/json")
            if status[0] == "2" and content and not content["schema"].get("$ref", "").startswith(SCHEMAS):
                yield f"{name} {status}"


def refusals_are_shared_and_list_their_codes(document: Json) -> Iterator[str]:
    shared = document["components"]["responses"]
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45" and not response.get("$ref", "").startswith(RESPONSES):
                yield f"{name} {status}"
    for name, response in shared.items():
        schema: Json = response.get("content", {}).get("application/json", {}).get("schema") or {}
        if not all(map(_is_refusal, schema.get("anyOf", [schema] if schema else []))):
            yield name


def _is_refusal(schema: Json) -> bool:
    """Tell whether a schema is of a refusal: in upstream's words, or in those of OAuth."""
    text, name = ("message", "code") if "message" in schema["properties"] else ("error_description", "error")
    code: Any = schema["properties"].get(name)
    is_listed = not code or (code["type"] == "string" and code["enum"] and not twice(code["enum"]))
    return bool(schema["type"] == "object" and text in schema["required"] and is_listed)


def every_operation_tells_its_refusals(document: Json) -> Iterator[str]:
    for name, operation in operations(document):
        if not {"429", "500", "503"} <= operation["responses"].keys():
            yield name
        if not name.startswith("GET ") and not {"403", "413", "415"} <= operation["responses"].keys():
            yield name


def scalars_that_may_be_null_say_so_in_their_type(document: Json) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        for where, part in parts(schema, name):
            others = [each for each in part.get("anyOf", ()) if each != {"type": "null"}]
            if "nullable" in part or (
                len(others) < len(part.get("anyOf", ())) and any("type" in each for each in others)
            ):
                yield where


def nothing_is_empty(document: Json) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        for where, part in parts(schema, name):
            if not part.keys() & {"type", "$ref", "anyOf", "allOf", "enum", "const"}:
                yield where
        if schema.get("type") == "object" and not (schema.get("properties") or schema.get("additionalProperties")):
            yield name


def everything_named_is_used(document: Json) -> Iterator[str]:
    used = set(references(document))
    for kind in ("schemas", "responses"):
        yield from (name for name in document["components"][kind] if f"#/components/{kind}/{name}" not in used)


def no_name_is_in_body_and_query(document: Json) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    for name, operation in operations(document):
        asked = {each["name"] for each in operation["parameters"]}
        for content in operation.get("requestBody", {}).get("content", {}).values():
            body = schemas[content["schema"]["$ref"].removeprefix(SCHEMAS)]
            if asked & body["properties"].keys() and name not in IN_BOTH:
                yield name


def client_names_do_not_collide(document: Json) -> Iterator[str]:
    places = [
        tuple(operation["x-portico"]["client"])
        for _, operation in operations(document)
        if "client" in operation["x-portico"]
    ]
    yield from (".".join(place) for place in twice(places))
    yield from (".".join(place) for place in places if not all(word.isidentifier() for word in place))


def plugins_are_listed(document: Json) -> Iterator[str]:
    owners = {operation["x-portico"]["plugin"] for _, operation in operations(document)} - {"core"}
    owners |= {
        part["x-portico"]["plugin"]
        for name, schema in document["components"]["schemas"].items()
        for _, part in parts(schema, name)
        if "x-portico" in part
    }
    yield from owners - set(document["x-portico"]["plugins"])


def parts(schema: Json, where: str) -> Iterator[tuple[str, Json]]:
    yield where, schema
    for name, each in schema.get("properties", {}).items():
        yield from parts(each, f"{where}.{name}")
    if "items" in schema:
        yield from parts(schema["items"], f"{where}[]")
    for index, each in enumerate((*schema.get("anyOf", ()), *schema.get("allOf", ()))):
        yield from parts(each, f"{where}|{index}")


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in cast("Json", value).items():
            if name == "$ref":
                yield str(each)
            yield from references(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from references(each)


RULES: tuple[Rule, ...] = (
    is_openapi_31,
    operation_ids_are_unique,
    operations_have_a_summary_a_tag_and_security,
    security_is_none_or_cookie_or_bearer,
    bodies_are_named,
    json_replies_are_named,
    refusals_are_shared_and_list_their_codes,
    every_operation_tells_its_refusals,
    scalars_that_may_be_null_say_so_in_their_type,
    nothing_is_empty,
    everything_named_is_used,
    no_name_is_in_body_and_query,
    client_names_do_not_collide,
    plugins_are_listed,
)
