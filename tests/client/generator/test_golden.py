"""What is written, to the byte."""

import ast
import hashlib
import json
import os
import subprocess
import sys

import pytest

from client.generator.sample import SPEC, golden, sample
from portico_client_runtime.generator import render
from requirements import requirement

PROGRAM = """
import hashlib, json, sys
from portico_client_runtime.generator import render
files = render(json.load(open(sys.argv[1], encoding="utf-8")))
print(hashlib.sha256(json.dumps(files).encode()).hexdigest())
"""


@requirement("ARCH-generated")
def test_the_sample_becomes_the_committed_client() -> None:
    # portico client generate --spec tests/client/generator/sample.json --out tests/client/generator/golden/acme_client
    assert render(sample()) == golden()


@requirement("ARCH-generated")
@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_order_of_sets_changes_nothing(seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(SPEC)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    committed = json.dumps(dict(sorted(golden().items())))
    assert done.stdout.strip() == hashlib.sha256(committed.encode()).hexdigest()


@requirement("ARCH-generated")
def test_both_faces_have_the_same_surface() -> None:
    files = render(sample())
    asynchronous = files["aio.py"].replace("await ", "").replace("async ", "").replace("Async", "")
    assert _tokens(asynchronous) == _tokens(files["sync.py"])


def _tokens(source: str) -> str:
    """Return a module without what depends on how long its lines are, and without its own docstrings."""
    body = source.partition("class ")[2].replace("An asynchronous client", "A client")
    return "".join(body.split()).replace(",)", ")").replace(",}", "}")


@requirement("ARCH-generated")
@pytest.mark.parametrize(
    ("servers", "base_path"),
    [
        ([], None),
        ([{"url": "/api/auth"}], None),
        ([{"url": "https://example.com/api/auth/"}], None),
        ([{"url": "https://example.com/accounts/auth"}], "/accounts/auth"),
        ([{"url": "https://example.com"}], ""),
    ],
)
def test_a_client_knows_the_base_path_of_its_server(servers: list[dict[str, str]], base_path: str | None) -> None:
    files = render({**sample(), "servers": servers})
    line = f'    _base_path: ClassVar[str] = "{base_path}"\n'
    for name in ("aio.py", "sync.py"):
        assert ("_base_path" in files[name]) == (base_path is not None)
        assert base_path is None or line in files[name]


HOSTILE = '"""\nimport os\n\'\'\' \\" {{ 7 * 7 }} {% raw %} ends with "'


@requirement("ARCH-generated")
def test_a_text_of_the_document_is_never_code() -> None:
    document = sample()
    document["info"]["title"] = HOSTILE
    operation = document["paths"]["/sign-in/email"]["post"]
    operation["summary"] = operation["description"] = HOSTILE
    operation["x-portico"]["plugin"] = operation["x-portico"]["signals"][0] = HOSTILE
    schemas = document["components"]["schemas"]
    schemas["User"]["description"] = schemas["User"]["properties"]["name"]["description"] = HOSTILE
    schemas["SignInEmail"]["properties"]["callbackURL"]["description"] = HOSTILE
    schemas["Role"]["enum"].append(HOSTILE)
    schemas["DeviceToken"]["properties"]["grant_type"]["const"] = HOSTILE
    document["components"]["responses"]["BadEmail"]["content"]["application/json"]["schema"]["properties"]["code"][
        "enum"
    ].append(HOSTILE)
    for name, text in render(document).items():
        assert imported(text) == imported(golden()[name]), name
    assert repr(HOSTILE) in ast.unparse(ast.parse(render(document)["error_codes.py"]))


def imported(source: str) -> list[str]:
    """Return the imports of a module as Python reads them."""
    tree = ast.parse(source)
    return [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
