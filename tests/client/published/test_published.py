"""The published client calls Portico, in this process and over HTTP."""

from collections.abc import Iterator

import pytest
from anyio import fail_after

from app import ORIGIN, plain
from client.published.flows import FLOWS, Flow
from client.published.places import FACES, client_at
from parity.servers import Server
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-client", "S-221", "S-222", "S-229", "ARCH-generated-types")]

PATIENCE = 30
"""In seconds: passwords are hashed."""

flows = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
faces = pytest.mark.parametrize("face", FACES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server("portico", "plugins", tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@flows
@faces
async def test_in_this_process(flow: Flow, face: str) -> None:
    auth = plain(Bearer(), Username(), TwoFactor(issuer="Acme"))
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=ORIGIN, transport=auth.transport()))


@flows
@faces
async def test_over_http(server: Server, flow: Flow, face: str) -> None:
    server.reset()
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=f"http://127.0.0.1:{server.port}", origin=server.origin))
