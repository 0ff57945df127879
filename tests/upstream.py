"""Samples that upstream 1.7.24 made under a fixed secret."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"
CRYPTO: dict[str, Any] = json.loads((VECTORS / "crypto.json").read_text("utf-8"))
COOKIES: dict[str, Any] = json.loads((VECTORS / "cookies.json").read_text("utf-8"))
SECRET: str = CRYPTO["secret"]
ROTATED: list[tuple[int, str]] = [
    (each["version"], each["value"]) for each in CRYPTO["symmetric_encrypt"]["rotation"]["secrets"]
]
"""The secrets of the samples with versions, the current one first; the last is SECRET."""


def milliseconds(instant: str) -> int:
    """Return the unix milliseconds of a date as samples write it."""
    return int(datetime.fromisoformat(instant).timestamp() * 1000)
