# Written by unasync.py from _async/resource.py; do not edit.

"""What generated groups of operations derive from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portico_client_runtime._sync.client import BaseClient


class Resource:
    """Operations of one client under a common path."""

    def __init__(self, client: BaseClient[Any]) -> None:
        self._client = client
