"""The published client calls upstream's server as it calls ours."""

import pytest
from anyio import fail_after

from client.published.flows import FLOWS, Flow
from client.published.places import FACES, client_at
from parity.field import Field
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-client", "S-221", "S-222", "S-229", "ARCH-generated-types")]

PATIENCE = 60
"""In seconds: upstream hashes passwords with scrypt."""


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
@pytest.mark.parametrize("face", FACES)
async def test_the_published_client_calls_upstream(field: Field, flow: Flow, face: str) -> None:
    server = field.server("upstream", "plugins")
    server.reset()
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=f"http://127.0.0.1:{server.port}", origin=server.origin))
