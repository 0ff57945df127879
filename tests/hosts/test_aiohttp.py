import gzip
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import anyio
import httpx
import pytest
from aiohttp import web

from app import ORIGIN, make, plain, signed_up
from hosts.conformance.exchange import Call, json_call
from hosts.conformance.mirror import Greeter, Mirror
from hosts.conformance.through_aiohttp import Connection, through_aiohttp
from portico import ConfigError, MemoryStore, RateLimitOptions
from portico.hosts import aiohttp
from portico.options import AdvancedOptions
from portico.testing import Outbox
from requirements import requirement

pytestmark = pytest.mark.anyio
UNAUTHORIZED = b'{"message":"Unauthorized","code":"UNAUTHORIZED"}'
UNLIMITED = RateLimitOptions(enabled=False)
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp runs on asyncio only."""
    return "asyncio"


@asynccontextmanager
async def served(app: web.Application) -> AsyncGenerator[httpx.AsyncClient]:
    """Serve `app` on a socket of its own."""
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    with anyio.fail_after(10):
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", headers={"origin": ORIGIN}) as http:
            yield http
        await runner.cleanup()


@requirement("S-125", "S-250")
async def test_a_real_server_serves_the_life_of_a_session() -> None:
    app = web.Application()
    aiohttp.mount(app, make())
    async with served(app) as http:
        token = (await http.post("/api/auth/sign-up/email", json=ANN)).json()["token"]
        assert (await http.get("/api/auth/get-session")).json()["session"]["token"] == token
        assert (await http.post("/api/auth/sign-out", json={})).json() == {"success": True}
        assert (await http.get("/api/auth/get-session")).json() is None


@requirement("S-251")
async def test_a_method_of_a_view_can_need_a_session() -> None:
    auth = make()

    class Me(web.View):
        @aiohttp.session_required(auth)
        async def get(self) -> web.StreamResponse:
            return web.Response(text=self.request[aiohttp.USER].email)

    def application() -> web.Application:
        app = web.Application()
        app.router.add_view("/me", Me)
        aiohttp.mount(app, auth)
        return app

    cookie = ("cookie", (await signed_up(auth)).headers["cookie"])
    assert (await through_aiohttp(application, Call(target="/me"))).body == UNAUTHORIZED
    assert (await through_aiohttp(application, Call(target="/me", headers=(cookie,)))).body == b"ann@example.com"


@requirement("S-251")
async def test_a_guard_on_what_takes_no_request_says_what_to_do() -> None:
    async def nothing() -> web.Response:
        return web.Response()

    with pytest.raises(ConfigError, match="session_required is for handlers that take a request"):
        await aiohttp.session_required(make())(nothing)()


@requirement("S-251")
async def test_an_application_without_its_auth_says_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    @aiohttp.session_required(make())
    async def me(_request: web.Request) -> web.StreamResponse:
        return web.Response()

    def application() -> web.Application:
        app = web.Application()
        app.router.add_get("/me", me)
        return app

    assert (await through_aiohttp(application, Call(target="/me"))).status == 500
    assert "call portico.hosts.aiohttp.mount(app, auth)" in caplog.text


@requirement("S-251")
async def test_a_sub_application_asks_for_sessions_of_the_whole() -> None:
    auth = make()

    @aiohttp.session_required(auth)
    async def me(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request[aiohttp.USER].email)

    def application() -> web.Application:
        app, shop = web.Application(), web.Application()
        shop.router.add_get("/me", me)
        app.add_subapp("/shop", shop)
        aiohttp.attach(app, auth)
        return app

    cookie = ("cookie", (await signed_up(auth)).headers["cookie"])
    assert (await through_aiohttp(application, Call(target="/shop/me"))).status == 401
    assert (await through_aiohttp(application, Call(target="/shop/me", headers=(cookie,)))).body == b"ann@example.com"
    assert (await through_aiohttp(application, Call(target="/api/auth/ok"))).status == 404


@requirement("S-250")
async def test_routes_of_the_app_stay_and_ours_are_found_before_a_catch_all() -> None:
    async def own(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.path)

    def application() -> web.Application:
        app = web.Application()
        aiohttp.mount(app, make())
        app.router.add_get("/{rest:.*}", own)
        return app

    assert (await through_aiohttp(application, Call(target="/api/authority"))).body == b"/api/authority"
    assert (await through_aiohttp(application, Call(target="/api/auth/ok"))).body == b'{"ok":true}'


@requirement("S-250")
async def test_the_router_lists_where_an_auth_is_served() -> None:
    app, outer = web.Application(), web.Application()
    aiohttp.mount(app, plain(base_url=f"{ORIGIN}/accounts/api/auth"))
    outer.add_subapp("/accounts", app)
    [resource] = list(app.router.resources())
    assert (resource.canonical, str(resource.url_for()), len(resource)) == ("/accounts/api/auth",) * 2 + (1,)
    assert resource.get_info() == {"path": "/accounts/api/auth"}
    assert resource.raw_match("/accounts/api/auth")
    assert [route.resource for route in resource] == [resource]


@requirement("S-253")
async def test_a_body_that_middleware_read_through_aiohttp_is_used() -> None:
    auth = make()

    @web.middleware
    async def read(request: web.Request, handler: Any) -> web.StreamResponse:
        await request.json()
        response: web.StreamResponse = await handler(request)
        return response

    def application() -> web.Application:
        app = web.Application(middlewares=[read])
        aiohttp.mount(app, auth)
        return app

    call = json_call("/api/auth/sign-up/email", json.dumps(ANN).encode(), ("origin", ORIGIN))
    assert (await through_aiohttp(application, call)).status == 200
    assert await auth.store.count(auth.tables["user"]) == 1


def mirror(**options: Any) -> Callable[[], web.Application]:
    def application() -> web.Application:
        app = web.Application()
        aiohttp.mount(app, plain(Mirror(), rate_limit=UNLIMITED, **options))
        return app

    return application


@requirement("I04")
async def test_a_body_that_is_announced_as_too_large_is_not_read() -> None:
    call = Call(target="/api/auth/mirror/a", method="POST", headers=(("content-length", "4097"),))
    answer = await through_aiohttp(mirror(advanced=AdvancedOptions(max_body_size=4096)), call)
    assert (answer.status, json.loads(answer.body)["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def sent_raw(app: web.Application, *pieces: bytes, leaves: bool = False) -> Connection:
    """Send bytes as they are to a server of `app`; a client that leaves does not wait for the answer."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    protocol, connection = runner.server(), Connection(Call(target="/", method="POST"))
    protocol.connection_made(connection)
    for piece in pieces:
        protocol.data_received(piece)
        await anyio.lowlevel.checkpoint()
    with anyio.fail_after(5):
        if not leaves:
            await connection.answered.wait()
        protocol.connection_lost(None)
        await runner.cleanup()
    return connection


