"""What a call makes stale is what upstream's client takes for stale: facts of its listeners at 1.7.24."""

import json
from pathlib import Path

import pytest

from portico.published import published_document
from requirements import requirement

LISTENERS: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parents[1] / "vectors/signals.json").read_text()
)
DOCUMENT = published_document()
FURTHER = {"/multi-session/revoke": {"session"}, "/magic-link/verify": {"session"}}
"""What upstream's client does not take for stale: that after the active session another one goes on, and that who
follows a link is signed in, which a browser does without its client."""
OPERATIONS = {path: item["post" if "post" in item else "get"] for path, item in DOCUMENT["paths"].items()}


@requirement("S-226")
@pytest.mark.parametrize("plugin", ["core", *DOCUMENT["x-portico"]["plugins"]])
def test_the_signals_of_a_plugin_are_those_of_upstreams_listeners(plugin: str) -> None:
    listed: dict[str, set[str]] = {}
    for signal, paths in LISTENERS.get(plugin, {}).items():
        for path in paths:
            listed.setdefault(path, set()).add(signal)
    own = {
        path: set(operation["x-portico"]["signals"])
        for path, operation in OPERATIONS.items()
        if operation["x-portico"]["plugin"] == plugin
    }
    assert {path: signals for path, signals in own.items() if signals} == {
        path: signals for path, signals in {**listed, **FURTHER}.items() if path in own
    }
