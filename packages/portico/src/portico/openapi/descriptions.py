"""What the source says about the fields of a message: the string below each of them."""

import ast
import inspect
import itertools
import sys
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
    if not issubclass(kind, BaseModel) or kind is BaseModel or _is_made_at_run_time(kind):
        return {}
    try:
        tree = ast.parse(dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        # Its source is not there.
        return {}
    return dict(_texts(tree))


def _is_made_at_run_time(kind: type) -> bool:
    """Tell whether no source declares a class, such as a row with the columns of one Auth, or a filled generic message.

    The class that it was made from is among its bases. Only a look saves `inspect` from reading the whole module.
    """
    name = kind.__qualname__
    is_of_module = "<locals>" not in name and "." not in name
    return is_of_module and getattr(sys.modules.get(kind.__module__), name, None) is not kind


def _texts(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for definition in tree.body:
        body = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    yield name, " ".join(said.split())
                case _:
                    pass
