"""What the source says about the fields of a message: the string below each of them."""

import ast
import inspect
import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from textwrap import dedent

from pydantic import BaseModel


def descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the texts below the fields of a model and its bases, by Python name.

    Pydantic can read them, too, when it makes a class; here it costs those only who want a document.
    """
    return {name: text for kind in reversed(model.__mro__) for name, text in _of_class(kind).items()}


@cache
def _of_class(kind: type) -> Mapping[str, str]:
    if not issubclass(kind, BaseModel) or kind is BaseModel:
        return {}
    try:
        tree = ast.parse(dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        # Made at run time, or without its source.
        return {}
    return dict(_texts(tree))


def _texts(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for definition in tree.body:
        body = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    yield name, " ".join(said.split())
                case _:
                    pass
