"""An Auth with a column of every kind, under names and ids of several sorts, and a look at generated source."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from types import ModuleType
from typing import Annotated, Any

from app import plain
from portico import AdvancedOptions, Auth, Column, DatabaseOptions, RateLimitOptions
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username

FIELDS: Mapping[str, Any] = {
    "shoe_size": (Annotated[int | None, Column(input=True)], None),
    "score": (float, 0.5),
    "steps": (Annotated[int | None, Column(big=True)], None),
    "settings": (dict[str, Any] | None, None),
    "metadata": (dict[str, Any] | None, None),
    "tags": (Annotated[list[str] | None, Column(input=True)], None),
    "nickname": (Annotated[str | None, Column(unique=True)], None),
    "born_at": (Annotated[datetime | None, Column(input=True)], None),
    "class_": (Annotated[str | None, Column(field_name="class", index=True)], None),
    "chief_id": (Annotated[str | None, Column(references="user.id", on_delete="set null")], None),
}


def ids(strategy: Any) -> Mapping[str, Any]:
    return {"advanced": AdvancedOptions(database=DatabaseOptions(generate_id=strategy))}


VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "letters": {},
    "serial": ids("serial"),
    "uuid": ids("uuid"),
    "database": ids("database"),
    "snake": {"naming": "snake"},
}


def described(variant: str, database: Any) -> Auth[Any]:
    return plain(
        TwoFactor(issuer="Acme"),
        Username(),
        **{
            "database": database,
            "additional_fields": {"user": FIELDS},
            "rate_limit": RateLimitOptions(enabled=False, storage="database"),
            **VARIANTS[variant],
        },
    )


def loaded(source: str, name: str) -> ModuleType:
    """Return a module made of source."""
    module = ModuleType(name)
    # Annotations are looked up there.
    sys.modules[name] = module
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


def is_formatted(source: str) -> bool:
    """Tell whether a formatter would leave the source as it is."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "-"]
    return subprocess.run(command, input=source, text=True, capture_output=True, check=False).returncode == 0
