"""A client as a project of its own, which can be built and published."""

import keyword
from importlib.metadata import version
from pathlib import Path

from portico_client_runtime.generator.errors import GeneratorError

RUNTIME = "portico-client-runtime"
PYPROJECT = """\
[project]
name = "{distribution}"
version = "0.1.0"
description = "A typed client, generated from the server that it calls."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["{runtime}>={version}"]

[project.optional-dependencies]
cli = ["{runtime}[cli]>={version}"]

[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]
"""
README = """\
# {distribution}

```python
from {package} import AsyncAuthClient

async with AsyncAuthClient("https://app.example.com") as client:
    session = await client.get_session()
```

`src/{package}` is generated: `portico client generate` writes it again, and nothing else in this folder.
"""


def package_folder(out: Path, package: str | None) -> Path:
    """Return the folder of the import package: `out` itself, or a folder in the `src` of the project `out`.

    Raises:
        GeneratorError: nothing could be imported under that name.
    """
    name = out.name if package is None else package
    if not name.isidentifier() or keyword.iskeyword(name):
        hint = "pass --package, or name a folder that Python can import" if package is None else "write a Python name"
        raise GeneratorError(f"{name!r} is no name of a package: {hint}")
    return out if package is None else out / "src" / package


def scaffold(project: Path, package: str) -> None:
    """Write what a project needs besides its package; files that are there belong to their author."""
    words = {
        "package": package,
        "distribution": package.replace("_", "-").strip("-"),
        "runtime": RUNTIME,
        "version": version(RUNTIME),
    }
    for name, template in (("pyproject.toml", PYPROJECT), ("README.md", README)):
        if not (project / name).exists():
            (project / name).write_text(template.format(**words), encoding="utf-8", newline="\n")
