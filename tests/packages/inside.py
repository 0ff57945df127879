"""Runs in a clean environment: imports a package, and prints as JSON which modules lack which others.

Takes the name of the package and, if not all of its modules are meant, theirs.
"""

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable


def main(name: str, *only: str) -> None:
    package = importlib.import_module(name)
    for public in package.__all__:
        getattr(package, public)
    every = (module.name for module in pkgutil.walk_packages(package.__path__, f"{name}."))
    sys.stdout.write(json.dumps(lacking(only or every)))


def lacking(modules: Iterable[str]) -> dict[str, str | None]:
    missing: dict[str, str | None] = {}
    for module in modules:
        if not module.endswith("__main__"):
            try:
                importlib.import_module(module)
            except ModuleNotFoundError as error:
                missing[module] = error.name
    return missing


if __name__ == "__main__":
    main(*sys.argv[1:])