@requirement("I04")
async def test_a_body_that_cannot_be_unpacked_is_refused() -> None:
    head = b"POST /api/auth/mirror/a HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    connection = await sent_raw(mirror()(), head + b"content-encoding: gzip\r\ncontent-length: 8\r\n\r\n", b"no gzip!")
    assert connection.answer is not None
    assert (connection.answer.status, connection.answer.body) == (400, b"")


@requirement("I04")
async def test_a_body_that_grows_when_it_is_unpacked_is_limited() -> None:
    packed = gzip.compress(b'"' + b"x" * 1024 * 1024 + b'"')
    head = b"POST /api/auth/mirror/a HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    length = b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    app = mirror(advanced=AdvancedOptions(max_body_size=4096))()
    connection = await sent_raw(app, head + length, packed)
    assert connection.answer is not None
    assert (connection.answer.status, len(packed) < 4096) == (413, True)


@requirement("F02")
async def test_a_client_that_leaves_while_sending_changes_nothing() -> None:
    auth = make()
    app = web.Application()
    aiohttp.mount(app, auth)
    body = json.dumps(ANN).encode()
    head = b"POST /api/auth/sign-up/email HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\norigin: %b\r\n"
    length = b"content-length: %d\r\n\r\n" % len(body)
    connection = await sent_raw(app, head % ORIGIN.encode() + length, body[:-5], leaves=True)
    assert connection.answer is None
    assert await auth.store.count(auth.tables["user"]) == 0


