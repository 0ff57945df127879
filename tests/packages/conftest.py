"""Builds every package once, and makes each environment once."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from packages.building import Package, workspace
from packages.environments import Environment, by_uv, requirement_on

Made: TypeAlias = Callable[..., Environment]


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Package]:
    """Return every package by its name; all archives are in one folder."""
    folder = tmp_path_factory.mktemp("archives")
    made = [Package(tree, folder) for tree in workspace()]
    for package in made:
        package.build()
    return {package.name: package for package in made}


@pytest.fixture(params=[tree.name for tree in workspace()])
def package(request: pytest.FixtureRequest, packages: Mapping[str, Package]) -> Package:
    return packages[request.param]


@pytest.fixture(scope="session")
def environment_of(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a function from a package and extras of it to the environment that has these."""
    made: dict[str, Environment] = {}

    def environment_of(package: Package, *extras: str) -> Environment:
        wanted = requirement_on(package, *extras)
        if wanted not in made:
            folder: Path = tmp_path_factory.mktemp("environment")
            made[wanted] = by_uv(folder, wanted, links=package.folder)
        return made[wanted]

    return environment_of


@pytest.fixture
def bare(package: Package, environment_of: Made) -> Environment:
    """Return the environment that has one package and what it depends on."""
    return environment_of(package)
