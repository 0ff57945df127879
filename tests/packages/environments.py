"""Clean environments: a Python of its own and what was asked for, nothing of this workspace."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.running import environment
from packages.building import CONSTRAINTS, PATIENCE, UV, Package

OF_THIS_ENVIRONMENT = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Environment:
    folder: Path

    @property
    def python(self) -> str:
        return self.program("python")

    def program(self, name: str) -> str:
        """Return the path of a program that was installed into it."""
        return str(self.folder / ("Scripts" if os.name == "nt" else "bin") / name)

    def has(self, distribution: str) -> bool:
        """Tell whether it was installed, wanted or brought along."""
        found = self.run("-c", "from importlib.metadata import distributions as d; print(*(each.name for each in d()))")
        return distribution in found.split()

    def run(self, *arguments: str) -> str:
        """Run its Python, away from the workspace and with warnings as errors; return what it writes."""
        return run(self.python, "-I", "-W", "error", *arguments, cwd=self.folder)


def by_uv(
    folder: Path, *requirements: str, links: Path, options: Sequence[str] = ("-c", str(CONSTRAINTS))
) -> Environment:
    """Return an environment into which uv installed `requirements`; our own packages come from `links`."""
    made = Environment(folder)
    run(*UV, "venv", "--quiet", "--python", sys.executable, str(folder), cwd=links)
    install = (*UV, "pip", "install", "--quiet", "--python", made.python, "--find-links", str(links))
    run(*install, *options, *requirements, cwd=folder)
    return made


def by_pip(folder: Path, *requirements: str, links: Path) -> Environment:
    """Return an environment into which the pip that comes with Python installed `requirements`."""
    made = Environment(folder)
    run(sys.executable, "-m", "venv", str(folder), cwd=links)
    options = (
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--find-links",
        str(links),
        "-c",
        str(CONSTRAINTS),
    )
    run(made.python, "-m", "pip", "install", *options, *requirements, cwd=folder)
    return made


def run(*command: str, cwd: Path) -> str:
    """Run a command that must work, without the variables that configure this environment or an Auth."""
    variables = {name: value for name, value in environment().items() if name not in OF_THIS_ENVIRONMENT}
    done = subprocess.run(
        command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def requirement_on(package: Package, *extras: str) -> str:
    """Return how to ask for the built wheel of a package, and for extras of it."""
    return f"{package.name}[{','.join(extras)}] @ {package.wheel.as_uri()}"
