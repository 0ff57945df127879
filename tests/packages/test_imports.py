"""Every module imports with what the metadata asks for, and the metadata asks for nothing else."""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from packages.building import Package, workspace
from packages.conftest import Made
from packages.environments import Environment
from requirements import requirement

INSIDE = Path(__file__).with_name("inside.py")
BROUGHT = {
    "aiohttp": {"multidict", "yarl"},
    "django": {"asgiref"},
    "fastapi": {"starlette"},
    "flask": {"werkzeug"},
    "portico-client-runtime": {"pydantic", "typing-extensions"},
    "pydantic": {"pydantic-core"},
}
"""What somebody who asks for the first imports as well, because it is part of the first's own interface."""
NOT_IMPORTED = {
    "httptools": "uvicorn does",
    "ruff": "a program",
    "uvloop": "uvicorn does",
}
"""What is asked for and not imported, and who uses it."""
ELSEWHERE = {
    ("portico", "client"): ("portico_client_runtime.generator",),
    ("portico", "databases"): ("portico.store.executors.databases", "databases"),
    ("portico", "mysql"): ("portico.store.executors.mysql",),
    ("portico", "oauth"): ("httpx", "portico.oauth2.generic"),
    ("portico", "postgresql"): ("portico.store.executors.postgres",),
    ("portico", "qr"): ("segno",),
    ("portico", "redis"): ("portico.store.redis", "redis.asyncio"),
    ("portico", "serve"): ("httptools", "uvloop"),
    ("portico-client", "cli"): ("portico_client_runtime.cli",),
    ("portico", "sqlalchemy"): ("greenlet", "portico.store.executors.engine"),
}
"""What an extra brings if no module of the package has its name."""
LACKING = """
try:
    import portico_client_runtime.cli.kit
except ModuleNotFoundError as error:
    print(error)
"""
EXTRAS = [(tree.name, extra) for tree in workspace() for extra in Package(tree, tree).extras]


@cache
def lacking(environment: Environment, package: Package, *only: str) -> frozenset[str]:
    """Return the modules that cannot be imported because another is missing."""
    said: dict[str, str] = json.loads(environment.run(str(INSIDE), package.module, *only))
    return frozenset(said)


@requirement("PKG-install")
def test_the_first_import_warns_of_nothing(bare: Environment, package: Package) -> None:
    assert bare.run("-c", f"import {package.module}") == ""


@requirement("PKG-install")
def test_every_public_name_and_every_module_imports_unless_it_needs_an_extra(
    bare: Environment, package: Package, environment_of: Made
) -> None:
    missing = sorted(lacking(bare, package))
    if missing:
        still = (lacking(environment_of(package, extra), package, *missing) for extra in package.extras)
        assert frozenset(missing).intersection(*still) == set()


@requirement("PKG-extras")
@pytest.mark.parametrize(("name", "extra"), EXTRAS)
def test_an_extra_alone_brings_what_its_module_needs(
    name: str, extra: str, packages: Mapping[str, Package], environment_of: Made
) -> None:
    package = packages[name]
    homes = (f"{package.module}.{extra}", f"{package.module}.hosts.{extra}")
    own = [home for home in homes if home in modules(package)]
    wanted = own or ELSEWHERE[name, extra]
    environment_of(package, extra).run("-c", f"import {', '.join(wanted)}")
    assert set(own) <= lacking(environment_of(package), package)


@requirement("PKG-extras", "ARCH-cli-login")
def test_the_login_for_command_lines_says_which_extra_it_lacks(
    packages: Mapping[str, Package], environment_of: Made
) -> None:
    bare = environment_of(packages["portico-client"])
    said = bare.run("-c", LACKING)
    assert said.strip() == "command-line login needs typer and keyring: pip install 'portico-client-runtime[cli]'"


@requirement("PKG-extras")
def test_what_is_imported_is_asked_for_and_what_is_asked_for_is_imported(package: Package) -> None:
    asked = {distribution_of(each) for each in package.metadata.get_all("Requires-Dist", [])}
    found = set(imported(package, asked))
    assert found - asked.union(*(BROUGHT.get(each, ()) for each in asked)) == set()
    assert asked - found - NOT_IMPORTED.keys() == set()


def modules(package: Package) -> set[str]:
    """Return the modules of a package by their dotted names."""
    files = (name.removesuffix(".py").removesuffix("/__init__") for name in package.sources if name.endswith(".py"))
    return {name.replace("/", ".") for name in files}


def distribution_of(requirement: str) -> str:
    """Return whom a requirement such as `uvloop>=0.19; sys_platform != 'win32'` is for."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return normal(name[0])


def imported(package: Package, asked: set[str]) -> Iterator[str]:
    """Yield the distributions that the modules of a package import; if several have one, that which is asked for."""
    homes = packages_distributions()
    for name, content in package.sources.items():
        if name.endswith(".py"):
            for module in top_levels(ast.parse(content)):
                if module != package.module and module not in sys.stdlib_module_names:
                    brought_by = [normal(home) for home in homes.get(module, [module])]
                    yield next((home for home in brought_by if home in asked), brought_by[0])


def top_levels(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def normal(name: str) -> str:
    """Return the name of a distribution as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
