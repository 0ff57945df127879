"""Find the Auth that `module:attribute` names."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from portico.auth import Auth
from portico.errors import ConfigError

Target = Annotated[str, typer.Argument(metavar="MODULE:AUTH", help="Where your Auth is, such as app:auth.")]


def load(target: str) -> Auth[Any]:
    """Return the Auth at `target`, or what the function there returns; modules are looked for in the working directory.

    Raises:
        ConfigError: nothing of that name is there, or it is no Auth.
    """
    name, _, path = target.partition(":")
    if not name or not path:
        raise ConfigError(f"write module:attribute, such as app:auth, not {target!r}")
    found: Any = _module(name)
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise ConfigError(f"{name!r} has no {path!r}: name the variable that holds your Auth")
        found = getattr(found, attribute)
    if not isinstance(found, Auth) and callable(found) and not isinstance(found, type):
        found = _called(found, target)
    if not isinstance(found, Auth):
        raise ConfigError(f"{target!r} is a {type(found).__name__}, not an Auth")
    return found  # pyright: ignore[reportUnknownVariableType]  # of which Api, only the module knows


def _module(name: str) -> ModuleType:
    directory = str(Path.cwd())
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(f"{name!r} imports {error.name!r}, which is not installed") from error
        raise ConfigError(f"there is no module {name!r} in {directory} or among the installed ones") from error


def _called(factory: Any, target: str) -> Any:
    try:
        return factory()
    except TypeError as error:
        raise ConfigError(f"{target!r} is no Auth and cannot be called without arguments: {error}") from error
