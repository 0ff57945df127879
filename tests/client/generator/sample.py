"""A document with every shape that a client knows, and the client that is made of it."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SPEC = HERE / "sample.json"
GOLDEN = HERE / "golden" / "acme_client"


def sample() -> Any:
    """Return the document, for the caller to change."""
    return deepcopy(_read())


@cache
def _read() -> Any:
    return json.loads(SPEC.read_text(encoding="utf-8"))


def golden() -> dict[str, str]:
    """Return the files of the committed client."""
    return {path.name: path.read_text(encoding="utf-8") for path in GOLDEN.iterdir() if path.is_file()}
