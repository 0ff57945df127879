"""The published client calls Portico, in this process and over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from anyio import fail_after

from app import ORIGIN, plain
from client.published.flows import FLOWS, SHARED_FLOWS, TOKEN_FLOWS, Flow
from client.published.places import FACES, client_at
from parity.databases import SqliteFile
from parity.servers import Server
from portico import SessionOptions
from portico.plugins.bearer import Bearer
from portico.plugins.device_authorization import DeviceAuthorization
from portico.plugins.device_authorization.declarations import DeviceCodeRow
from portico.plugins.jwt import Jwt
from portico.plugins.magic_link import MagicLink
from portico.plugins.multi_session import MultiSession
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username
from portico.testing import Clock
from portico_client import errors, models
from postbox import Postbox
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-client", "S-221", "S-222", "S-229", "ARCH-generated-types")]

PATIENCE = 30
"""In seconds: passwords are hashed."""

flows = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
faces = pytest.mark.parametrize("face", FACES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    server = Server("portico", "plugins", folder, SqliteFile(folder / "auth.db"))
    yield server
    server.stop()


@flows
@faces
async def test_in_this_process(flow: Flow, face: str) -> None:
    auth = plain(Bearer(), Username(), TwoFactor(issuer="Acme"))
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=ORIGIN, transport=auth.transport()))


@requirement("S-121", "S-122")
@pytest.mark.parametrize("flow", TOKEN_FLOWS, ids=lambda flow: flow.__name__)
@faces
async def test_tokens_in_this_process(flow: Flow, face: str) -> None:
    auth = plain(Jwt())
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=ORIGIN, transport=auth.transport()))


@requirement("S-205f")
@pytest.mark.parametrize("flow", SHARED_FLOWS, ids=lambda flow: flow.__name__)
@faces
async def test_users_of_one_client_in_this_process(flow: Flow, face: str) -> None:
    auth = plain(MultiSession())
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=ORIGIN, transport=auth.transport()))


@requirement("S-105", "S-106", "ARCH-client")
@faces
async def test_who_follows_a_link_is_known_at_once(face: str) -> None:
    postbox = Postbox()
    auth = plain(MagicLink[Any, Any](send_magic_link=postbox.keep))
    with fail_after(PATIENCE):
        async with client_at(face, base_url=ORIGIN, transport=auth.transport())() as ann:
            assert await ann("session.get") is None
            assert await ann("sign_in.magic_link", email="ann@example.com") == models.Status(status=True)
            assert not ann.client.session.is_stale
            verified = await ann("magic_link.verify", token=postbox.last.token)
            assert type(verified) is models.MagicLinkVerified
            assert ann.client.session.is_stale
            known = await ann("session.get")
            assert (known.session.token, known.user) == (verified.token, verified.user)


@requirement("P09", "ARCH-client")
@faces
async def test_a_device_is_let_in(face: str) -> None:
    auth = plain(Bearer(), DeviceAuthorization[Any, Any]())
    with fail_after(PATIENCE):
        opened = client_at(face, base_url=ORIGIN, transport=auth.transport())
        async with opened() as ann, opened() as device:
            await ann("sign_up.email", name="Ann", email="ann@example.com", password="password123")
            code = await device("device.code", client_id="cli", scope="read")
            assert (type(code), code.expires_in, code.interval) == (models.DeviceCode, 1800, 5)
            asked = {"device_code": code.device_code, "client_id": "cli"}
            with pytest.raises(errors.OAuthError) as pending:
                await device("device.token", **asked)
            assert (pending.value.status, pending.value.code) == (400, "authorization_pending")
            shown = await ann("device", user_code=code.user_code)
            assert (type(shown), shown.client_id, shown.scope) == (models.DeviceStatus, "cli", "read")
            assert await ann("device.approve", user_code=code.user_code) == models.Success(success=True)
            await auth.rows(DeviceCodeRow).update(auth.context(None), {}, last_polled_at=None)
            granted = await device("device.token", **asked)
            assert (type(granted), granted.token_type) == (models.DeviceAuthorized, "Bearer")
            assert await device("session.get") is None


@requirement("B-34")
@faces
async def test_a_deferred_refresh_is_done_when_the_session_is_read(face: str) -> None:
    clock = Clock()
    auth = plain(clock=clock, session=SessionOptions(defer_session_refresh=True))
    with fail_after(PATIENCE):
        async with client_at(face, base_url=ORIGIN, transport=auth.transport())() as ann:
            await ann("sign_up.email", name="Ann", email="ann@example.com", password="password123")
            signed_in = await ann("session.get")
            clock.advance(24 * 3600)
            read = (await ann("session.refetch")).data
            assert read.session.expires_at - signed_in.session.expires_at == timedelta(days=1)
            [row] = await auth.sessions.find_many(auth.context(None))
            assert (row.expires_at, read.needs_refresh) == (read.session.expires_at, None)


@flows
@faces
async def test_over_http(server: Server, flow: Flow, face: str) -> None:
    server.reset()
    with fail_after(PATIENCE):
        await flow(client_at(face, base_url=f"http://127.0.0.1:{server.port}", origin=server.origin))
