"""The published client calls upstream's server as it calls ours."""

import pytest
from anyio import fail_after

from client.published.flows import FLOWS, SHARED_FLOWS, TOKEN_FLOWS, Flow
from client.published.places import FACES, client_at
from parity.field import Field
from parity.servers import Side
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


@pytest.mark.parametrize("flow", TOKEN_FLOWS, ids=lambda flow: flow.__name__)
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("side", ["portico", "upstream"])
async def test_the_published_client_gets_tokens(field: Field, flow: Flow, face: str, side: Side) -> None:
    server = field.server(side, "tokens")
    server.reset()
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=f"http://127.0.0.1:{server.port}", origin=server.origin))


@pytest.mark.parametrize("flow", SHARED_FLOWS, ids=lambda flow: flow.__name__)
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("side", ["portico", "upstream"])
async def test_users_share_the_published_client(field: Field, flow: Flow, face: str, side: Side) -> None:
    server = field.server(side, "several elsewhere")
    server.reset()
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=f"http://127.0.0.1:{server.port}", origin=server.origin))
