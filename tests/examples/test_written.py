"""The applications that `portico init` writes, as a type checker sees them."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.running import portico
from portico.cli.init.frameworks import FRAMEWORKS
from requirements import requirement


@requirement("ARCH-init", "ARCH-types")
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_is_written_type_checks(framework: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert portico("init", "--framework", framework, "--database", "sqlite", cwd=tmp_path).returncode == 0
    # What they all import is checked once.
    cache = tmp_path_factory.getbasetemp() / "mypy"
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={cache}", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout.startswith("Success"), checked.stdout
