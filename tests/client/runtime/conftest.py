"""Every test with a `face` runs against the async and the sync client."""

import pytest

from client.runtime.acme import Face


@pytest.fixture(params=["async", "sync"])
def face(request: pytest.FixtureRequest) -> Face:
    return Face(request.param)
