"""Every way in which a module is made wrong: mutmut's operators, and two of our own.

What people read is left alone, since tests assert codes; so are types, decorators and, outside functions,
everything but literals: whatever else is wrong there breaks the import, which any test notices.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import libcst as cst
from libcst import matchers as m
from mutmut.mutation.mutators import OPERATORS_TYPE, mutation_operators, operator_name, operator_number, operator_string

from mutants.mutant import Change, Mutant


def _forced(node: cst.If) -> Iterable[cst.If]:
    """Take a branch always, and never: a guard that is left out."""
    for value in ("True", "False"):
        yield node.with_changes(test=cst.Name(value))


def _left_out(node: cst.Expr) -> Iterable[cst.Pass]:
    """Leave out a call that is made for what it does."""
    if m.matches(node.value, m.Call() | m.Await()):
        yield cst.Pass()


# Names of codecs, digests and header fields are the same in any case.
CODECS = {"utf-8", "ascii", "latin-1", "sha256"}
FIELDS = {"cookie", "host", "origin", "referer", "user-agent", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site"}
CASELESS = frozenset(CODECS | FIELDS)


def _text(node: cst.BaseString) -> Iterable[cst.BaseString]:
    """Change a text as mutmut does, but for changes of its case that change nothing."""
    for wrong in operator_string(node):
        if isinstance(node, cst.SimpleString) and isinstance(wrong, cst.SimpleString):
            text = node.raw_value
            if text in CASELESS and wrong.raw_value.lower() == text:
                continue
        yield wrong


LITERALS: OPERATORS_TYPE = [
    (cst.BaseNumber, operator_number),
    (cst.BaseString, _text),
    (cst.Name, operator_name),
]
OPERATORS: OPERATORS_TYPE = [
    *((kind, _text if operator is operator_string else operator) for kind, operator in mutation_operators),
    (cst.If, _forced),
    (cst.Expr, _left_out),
]

LOGGER = m.Name("logger") | m.Attribute(attr=m.Name("logger"))
FOR_PEOPLE = m.Raise(exc=m.Call(func=~m.Name("ApiError"))) | m.Call(func=m.Attribute(value=LOGGER))
OF_TYPES = m.Annotation() | m.Subscript(value=m.Name("Literal")) | m.Call(func=m.Name("TypeVar"))
LEFT_ALONE = FOR_PEOPLE | OF_TYPES | m.Decorator()


def mutants(module: str, text: str) -> list[Mutant]:
    """Return every mutant of a module."""
    tree = cst.parse_module(text)
    places = _Places()
    tree.visit(places)
    right: dict[cst.CSTNode, str] = {}
    wrong: dict[tuple[str, str], Mutant] = {}
    for place in places.found:
        before = right.setdefault(place.unit, tree.code_for_node(place.unit))
        after = place.code(tree)
        if after != before and _is_python(after):
            old, new = _difference(before.splitlines(), after.splitlines())
            change = Change(module=module, scope=place.scope, before=old, after=new)
            wrong[place.scope, after] = Mutant(change=change, write=partial(place.text, tree))
    return list(_told_apart(wrong.values()))


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A node, and what it may be changed to."""

    scope: str
    unit: cst.CSTNode
    """The function or statement round it: to write a whole module for each change takes minutes."""
    right: cst.CSTNode
    wrong: cst.CSTNode

    def code(self, tree: cst.Module) -> str:
        """Return the unit as it is changed."""
        return tree.code_for_node(self.unit.deep_replace(self.right, self.wrong))

    def text(self, tree: cst.Module) -> str:
        """Return the module as it is changed."""
        changed = tree.deep_replace(self.right, self.wrong)
        return changed.code if isinstance(changed, cst.Module) else ""


class _Places(cst.CSTVisitor):
    """Finds the nodes that can be changed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Place] = []
        self._scope: list[str] = []
        self._functions: list[cst.FunctionDef] = []
        self._line: cst.SimpleStatementLine | None = None

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scope.append(node.name.value)
        if isinstance(node, cst.FunctionDef):
            self._functions.append(node)
        if isinstance(node, cst.SimpleStatementLine):
            self._line = node
        if m.matches(node, LEFT_ALONE):
            return False
        operators, unit = (OPERATORS, self._functions[0]) if self._functions else (LITERALS, self._line)
        scope = ".".join(self._scope)
        for kind, operator in operators:
            if unit is not None and isinstance(node, kind):
                self.found += [_Place(scope=scope, unit=unit, right=node, wrong=wrong) for wrong in operator(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._scope.pop()
            self._line = None
        if isinstance(original_node, cst.FunctionDef):
            self._functions.pop()
        if isinstance(original_node, cst.SimpleStatementLine):
            self._line = None


def _is_python(code: str) -> bool:
    try:
        compile(code, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _difference(old: list[str], new: list[str]) -> tuple[str, str]:
    """Return the lines that differ, each side on one line."""
    shorter = min(len(old), len(new))
    top = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    bottom = next((at for at in range(shorter - top) if old[-1 - at] != new[-1 - at]), shorter - top)
    sides = (old[top : len(old) - bottom], new[top : len(new) - bottom])
    before, after = (" ".join(line.strip() for line in side) for side in sides)
    return before, after


def _told_apart(found: Iterable[Mutant]) -> Iterator[Mutant]:
    """Number the changes of a function that read alike."""
    seen: dict[Change, int] = {}
    for mutant in found:
        change = mutant.change
        times = seen[change] = seen.get(change, 0) + 1
        if times > 1:
            after = f"{change.after}  # {times}"
            change = Change(module=change.module, scope=change.scope, before=change.before, after=after)
        yield Mutant(change=change, write=mutant.write)
