"""One event loop is enough here: what these matrices prove depends on what is sent, not on who waits for it."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
