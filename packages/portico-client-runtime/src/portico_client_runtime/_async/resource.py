"""What generated groups of operations derive from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portico_client_runtime._async.client import AsyncBaseClient


class AsyncResource:
    """Operations of one client under a common path."""

    def __init__(self, client: AsyncBaseClient[Any]) -> None:
        self._client = client
