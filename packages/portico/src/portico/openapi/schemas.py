"""Messages and rows → the named schemas of the document, with what each plugin adds to them marked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from portico.openapi.descriptions import descriptions
from portico.wire import Needed

Json = dict[str, Any]
Asked = tuple[type[BaseModel], JsonSchemaMode]
"""A model, and whether it is read or written."""

REF = "#/components/schemas/{model}"
NULL: Json = {"type": "null"}
MARK = "x-portico"
"""Where the document says what no standard keyword says."""


class _Schemas(GenerateJsonSchema):
    """Writes schemas as OpenAPI 3.1 readers like them: `type: [x, "null"]`, no titles, no `default: null`."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if isinstance(inner.get("type"), str) and not inner.keys() & {"enum", "const"}:
            return {**inner, "type": [inner["type"], "null"]}
        return self.get_flattened_anyof([inner, NULL])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None or self.mode == "serialization":
            # What was not passed is left out: None is how Python says so, and a reply says itself what is in it.
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for name, text in descriptions(model).items():
            wire = model.model_fields[name].alias or name if name in model.model_fields else name
            if wire in described.get("properties", {}):
                described["properties"][wire].setdefault("description", text)
        needed = [
            info.alias or name
            for name, info in model.model_fields.items()
            if any(isinstance(each, Needed) for each in info.metadata)
        ]
        if needed:
            described["required"] = [*described.get("required", ()), *needed]
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def normalize_name(self, name: str) -> str:
        # A generic message is filled with the rows of one Auth, so its own name says enough.
        return super().normalize_name(name.partition("[")[0])


class Components:
    """The named schemas of one document."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        every = list(dict.fromkeys(asked))
        self._refs, definitions = models_json_schema(every, ref_template=REF, schema_generator=_Schemas)
        self.schemas: dict[str, Json] = definitions.get("$defs", {})
        for schema in self.schemas.values():
            schema.pop("title", None)

    def of(self, model: type[BaseModel], mode: JsonSchemaMode) -> Json:
        """Return the reference to a model."""
        return self._refs[model, mode]

    def named(self, model: type[BaseModel]) -> Json | None:
        """Return the reference to a model that messages of this document contain."""
        return {"$ref": REF.format(model=model.__name__)} if model.__name__ in self.schemas else None

    def resolved(self, schema: Json) -> Json:
        """Return what a reference points to."""
        reference = schema.get("$ref")
        return self.schemas[name_of(reference)] if reference else schema

    def name(self, name: str, schema: Json) -> Json:
        """Give a schema a name, unless it is a reference already, and return the reference."""
        if "$ref" in schema:
            return schema
        self.schemas[name] = schema
        return {"$ref": REF.format(model=name)}

    def prune(self, *roots: Json) -> None:
        """Leave out what nothing refers to, such as the messages that a query is read as."""
        found: set[str] = set()
        waiting = [*roots]
        while waiting:
            for name in sorted(_references(waiting.pop()) - found):
                found.add(name)
                waiting.append(self.schemas[name])
        self.schemas = {name: schema for name, schema in self.schemas.items() if name in found}

    def mark(self, schema: Json, wires: Iterable[str], plugin: str, *, is_published: bool) -> None:
        """Say which properties a plugin adds; a published document describes servers without the plugin, too."""
        marked = self.resolved(schema)
        names = [wire for wire in wires if wire in marked.get("properties", {})]
        for name in names:
            described = marked["properties"][name]
            # A sibling of $ref says nothing more than the reference does to older readers.
            marked["properties"][name] = (
                {"allOf": [described], MARK: {"plugin": plugin}}
                if "$ref" in described
                else {**described, **_by(plugin)}
            )
        if is_published:
            required = [name for name in marked.get("required", ()) if name not in names]
            marked["required"] = required

    def mark_whole(self, schema: Json, plugin: str) -> None:
        """Say that only a plugin answers with this schema."""
        self.resolved(schema).update(_by(plugin))


def _by(plugin: str) -> Json:
    return {MARK: {"plugin": plugin}}


def name_of(reference: str) -> str:
    """Return the name in a reference to a schema."""
    return reference.rpartition("/")[2]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of which a reply is made: `Sequence[Row]`, `Message | None` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for each in get_args(annotation):
        yield from models_in(each)


def schema_of(reply: Any, components: Components) -> Json:
    """Return the schema of one reply that is no union."""
    if reply is type(None):
        return dict(NULL)
    if isinstance(reply, type) and issubclass(reply, BaseModel):
        return components.of(reply, "serialization")
    (row,) = models_in(reply)
    return {"type": "array", "items": components.of(row, "serialization")}


def any_of(schemas: Sequence[Json]) -> Json:
    """Return the union of schemas."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def properties(schema: Mapping[str, Any]) -> Mapping[str, Json]:
    """Return the properties of an object schema."""
    return cast("Mapping[str, Json]", schema.get("properties", {}))


def _references(value: object) -> set[str]:
    """Return the names of the schemas that a part of the document refers to."""
    if isinstance(value, list):
        return {name for each in cast("list[object]", value) for name in _references(each)}
    if not isinstance(value, dict):
        return set()
    members = cast("Json", value)
    own = {name_of(members["$ref"])} if str(members.get("$ref", "")).startswith(REF.format(model="")) else set[str]()
    return own | {name for each in members.values() for name in _references(each)}
