"""Generated Python as ruff formats it, without names that are imported and not used."""

import subprocess
import sys
from pathlib import Path

from portico_client_runtime.generator.errors import GeneratorError

# Neither the settings round the folder nor those of the user may change what is written.
COMMON = ("--isolated", "--no-cache", "--quiet", "--target-version", "py311", "--line-length", "120")


def format_folder(folder: Path) -> None:
    """Format every module in `folder`."""
    _ruff("check", "--select", "I,F401", "--ignore-noqa", "--fix", folder)
    _ruff("format", folder)


def _ruff(command: str, *arguments: str | Path) -> None:
    done = subprocess.run(  # noqa: S603  # this interpreter, and no word of a document
        [sys.executable, "-m", "ruff", command, *COMMON, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GeneratorError(f"ruff could not format what was generated: {(done.stderr or done.stdout).strip()[:2000]}")
