"""Options as anybody may read them: what could be a secret is left out unless it is known to be none."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeGuard, get_args, get_origin
from urllib.parse import urlsplit

from portico import options as core
from portico.auth import Auth
from portico.rate_limit import RateLimit
from portico.store.database_url import DatabaseUrl
from portico.strict import resolved

HIDDEN = "[redacted]"
TEXT = "[text]"
"""Stands for a text that the application chose and that could be a secret for all we know."""
USUAL: Mapping[str, Any] = {
    "email_verification": core.EmailVerification(),
    "on_api_error": core.OnApiError(),
    "rate_limit": core.RateLimitOptions(),
    **resolved({}),
}
"""The groups as they are if nobody says anything."""
PLAIN = ("app_name", "base_path", "disabled_paths", "naming", "security", "trusted_origins")
"""Options of the first level that are shown as they are."""
KINDS = tuple(kind for name in core.__all__ if isinstance(kind := getattr(core, name), type) and is_dataclass(kind))
"""The core's groups of options, in which no text is a secret."""


def options_of(auth: Auth[Any]) -> dict[str, Any]:
    """Return the options of an Auth by their dotted names, as JSON."""
    shown: dict[str, Any] = {}
    for name, value in auth.options.items():
        if isinstance(value, KINDS):
            shown |= _group(name, value)
        else:
            shown[name] = _option(name, value)
    return shown


def changed(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the options that are not as they would be if nobody had said anything."""
    usual = {path: value for name, group in USUAL.items() for path, value in _group(name, group).items()}
    return {name: value for name, value in shown.items() if name not in usual or usual[name] != value}


def described(value: object) -> dict[str, Any]:
    """Return the options of a plugin of whatever origin by their dotted names; any text in them could be a secret."""
    if not is_dataclass(value) or isinstance(value, type):
        return {}
    shown: dict[str, Any] = {}
    for field in fields(value):
        known = getattr(value, field.name)
        is_closed = isinstance(known, str) and _is_closed(field.type)
        group = described(known)
        shown |= {f"{field.name}.{name}": each for name, each in group.items()}
        if not group:
            shown[field.name] = known if is_closed else _foreign(known)
    return shown


def without(secrets: Iterable[str], value: Any) -> Any:
    """Return JSON in which no text holds one of `secrets`."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if is_mapping(value):
        return {without(secrets, name): without(secrets, each) for name, each in value.items()}
    return [without(secrets, each) for each in value] if is_many(value) else value


def database_shown(database: object) -> Any:
    """Return a database's URL without who enters it and how; the kind of anything else."""
    if not isinstance(database, str):
        return None if database is None else _name(type(database))
    parsed = DatabaseUrl(database)
    if parsed.kind == "sqlite":
        return f"sqlite://{parsed.rest}"
    parts = urlsplit(database)
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parsed.kind}://{parts.hostname or ''}{port}{parts.path}"


def _option(name: str, value: Any) -> Any:
    if name == "database":
        return database_shown(value)
    if name in {"secret", "secrets"}:
        return HIDDEN if name == "secret" else [version for version, _ in value]
    if name == "social_providers":
        return [provider.id for provider in value]
    if name == "additional_fields":
        return {table: list(columns) for table, columns in value.items()}
    if name == "base_url" and isinstance(value, str):
        return value
    return _known(value) if name in PLAIN else _foreign(value)


def _group(name: str, group: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for field in fields(group):
        value, path = getattr(group, field.name), f"{name}.{field.name}"
        if isinstance(value, KINDS):
            shown |= _group(path, value)
        else:
            shown[path] = _known(value)
    return shown


def _known(value: Any) -> Any:
    """Return a value of the core's options."""
    if isinstance(value, str):
        return value
    if isinstance(value, RateLimit):
        return limit_shown(value)
    if is_mapping(value):
        return {str(key): _known(each) for key, each in value.items()}
    if is_many(value):
        return [_known(each) for each in value]
    return _foreign(value)


def _foreign(value: Any) -> Any:
    """Return a value of which only its kind can be told, unless it is a number or a switch."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return TEXT
    if isinstance(value, logging.Logger):
        return f"logger {value.name}"
    if is_many(value):
        return [_foreign(each) for each in value]
    return _name(value)


def limit_shown(limit: RateLimit | Literal[False]) -> str | bool:
    """Return a rate limit in words."""
    return f"{limit.max} in {limit.window} s" if isinstance(limit, RateLimit) else limit


def is_many(value: object) -> TypeGuard[Iterable[Any]]:
    """Tell whether a value is several."""
    return isinstance(value, list | tuple | set | frozenset)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Tell whether a value is several by name."""
    return isinstance(value, Mapping)


def _name(value: object) -> str:
    """Return the name of a function or class; of anything else, that of its class."""
    kind = type(value)
    module: str | None = getattr(value, "__module__", None)
    name: str = getattr(value, "__qualname__", kind.__qualname__)
    return name if module in {None, "builtins"} else f"{module}.{name}"


def _is_closed(annotation: Any) -> bool:
    return get_origin(annotation) is Literal or any(_is_closed(each) for each in get_args(annotation))
