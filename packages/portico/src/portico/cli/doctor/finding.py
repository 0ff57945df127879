"""One item of the checklist, and what the checks look at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from portico.auth import Auth

Outcome = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found about one item; nothing of it is secret."""

    id: str
    """Stays the same from one version to the next."""
    outcome: Outcome
    says: str
    remedy: str = ""
    """What to do; empty where nothing is to be done."""


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What was found out by asking database and secondary storage."""

    missing: Sequence[str] = ()
    """What the database lacks: tables, columns, indexes."""
    in_the_way: Sequence[str] = ()
    """Why that cannot simply be created, or what is there in its place."""
    database_problem: str | None = None
    """Why the database could not be asked."""
    secondary_problem: str | None = None
    """Why secondary storage could not be used."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """Everything that the checks look at."""

    auth: Auth[Any]
    target: str
    """How the command line names it."""
    environment: Mapping[str, str]
    probed: Probed


Check = Callable[[Examined], Iterator[Finding]]


def item(name: str, outcome: Outcome, says: str, remedy: str = "") -> Finding:
    """Return a finding."""
    return Finding(id=name, outcome=outcome, says=says, remedy=remedy)


def judged(name: str, bad: Outcome, is_bad: bool, *, good: str, says: str, remedy: str) -> Finding:
    """Return a finding that passes with `good`, or is `bad` and says why and what to do."""
    return item(name, bad, says, remedy) if is_bad else item(name, "pass", good)