@requirement("ARCH-background")
async def test_middleware_that_answers_something_else_does_not_stop_background_work() -> None:
    outbox = Outbox()
    auth = plain(Greeter(outbox=outbox, done=Event()), rate_limit=UNLIMITED)

    @web.middleware
    async def replace(request: web.Request, handler: Any) -> web.StreamResponse:
        await handler(request)
        return web.Response(text="something else")

    def application() -> web.Application:
        app = web.Application(middlewares=[replace])
        aiohttp.mount(app, auth)
        return app

    answer = await through_aiohttp(application, Call(target="/api/auth/greet", method="POST"))
    assert answer.body == b"something else"
    assert outbox.mails == [("ann@example.com", "Hello")]


@requirement("ARCH-background")
async def test_slow_work_does_not_hold_up_the_next_request_of_the_connection() -> None:
    free, done = anyio.Event(), Event()

    class SlowOutbox(Outbox):
        async def send(self, address: str, text: str) -> None:
            await free.wait()
            await super().send(address, text)

    outbox = SlowOutbox()
    app = web.Application()
    aiohttp.mount(app, plain(Greeter(outbox=outbox, done=done), rate_limit=UNLIMITED))
    async with served(app) as http:
        assert (await http.post("/api/auth/greet")).json() == {"status": True}
        assert (await http.get("/api/auth/ok")).json() == {"ok": True}
        assert outbox.mails == []
        free.set()
    assert outbox.mails == [("ann@example.com", "Hello")]


@requirement("ARCH-lifespan")
async def test_the_app_may_create_the_tables_when_it_starts() -> None:
    log: list[str] = []

    class Store(MemoryStore):
        async def missing(self, tables: Any) -> list[str]:
            log.append("checked")
            return [] if "created" in log else ["user"]

        async def close(self) -> None:
            log.append("closed")

    async def create(_app: web.Application) -> AsyncGenerator[None]:
        log.append("created")
        yield
        log.append("ended")

    app = web.Application()
    app.cleanup_ctx.append(create)
    aiohttp.mount(app, plain(database=Store()))
    async with served(app):
        assert log == ["created", "checked"]
    assert log == ["created", "checked", "ended", "closed"]


@requirement("S-254")
async def test_an_answer_that_streams_is_open_to_trusted_origins(caplog: pytest.LogCaptureFixture) -> None:
    auth = make(trusted_origins=["https://shop.example.com"])

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "4"})
        await response.prepare(request)
        await response.write(b"text")
        return response

    def application() -> web.Application:
        app = web.Application()
        app.router.add_get("/stream", stream)
        aiohttp.mount(app, auth)
        aiohttp.cors(app, auth)
        return app

    call = Call(target="/stream", headers=(("origin", "https://shop.example.com"),))
    answer = await through_aiohttp(application, call)
    assert (answer.body, caplog.record_tuples) == (b"text", [])
    assert dict(answer.headers)["access-control-allow-origin"] == "https://shop.example.com"
    assert logging.getLogger("aiohttp.server").level == logging.NOTSET


@requirement("S-250")
async def test_an_auth_without_a_base_path_leaves_the_apps_own_routes() -> None:
    async def own(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="own")

    def application() -> web.Application:
        app = web.Application()
        app.router.add_get("/own", own)
        aiohttp.mount(app, plain(base_path="/"))
        return app

    assert (await through_aiohttp(application, Call(target="/own"))).body == b"own"
    assert (await through_aiohttp(application, Call(target="/ok"))).body == b'{"ok":true}'
