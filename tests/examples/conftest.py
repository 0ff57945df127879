"""The examples are processes of their own: which loop the test waits on proves nothing about them."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
