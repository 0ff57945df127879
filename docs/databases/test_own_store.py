"""A store of your own, held to the contract of an Adapter by the published suite; run it with pytest."""

import pytest
from portico import Adapter, MemoryStore
from portico.testing.adapter_suite import AdapterSuite


class OwnStore(MemoryStore):
    """Stands for a store of your own."""


@pytest.mark.anyio
class TestOwnStore(AdapterSuite):
    async def make(self) -> Adapter:
        """Return a new store without rows."""
        return OwnStore()
