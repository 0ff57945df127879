"""What importing the published client costs and offers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import portico_client
from portico_client_runtime.generator import generate
from requirements import requirement

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys
import portico_client
cheap = sorted(sys.modules)
from portico_client import AsyncAuthClient, AuthClient, errors, models
print(json.dumps([cheap, sorted(sys.modules)]))
"""


@requirement("ARCH-client")
def test_importing_the_client_imports_neither_generator_nor_server() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    at_import, with_clients = json.loads(done.stdout)
    assert not {"httpx", "pydantic", "portico_client.sync", "portico_client.aio"} & {*at_import}
    assert "httpx" in with_clients
    assert not {"portico", "portico_client_runtime.generator", "datamodel_code_generator", "jinja2"} & {*with_clients}


@requirement("ARCH-client", "ARCH-types")
def test_every_public_name_is_found() -> None:
    names = portico_client.__all__
    assert len(set(names)) == len(names)
    assert all(getattr(portico_client, name) is not None for name in names if name != "OMIT")
    assert repr(portico_client.OMIT) == "OMIT"
    assert set(names) <= set(dir(portico_client))
    with pytest.raises(AttributeError, match="module 'portico_client' has no attribute 'nothing'"):
        _ = portico_client.nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # the point


@requirement("ARCH-published", "ARCH-generated")
def test_the_committed_client_is_made_of_the_committed_document() -> None:
    document = json.loads((ROOT / "openapi/portico.json").read_text(encoding="utf-8"))
    outcome = generate(document, ROOT / "generated/portico-client/src/portico_client", is_check=True)
    assert dict(outcome.files) == {}, "run `nox -s generate`"
