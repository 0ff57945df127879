"""Callbacks, plugins and their gate."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from app import plain
from client.runtime.acme import SIGN_IN, Acme, AsyncTwoFactor, Face, SignedIn, TwoFactor, TwoFactorRequired
from client.runtime.scripted import SESSION, Scripted, reply, session_of
from plugins.second_step import totp_of
from portico.plugins import two_factor
from portico.testing import Clock
from portico_client_runtime import ClientPlugin, RawResponse, RequestOptions
from portico_client_runtime.errors import AuthError, ConnectionFailed, PluginNotConfiguredError, ServerError
from requirements import requirement

pytestmark = pytest.mark.anyio


class Diary:
    """Writes down what callbacks are told, under a name."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def callbacks(self, name: str) -> dict[str, Any]:
        def on_request(request: httpx.Request) -> None:
            request.headers[f"x-{name}"] = "told"
            self.lines.append(f"{name}: {request.method}")

        def on_response(response: httpx.Response) -> None:
            self.lines.append(f"{name}: {response.status_code}")

        def on_success(raw: RawResponse[Any]) -> None:
            self.lines.append(f"{name}: {type(raw.value).__name__}")

        def on_error(error: AuthError) -> None:
            self.lines.append(f"{name}: {type(error).__name__}")

        return {"on_request": on_request, "on_response": on_response, "on_success": on_success, "on_error": on_error}


@requirement("S-224")
async def test_a_call_its_client_and_its_plugins_are_told_in_this_order(face: Face) -> None:
    diary = Diary()
    server = Scripted(reply({}, 503, ("retry-after", "0")), reply(SESSION))
    plugin = ClientPlugin(id="own", **diary.callbacks("plugin"))
    client = face.open(transport=server.transport, plugins=[plugin], **diary.callbacks("client"))
    await face.do(client.get_session, options=RequestOptions(**diary.callbacks("call")))
    told = ("GET", "503", "GET", "200", "SessionData")
    assert diary.lines == [f"{name}: {what}" for what in told for name in ("call", "client", "plugin")]
    assert {"x-call", "x-client", "x-plugin"} <= set(server.last.headers)


@requirement("S-224")
async def test_an_error_is_told_once_and_raised(face: Face) -> None:
    diary = Diary()
    server = Scripted(reply({}, 500), httpx.ReadTimeout("slow"))
    client = face.open(transport=server.transport, **diary.callbacks("client"))
    with pytest.raises(ServerError):
        await face.do(client.get_session)
    with pytest.raises(ConnectionFailed):
        await face.do(client.get_session)
    told = ("GET", "500", "ServerError", "GET", "TimedOut")
    assert diary.lines == [f"client: {what}" for what in told]


@requirement("S-224")
async def test_an_async_callback_is_awaited_by_an_async_client_and_refused_by_a_sync_one(face: Face) -> None:
    told: list[int] = []

    async def on_response(response: httpx.Response) -> None:
        told.append(response.status_code)

    client = face.open(transport=Scripted(reply(None)).transport, on_response=on_response)
    if face.name == "async":
        await face.do(client.get_session)
        assert told == [200]
    else:
        with pytest.raises(TypeError, match="async"):
            await face.do(client.get_session)
        assert told == []


@requirement("S-224")
def test_a_callback_that_asks_for_the_session_gets_the_new_one() -> None:
    names: list[str | None] = []
    server = Scripted(reply(session_of("Old")), reply({"token": "t", **SESSION}), reply(session_of("New")))

    def on_success(_: RawResponse[Any]) -> None:
        found = client.session.get()
        names.append(None if found is None else found.user.name)

    with Acme("http://localhost:3000", transport=server.transport) as client:
        client.session.get()
        raw = client.with_raw_response(client.send)(SIGN_IN, body={}, options=RequestOptions(on_success=on_success))
    assert names == ["New"]
    # The callback's own call does not take the place of the one that was asked about.
    assert raw.response.url.path == "/api/auth/sign-in/email"


@requirement("S-221")
async def test_an_operation_of_a_plugin_that_was_not_named_is_refused_before_anything_is_sent(face: Face) -> None:
    server, told = Scripted(reply(None)), list[object]()
    client = face.open(transport=server.transport, plugins=[ClientPlugin(id="username")], on_error=told.append)
    with pytest.raises(PluginNotConfiguredError, match=r"two_factor_client\(\)"):
        await face.do(client.two_factor.enable, password="p")
    assert (server.requests, told, client.store.version("session")) == ([], [], 0)
    # What belongs to the core is always there.
    assert await face.do(client.get_session) is None


@requirement("S-221")
async def test_a_client_with_the_plugin_or_without_a_list_may_call_it(face: Face) -> None:
    for plugins in (None, [ClientPlugin(id="two-factor")]):
        server = Scripted(reply({"totpURI": "otpauth://totp/a"}))
        client = face.open(transport=server.transport, plugins=plugins)
        assert (await face.do(client.two_factor.enable, password="p")).totp_uri == "otpauth://totp/a"


@requirement("S-221")
async def test_resources_of_ones_own_are_typed_and_made_once(face: Face) -> None:
    client = face.open(transport=Scripted().transport)
    kind = AsyncTwoFactor if face.name == "async" else TwoFactor
    assert type(client.plugin(kind)) is kind
    assert client.plugin(kind) is client.plugin(kind)
    assert client.with_options(timeout=1).plugin(kind) is not client.plugin(kind)


@requirement("S-229")
async def test_a_sign_in_that_needs_a_second_step_is_told_with_its_methods(face: Face) -> None:
    told: list[Sequence[str]] = []
    clock = Clock()
    plugin = ClientPlugin(id="two-factor", on_two_factor_redirect=told.append)
    client = face.to(plain(two_factor.TwoFactor(issuer="Acme"), clock=clock), plugins=[plugin])
    await face.sign_up(client)
    totp = totp_of((await face.do(client.two_factor.enable, password="password123")).model_dump(by_alias=True))
    await face.do(client.two_factor.verify_totp, code=totp.at(clock()))
    assert told == []
    match await face.sign_in(client):
        case TwoFactorRequired():
            clock.advance(30)
            assert isinstance(await face.do(client.two_factor.verify_totp, code=totp.at(clock())), SignedIn)
        case answered:
            raise AssertionError(answered)
    assert told == [["totp"]]
