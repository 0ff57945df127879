"""What `import portico` costs and offers."""

import json
import os
import subprocess
import sys

import portico
from requirements import requirement

PROGRAM = """
import json, sys
import portico
cheap = sorted(sys.modules)
from portico import Auth
print(json.dumps([cheap, sorted(sys.modules)]))
"""
HEAVY = (
    "portico.plugins",
    "portico.hosts",
    "portico.cli",
    "sqlalchemy",
    "sqlite3",
    "redis",
    "uvicorn",
    "fastapi",
    "starlette",
)


@requirement("ARCH-construction")
def test_importing_the_package_imports_no_plugin_host_or_driver_and_no_more_than_is_used() -> None:
    # What measures a process that a test starts imports more.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    at_import, with_auth = json.loads(done.stdout)
    assert "pydantic" not in at_import
    for modules in (at_import, with_auth):
        loaded = [
            name for name in modules if name.startswith(HEAVY) and name not in {"portico.plugins", "portico.hosts"}
        ]
        assert loaded == []


@requirement("ARCH-types")
def test_every_public_name_is_found() -> None:
    names = portico.__all__
    assert len(set(names)) == len(names)
    assert all(getattr(portico, name) is not None for name in names)
    assert set(names) <= set(dir(portico))
