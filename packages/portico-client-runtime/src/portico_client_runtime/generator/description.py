"""What a generated client is made of: operations in groups, their parameters, codes and models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Place = Literal["path", "query", "body"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One argument of a method."""

    name: str
    wire: str
    where: Place
    type: str
    """As a signature says it."""
    required: bool
    doc: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of the client."""

    id: str
    method: str
    path: str
    client: tuple[str, ...]
    """Attributes that lead to it."""
    plugin: str
    signals: tuple[str, ...]
    idempotent: bool
    deprecated: bool
    summary: str
    doc: str
    parameters: Sequence[Parameter]
    """Those that must be given first."""
    constants: Mapping[str, object]
    """What its body always says, by wire name."""
    has_body: bool
    reply: str
    """The type of what it answers, as a signature says it."""
    codes: Mapping[int, Sequence[str]]
    """Codes of its refusals, by status."""

    @property
    def constant(self) -> str:
        """Return the name of its constant in the module `operations`."""
        return "_".join(self.client).upper()

    @property
    def name(self) -> str:
        """Return the name of its method."""
        return self.client[-1]

    def sent_in(self, where: Place) -> Sequence[Parameter]:
        """Return the parameters that travel in the path, the query or the body."""
        return [parameter for parameter in self.parameters if parameter.where == where]


@dataclass(kw_only=True)
class Group:
    """One resource class: the operations under a client path, and the groups below it."""

    client: tuple[str, ...]
    call: Operation | None = None
    """What calling the resource itself does."""
    operations: dict[str, Operation] = field(default_factory=dict[str, Operation])
    groups: dict[str, "Group"] = field(default_factory=dict[str, "Group"])

    @property
    def name(self) -> str:
        """Return the attribute that it is reached by."""
        return self.client[-1]

    @property
    def class_name(self) -> str:
        """Return the name of its class; the asynchronous one has `Async` in front."""
        return "".join(word.capitalize() for name in self.client for word in name.split("_")) + "Resource"

    def below(self) -> Iterator["Group"]:
        """Yield every group under this one, the deepest first."""
        for group in self.groups.values():
            yield from group.below()
            yield group


@dataclass(frozen=True, kw_only=True)
class Description:
    """A server, as far as a client needs to know it."""

    title: str
    base_path: str
    plugins: Sequence[str]
    operations: Sequence[Operation]
    root: Group
    session: str
    """The type of a session, as a signature says it."""
    session_operation: Operation
    codes: Sequence[str]
    schemas: Mapping[str, Json]
    """Components that become models, by the name of their class."""
