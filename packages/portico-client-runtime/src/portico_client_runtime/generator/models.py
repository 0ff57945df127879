"""Components of a description → pydantic models, by datamodel-code-generator."""

import ast
import json
from collections.abc import Mapping
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from datamodel_code_generator.__main__ import main

from portico_client_runtime.generator.description import Json
from portico_client_runtime.generator.errors import GeneratorError
from portico_client_runtime.generator.names import field_name

OPTIONS = (
    *("--ignore-pyproject", "--disable-timestamp", "--no-formatters", "--strict-refs"),
    *("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel"),
    *("--target-python-version", "3.11", "--disable-future-imports"),
    *("--base-class", "portico_client_runtime.model.Model"),
    *("--snake-case-field", "--use-annotated", "--strict-nullable", "--enum-field-as-literal", "all"),
    *("--use-standard-collections", "--use-union-operator", "--use-type-alias", "--use-exact-imports"),
    *("--use-schema-description", "--use-field-description"),
    # A server's idea of an address or a URL is its own to check.
    *("--type-mappings", "email=string", "uri=string", "uri-reference=string"),
    *("--output-datetime-class", "datetime"),
)
DOCSTRING = '"""What the server answers with, and what arguments are made of."""'


def source(schemas: Mapping[str, Json], folder: Path, marker: str) -> str:
    """Return the text of the module of models, one class or alias for each of `schemas`.

    Raises:
        GeneratorError: datamodel-code-generator refused, or named something else than asked.
    """
    given, made = folder / "components.json", folder / "models.py"
    document = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}}
    given.write_text(json.dumps({**document, "components": {"schemas": schemas}}), encoding="utf-8")
    if not schemas:
        return f"{marker}\n{DOCSTRING}\n"
    said = StringIO()
    # In this process, because starting another one takes longer than all the rest.
    with redirect_stderr(said):
        failed = main(
            [
                *(*OPTIONS, "--aliases", _aliases(schemas), "--custom-file-header", f"{marker}\n{DOCSTRING}"),
                *("--input", str(given), "--output", str(made)),
            ]
        )
    if failed:
        raise GeneratorError(f"datamodel-code-generator made no models: {said.getvalue().strip()[-2000:]}")
    text = made.read_text(encoding="utf-8")
    _require_classes(text, schemas)
    return text


def _aliases(schemas: Mapping[str, Json]) -> str:
    """Return the name of every field, so that models and signatures agree on how to spell a name."""
    wires = sorted({wire for schema in schemas.values() for wire in schema.get("properties", {})})
    names = {wire: field_name(wire, "A component") for wire in wires}
    return json.dumps({wire: name for wire, name in names.items() if name != wire})


def _require_classes(text: str, schemas: Mapping[str, Json]) -> None:
    """Refuse a module that lacks a model, or that does anything but declare some."""
    found: set[str] = set()
    for statement in ast.parse(text).body:
        match statement:
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)], value=ast.Call()):
                found.add(name)
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="model_rebuild"))):
                pass
            case _:
                raise GeneratorError(f"a component became {ast.unparse(statement)[:200]!r}, which is no model")
    missing = sorted(schemas.keys() - found)
    if missing:
        raise GeneratorError(f"no model could be called {', '.join(missing)}: rename the component")
