"""Python names for what the wire calls something else."""

import builtins
import keyword
import re
from collections.abc import Iterable

from pydantic import BaseModel

from portico_client_runtime.generator.errors import GeneratorError

WIRE_NAME = re.compile(r"[A-Za-z0-9_$.\-]+")
ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*")
COMPONENT = re.compile(r"[A-Za-z0-9_.\-]+")

RUNTIME_NAMES = frozenset(
    {
        "aclose",
        "authenticate",
        "base_url",
        "call",
        "close",
        "cookie_header",
        "cookies",
        "fetch",
        "plugin",
        "send",
        "session",
        "store",
        "with_options",
        "with_raw_response",
    }
)
"""Attributes of every client, which no operation may hide."""

MODULE_NAMES = frozenset({"bool", "cached_property", "datetime", "float", "int", "models", "operations", "str"})
"""What classes are written with, which an attribute of the same name would hide."""

PARAMETER_NAMES = frozenset({"models", "operations", "options", "self"})
"""What every method has besides its own parameters."""

FIELD_NAMES = frozenset(name for name in dir(BaseModel) if not name.startswith("_"))
"""What every model has besides its own fields."""


def snake_case(name: str) -> str:
    """Return `callback_url` for `callbackURL`, `totp_uri` for `totpURI`, `oauth_token` for `OAuthToken`."""
    text = re.sub(r"OAuth", "Oauth", name)
    text = re.sub(r"([A-Z]{2,})s(?![a-z])", lambda found: found[1].capitalize() + "s", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def pascal_case(name: str) -> str:
    """Return `SignedInUser` for `SignedIn_User_` and `TwoFactor` for `two-factor`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def parameter_name(wire: str, where: str) -> str:
    """Return the Python name of a parameter."""
    return _usable(wire, PARAMETER_NAMES, where)


def field_name(wire: str, where: str) -> str:
    """Return the Python name of a model's field."""
    return _usable(wire, FIELD_NAMES, where)


def class_name(component: str) -> str:
    """Return the name of the class for a component of the description."""
    name = pascal_case(component) if COMPONENT.fullmatch(component) else ""
    if not name.isidentifier() or keyword.iskeyword(name) or hasattr(builtins, name):
        raise GeneratorError(f"no class can be called after the component {component!r}: rename it")
    return name


def attribute_name(segment: str, where: str) -> str:
    """Return a segment of a client path as an attribute; `import` becomes `import_`."""
    if not ATTRIBUTE.fullmatch(segment):
        raise GeneratorError(f"{where} has the client path segment {segment!r}: write it in snake_case")
    return f"{segment}_" if keyword.iskeyword(segment) else segment


def function_name(plugin: str) -> str:
    """Return `two_factor_client` for the plugin `two-factor`."""
    return f"{attribute_name(snake_case(plugin), f'the plugin {plugin!r}')}_client"


def require_distinct(names: Iterable[tuple[str, str]], where: str) -> None:
    """Refuse two wire names that are one name in Python; `names` are pairs of a Python name and its wire name."""
    seen: dict[str, str] = {}
    for name, wire in names:
        if name in seen:
            raise GeneratorError(f"{where} calls both {seen[name]!r} and {wire!r} {name!r} in Python: rename one")
        seen[name] = wire


def _usable(wire: str, taken: frozenset[str], where: str) -> str:
    name = snake_case(wire) if WIRE_NAME.fullmatch(wire) else ""
    if not name.isidentifier():
        raise GeneratorError(f"{where} has {wire!r}, for which there is no name in Python: rename it")
    return f"{name}_" if keyword.iskeyword(name) or name in taken else name
