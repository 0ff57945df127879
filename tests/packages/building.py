"""The archives of one package, built from its tree and read back."""

import ast
import email
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
UV = (sys.executable, "-m", "uv")
PATIENCE = 120
"""In seconds: the registry may have to be asked."""


def workspace() -> tuple[Path, ...]:
    """Return where the packages are: what noxfile.py installs is what is published."""
    for statement in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "WORKSPACE":
            return tuple(ROOT / member for member in ast.literal_eval(statement.value))
    raise LookupError("noxfile.py has no WORKSPACE")


@dataclass(frozen=True)
class Package:
    """One package of the workspace, and its archives in `folder`."""

    tree: Path
    folder: Path

    @cached_property
    def project(self) -> Mapping[str, Any]:
        """The table `project` of its pyproject.toml."""
        project: Mapping[str, Any] = tomllib.loads((self.tree / "pyproject.toml").read_text(encoding="utf-8"))[
            "project"
        ]
        return project

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def module(self) -> str:
        """What is imported."""
        return self.name.replace("-", "_")

    @property
    def extras(self) -> tuple[str, ...]:
        return tuple(self.project.get("optional-dependencies", ()))

    @property
    def requirements(self) -> Sequence[str]:
        """What is asked for, also by extras."""
        extras = self.project.get("optional-dependencies", {}).values()
        return [*self.project["dependencies"], *(each for extra in extras for each in extra)]

    @property
    def sources(self) -> Mapping[str, bytes]:
        """The files of the package in the tree, by their path when it is installed."""
        source = self.tree / "src"
        files = (path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {path.relative_to(source).as_posix(): path.read_bytes() for path in files}

    @property
    def stem(self) -> str:
        """How the names of its archives start."""
        return f"{self.module}-{self.project['version']}"

    @property
    def sdist(self) -> Path:
        return self.folder / f"{self.stem}.tar.gz"

    @property
    def wheel(self) -> Path:
        """Made from the sdist, as an installer without a wheel would."""
        return self.folder / f"{self.stem}-py3-none-any.whl"

    @property
    def wheel_of_tree(self) -> Path:
        return self.folder / "of_tree" / self.wheel.name

    @cached_property
    def metadata(self) -> Message:
        return email.message_from_bytes(unzipped(self.wheel)[f"{self.stem}.dist-info/METADATA"])

    @property
    def description(self) -> str:
        """What an index shows on the page of the package."""
        raw = self.metadata.get_payload(decode=True)
        assert isinstance(raw, bytes)
        return raw.decode()

    def build(self) -> None:
        """Make all archives; the backend that does it comes from the registry."""
        options = ("--quiet", "--build-constraints", CONSTRAINTS, "--out-dir")
        for arguments in ((*options, self.folder), (*options, self.folder / "of_tree", "--wheel")):
            subprocess.run([*UV, "build", *arguments, self.tree], cwd=self.folder, check=True, timeout=PATIENCE)


def unzipped(archive: Path) -> Mapping[str, bytes]:
    """Return the files of a wheel by their path."""
    with zipfile.ZipFile(archive) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def untarred(archive: Path) -> Mapping[str, bytes]:
    """Return the files of an sdist by their path below its one folder."""
    files: dict[str, bytes] = {}
    with tarfile.open(archive) as sdist:
        for member in sdist:
            opened = sdist.extractfile(member)
            if opened is not None:
                files[member.name.partition("/")[2]] = opened.read()
    return files
