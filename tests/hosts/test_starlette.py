import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import NoMatchFound, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app import ORIGIN, User, make, plain, signed_up
from portico import ApiError, ConfigError, MemoryStore
from portico.hosts.starlette import attach, cors, current_session, mount, session_required
from requirements import requirement

pytestmark = pytest.mark.anyio
UNAUTHORIZED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN, headers={"origin": ORIGIN})


@requirement("S-250")
def test_starlette_needs_no_fastapi() -> None:
    code = "import sys; sys.modules['fastapi'] = None; import portico.hosts.starlette"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


@requirement("S-251")
async def test_a_method_of_an_endpoint_class_can_need_a_session() -> None:
    auth = make()

    class Me(HTTPEndpoint):
        @session_required(auth)
        async def get(self, request: Request) -> Response:
            user: User = request.state.user
            return PlainTextResponse(user.email)

    app = Starlette(routes=[Route("/me", Me)])
    mount(app, auth)
    browser = await signed_up(auth)
    async with client(app) as http:
        assert (await http.get("/me")).json() == UNAUTHORIZED
        assert (await http.get("/me", headers={"cookie": browser.headers["cookie"]})).text == "ann@example.com"


async def connected(app: Any, *headers: tuple[bytes, bytes], extensions: Any = None) -> list[Any]:
    """Open a websocket and return what the application sent."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/greet", "headers": list(headers), "query_string": b"", "subprotocols": []}
    await app(scope | {"extensions": extensions}, receive, send)
    return sent


@requirement("S-251")
async def test_a_websocket_has_a_session_as_well() -> None:
    auth = make()

    @session_required(auth)
    async def greet(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.state.user.email)

    app = Starlette(routes=[WebSocketRoute("/greet", greet)])
    mount(app, auth)
    browser = await signed_up(auth)
    _, greeting = await connected(app, (b"cookie", browser.headers["cookie"].encode()))
    assert greeting["text"] == "ann@example.com"
    refusal, body = await connected(app, extensions={"websocket.http.response": {}})
    assert (refusal["type"], refusal["status"]) == ("websocket.http.response.start", 401)
    assert json.loads(body["body"]) == UNAUTHORIZED
    [closed] = await connected(app)
    assert closed == {"type": "websocket.close", "code": 1008, "reason": "UNAUTHORIZED"}


@requirement("S-251")
async def test_a_guard_on_what_takes_no_request_says_what_to_do() -> None:
    async def nothing() -> None:
        """Do nothing."""

    with pytest.raises(ConfigError, match="session_required is for endpoints that take a request"):
        await session_required(make())(nothing)()


@requirement("S-251")
async def test_an_application_without_its_auth_says_what_to_do() -> None:
    auth = make()
    needed = current_session(auth)

    async def me(request: Request) -> Response:
        return PlainTextResponse((await needed(request)).user.email)

    async with client(Starlette(routes=[Route("/me", me)])) as http:
        with pytest.raises(ConfigError, match=r"call portico\.hosts\.starlette\.mount"):
            await http.get("/me")


@requirement("S-251")
async def test_an_app_can_ask_for_sessions_that_another_process_serves() -> None:
    auth = make()

    @session_required(auth)
    async def me(_request: Request) -> Response:
        return PlainTextResponse("inside")

    app = Starlette(routes=[Route("/me", me)])
    attach(app, auth)
    async with client(app) as http:
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/api/auth/ok")).status_code == 404


@requirement("S-251")
async def test_a_handler_of_the_app_for_refusals_is_left_in_place() -> None:
    async def teapot(_request: Request, _refusal: Exception) -> Response:
        return Response(status_code=418)

    auth = make()

    @session_required(auth)
    async def me(_request: Request) -> Response:
        return PlainTextResponse("inside")

    app = Starlette(routes=[Route("/me", me)], exception_handlers={ApiError: teapot})
    mount(app, auth)
    async with client(app) as http:
        assert (await http.get("/me")).status_code == 418


@requirement("S-250")
async def test_routes_that_were_there_before_win_and_middleware_of_the_app_sees_ours() -> None:
    seen: list[str] = []

    class Watch:
        def __init__(self, app: Any) -> None:
            self._app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["path"])
            await self._app(scope, receive, send)

    async def own(_request: Request) -> Response:
        return PlainTextResponse("own")

    app = Starlette(routes=[Route("/api/auth/ok", own)], middleware=[Middleware(Watch)])
    mount(app, make())
    async with client(app) as http:
        assert (await http.get("/api/auth/ok")).text == "own"
        assert (await http.get("/api/auth/get-session")).text == "null"
    assert seen == ["/api/auth/ok", "/api/auth/get-session"]


@requirement("S-250")
async def test_names_of_the_apps_routes_are_found_past_an_auth() -> None:
    async def own(_request: Request) -> Response:
        return PlainTextResponse("own")

    app = Starlette()
    mount(app, make())
    app.routes.append(Route("/own/{number}", own, name="own"))
    assert app.url_path_for("own", number="5") == "/own/5"
    with pytest.raises(NoMatchFound):
        app.url_path_for("nobody's")


@requirement("S-254")
async def test_cors_and_mount_may_be_called_in_any_order() -> None:
    app = Starlette()
    auth = make(trusted_origins=["https://shop.example.com"])
    cors(app, auth)
    mount(app, auth)
    async with client(app) as http:
        answer = await http.get("/api/auth/ok", headers={"origin": "https://shop.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"


@requirement("ARCH-lifespan")
async def test_the_auth_starts_inside_the_apps_lifespan_and_closes_after_it() -> None:
    log: list[str] = []

    class Store(MemoryStore):
        async def missing(self, tables: Any) -> list[str]:
            log.append("checked")
            return [] if "created" in log else ["user"]

        async def close(self) -> None:
            log.append("closed")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        log.append("created")
        yield
        log.append("ended")

    app = Starlette(lifespan=lifespan)
    mount(app, plain(database=Store()))
    async with app.router.lifespan_context(app):
        pass
    assert log == ["created", "checked", "ended", "closed"]
