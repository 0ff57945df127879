"""What users of a client see of it, read from its modules, and how two of them differ."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

OPERATIONS, MODELS, CODES = "sync.py", "models.py", "error_codes.py"
ROOT = "AuthClient"
REPLY = "its reply"

Members = Mapping[str, str]
"""Types by name."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """The operations, models and codes of a client."""

    operations: Mapping[str, Members] = field(default_factory=dict[str, Members])
    """Parameters and reply, by attribute path."""
    models: Mapping[str, Members] = field(default_factory=dict[str, Members])
    codes: frozenset[str] = frozenset()


def surface(files: Mapping[str, str]) -> Surface:
    """Return what the modules of a client offer; what cannot be read offers nothing."""
    classes = {each.name: each for each in _body(files, OPERATIONS) if isinstance(each, ast.ClassDef)}
    root = classes.get(ROOT)
    return Surface(
        operations=dict(_operations(root, classes, "")) if root else {},
        models=dict(_models(_body(files, MODELS))),
        codes=frozenset(_codes(_body(files, CODES))),
    )


def compare(old: Surface, new: Surface) -> Sequence[str]:
    """Return a line for every operation, field and code that was added (+), removed (-) or changed (~)."""
    return [
        *_compared(old.operations, new.operations, "client.{name}"),
        *_compared(old.models, new.models, "models.{name}"),
        *(f"+ code {code}" for code in sorted(new.codes - old.codes)),
        *(f"- code {code}" for code in sorted(old.codes - new.codes)),
    ]


def _compared(old: Mapping[str, Members], new: Mapping[str, Members], label: str) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        said = label.format(name=name)
        if name not in old:
            yield f"+ {said}"
        elif name not in new:
            yield f"- {said}"
        else:
            yield from (f"~ {said}: {change}" for change in _changes(old[name], new[name]))


def _changes(old: Members, new: Members) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        if name not in old:
            yield f"+ {name}: {new[name]}"
        elif name not in new:
            yield f"- {name}"
        elif old[name] != new[name]:
            yield f"{name}: {old[name]} → {new[name]}"


def _body(files: Mapping[str, str], name: str) -> Sequence[ast.stmt]:
    try:
        return ast.parse(files.get(name, "")).body
    except SyntaxError:
        return ()


def _operations(group: ast.ClassDef, classes: Mapping[str, ast.ClassDef], prefix: str) -> Iterator[tuple[str, Members]]:
    for member in group.body:
        if not isinstance(member, ast.FunctionDef):
            continue
        path = prefix.rstrip(".") if member.name == "__call__" else prefix + member.name
        below = classes.get(ast.unparse(member.returns)) if member.returns and member.decorator_list else None
        if below is not None:
            yield from _operations(below, classes, f"{path}.")
        elif member.returns is not None:
            parameters = {each.arg: _type(each.annotation) for each in member.args.kwonlyargs}
            yield path, {**parameters, REPLY: ast.unparse(member.returns)}


def _models(body: Sequence[ast.stmt]) -> Iterator[tuple[str, Members]]:
    for statement in body:
        match statement:
            case ast.ClassDef(name=name):
                fields = [each for each in statement.body if isinstance(each, ast.AnnAssign)]
                yield name, {ast.unparse(each.target): _type(each.annotation) for each in fields}
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[_, described])):
                yield name, {"it": ast.unparse(described)}
            case _:
                pass


def _type(annotation: ast.expr | None) -> str:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[described, *_])):
            return ast.unparse(described)
        case None:
            return ""
        case _:
            return ast.unparse(annotation)


def _codes(body: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id="ErrorCode"), value=ast.Subscript(slice=described)):
                listed = described.elts if isinstance(described, ast.Tuple) else [described]
                yield from (str(each.value) for each in listed if isinstance(each, ast.Constant))
            case _:
                pass
