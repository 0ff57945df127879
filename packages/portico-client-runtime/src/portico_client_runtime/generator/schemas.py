"""JSON schemas as type expressions, and the components that those refer to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from portico_client_runtime.generator.description import Json
from portico_client_runtime.generator.errors import GeneratorError
from portico_client_runtime.generator.names import class_name, field_name, require_distinct

PREFIX = "#/components/schemas/"
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
DATE_TIME = "date-time"


class Schemas:
    """The components of a description, with their names in Python."""

    def __init__(self, components: Mapping[str, Json]) -> None:
        self._components = components
        self._classes = {name: class_name(name) for name in components}
        require_distinct(((made, name) for name, made in self._classes.items()), "The description")

    def named(self, schema: Json, where: str) -> tuple[str, Json]:
        """Return the name and the schema of the component that `schema` refers to."""
        reference = str(schema.get("$ref", ""))
        name = reference.removeprefix(PREFIX)
        if not reference.startswith(PREFIX) or name not in self._components:
            raise GeneratorError(f"{where} must refer to a component of the description, not to {reference or schema}")
        return name, self._components[name]

    def input(self, schema: Json, where: str) -> str:
        """Return the type of an argument."""
        if "$ref" in schema:
            name, component = self.named(schema, where)
            # A list in a signature takes lists of exactly its type, so sequences are written out.
            return self.input(component, where) if component.get("type") == "array" else f"models.{self._classes[name]}"
        if "const" in schema or "enum" in schema:
            return _literal(schema.get("enum", [schema.get("const")]))
        variants = self._variants(schema)
        return _union(self.input(each, where) for each in variants) if variants else self._plain(schema, where)

    def _variants(self, schema: Json) -> Sequence[Json]:
        """Return the schemas of which a value has to meet one, if there are such."""
        if isinstance(schema.get("type"), list):
            return [{**schema, "type": each} for each in schema["type"]]
        every: Sequence[Json] = schema.get("allOf", ())
        some: Sequence[Json] = schema.get("anyOf") or schema.get("oneOf") or ()
        return every if len(every) == 1 else some

    def _plain(self, schema: Json, where: str) -> str:
        kind = schema.get("type")
        if kind == "array":
            return f"Sequence[{self.input(schema.get('items', {}), where)}]"
        if kind == "object":
            # True or False say nothing about the values.
            values: Json | bool = schema.get("additionalProperties", True)
            return f"Mapping[str, {'Any' if isinstance(values, bool) else self.input(values, where)}]"
        if kind == "string" and schema.get("format") == DATE_TIME:
            return "datetime"
        if kind in SCALARS:
            return SCALARS[kind]
        if kind is None and not schema.keys() - {"title", "description", "default", "x-portico"}:
            return "Any"
        raise GeneratorError(f"{where} has a schema that no signature can say: {schema}")

    def reply(self, schema: Json, where: str) -> str:
        """Return the type of an answer, a union written out so that `match` shows its cases."""
        if schema.get("type") == "null":
            return "None"
        name, component = self.named(schema, where)
        variants = component.get("anyOf") or component.get("oneOf")
        if not variants:
            return f"models.{self._classes[name]}"
        if len(variants) - ({"type": "null"} in variants) > 1:
            for variant in variants:
                self._require_distinguishable(variant, where)
        # Of two that a value may be, pydantic takes the first: who requires more stands in front.
        return _union(self.reply(variant, where) for variant in sorted(variants, key=self._how_vague))

    def _how_vague(self, variant: Json) -> int:
        if "$ref" not in variant:
            return 1
        return -len(self.named(variant, "An answer")[1].get("required", ()))

    def _require_distinguishable(self, variant: Json, where: str) -> None:
        if variant.get("type") == "null":
            return
        name, component = self.named(variant, where)
        if component.get("type") == "object" and not component.get("required"):
            raise GeneratorError(f"{where} may be {name!r}, which requires nothing and so is every answer: name a key")

    def models(self, types: Iterable[Json]) -> dict[str, Json]:
        """Return the components that the given schemas need, ready to become models, by the name of their class."""
        needed: dict[str, None] = {}
        waiting = [reference for schema in types for reference in references(schema)]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed[name] = None
                waiting.extend(references(self._components[name]))
        # In the order of the description, whatever asked for them first.
        return {self._classes[name]: self._model(name) for name in self._components if name in needed}

    def _model(self, name: str) -> Json:
        component = cast("Json", self._renamed(self._components[name]))
        fields = component.get("properties", {})
        where = f"The component {name!r}"
        require_distinct(((field_name(wire, where), wire) for wire in fields), where)
        component["properties"] = {wire: _documented(schema) for wire, schema in fields.items()}
        if not fields:
            del component["properties"]
        component.pop("title", None)
        return component

    def _renamed(self, value: object) -> object:
        if isinstance(value, list):
            return [self._renamed(each) for each in cast("list[object]", value)]
        if not isinstance(value, dict):
            return value
        given = cast("Json", value)
        if isinstance(given.get("$ref"), str):
            name, _ = self.named(given, "A component")
            return {**given, "$ref": PREFIX + self._classes[name]}
        return {key: self._renamed(each) for key, each in given.items()}


def references(schema: object) -> Iterator[str]:
    """Yield the names of the components that a schema refers to."""
    if isinstance(schema, list):
        for each in cast("list[object]", schema):
            yield from references(each)
    elif isinstance(schema, dict):
        given = cast("Json", schema)
        if isinstance(given.get("$ref"), str):
            yield given["$ref"].removeprefix(PREFIX)
        for each in given.values():
            yield from references(each)


def _documented(schema: Json) -> Json:
    """Say in the field's description which plugin it comes from, and leave out what is not for models."""
    described = {key: value for key, value in schema.items() if key not in {"title", "x-portico"}}
    plugin = schema.get("x-portico", {}).get("plugin")
    if plugin is not None:
        described["description"] = f"{schema.get('description', '')} Of the plugin `{plugin}`.".strip()
    return described


def _literal(values: Iterable[object]) -> str:
    return f"Literal[{', '.join(repr(value) for value in values)}]"


def _union(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(types))
