import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, assert_type

import httpx
import pytest
from anyio import fail_after, open_process
from anyio.streams.buffered import BufferedByteReceiveStream
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import portico
from app import ORIGIN, User, make, plain, signed_up
from portico import ApiError, ConfigError, ErrorCode, MemoryStore, SessionData
from portico.hosts.fastapi import attach, current_session, mount, optional_session
from portico.plugins.bearer import Bearer
from portico.testing import Clock
from requirements import requirement

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[1]
UNAUTHORIZED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}
OUT_OF_STOCK = ErrorCode(409, "OUT_OF_STOCK", "Out of stock")
DAY = 24 * 3600


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN, headers={"origin": ORIGIN})


def application(auth: Any) -> FastAPI:
    app = FastAPI()
    needed = current_session(auth)
    possible = optional_session(auth)

    @app.get("/me")
    async def me(session: Annotated[SessionData[User, portico.Session], Depends(needed)]) -> str:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        return session.user.email

    @app.get("/guarded", dependencies=[Depends(needed)])
    async def guarded() -> Response:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        return Response(b"inside")

    @app.get("/greeting")
    async def greeting(session: Annotated[SessionData[User, portico.Session] | None, Depends(possible)]) -> str:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        return f"Hello {session.user.name}" if session else "Hello"

    @app.get("/broken", dependencies=[Depends(needed)])
    async def broken() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        raise HTTPException(409)

    @app.get("/stock")
    async def stock() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        raise ApiError(OUT_OF_STOCK, headers=(("x-stock", "0"),))

    mount(app, auth)
    return app


@requirement("S-251")
async def test_an_endpoint_gets_the_session_of_its_caller() -> None:
    auth = make()
    cookie = (await signed_up(auth)).headers["cookie"]
    async with client(application(auth)) as http:
        http.headers["cookie"] = cookie
        me = await http.get("/me")
        assert (me.status_code, me.json(), me.headers.get_list("set-cookie")) == (200, "ann@example.com", [])
        assert "cache-control" not in me.headers
        assert (await http.get("/guarded")).content == b"inside"
        assert (await http.get("/greeting")).json() == "Hello Ann"


@requirement("S-251")
@pytest.mark.parametrize("path", ["/me", "/guarded"])
async def test_without_a_session_the_answer_is_upstreams_401(path: str) -> None:
    async with client(application(make())) as http:
        refused = await http.get(path)
        assert (refused.status_code, refused.json()) == (401, UNAUTHORIZED)
        assert refused.headers["content-type"] == "application/json"
        assert (await http.get("/greeting")).json() == "Hello"


@requirement("S-251")
@pytest.mark.parametrize("path", ["/me", "/guarded", "/greeting", "/broken"])
async def test_a_session_that_is_prolonged_sends_its_cookie_again(path: str) -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    clock.advance(DAY + 1)
    async with client(application(auth)) as http:
        answer = await http.get(path, headers={"cookie": browser.headers["cookie"]})
    [line] = answer.headers.get_list("set-cookie")
    assert line.partition("=")[0] == "better-auth.session_token"
    # What sets a cookie must not be kept by a cache.
    assert answer.headers["cache-control"] == "no-store"


@requirement("S-251")
async def test_a_session_that_is_over_is_refused_and_its_cookies_expire() -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    clock.advance(8 * DAY)
    async with client(application(auth)) as http:
        refused = await http.get("/me", headers={"cookie": browser.headers["cookie"]})
    expired = [line.partition("=")[0] for line in refused.headers.get_list("set-cookie") if "Max-Age=0" in line]
    assert (refused.status_code, refused.json()) == (401, UNAUTHORIZED)
    assert "better-auth.session_token" in expired


@requirement("S-251")
async def test_a_bearer_token_is_a_session_where_the_plugin_is() -> None:
    auth = plain(Bearer())
    token = json.loads((await (await signed_up(auth)).get("/get-session")).body)["session"]["token"]
    async with client(application(auth)) as http:
        http.headers["authorization"] = f"Bearer {token}"
        assert (await http.get("/me")).json() == "ann@example.com"


@requirement("S-251")
async def test_a_refusal_of_the_apps_own_is_answered_alike() -> None:
    async with client(application(make())) as http:
        refused = await http.get("/stock")
    assert (refused.status_code, refused.json()) == (409, {"message": "Out of stock", "code": "OUT_OF_STOCK"})
    assert refused.headers["x-stock"] == "0"


@requirement("S-251")
async def test_a_handler_of_the_app_for_refusals_is_left_in_place() -> None:
    async def teapot(_request: Request, _refusal: Exception) -> Response:
        return Response(status_code=418)

    app = FastAPI(exception_handlers={ApiError: teapot})
    auth = make()

    @app.get("/me", dependencies=[Depends(current_session(auth))])
    async def me() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        """Say nothing."""

    mount(app, auth)
    async with client(app) as http:
        assert (await http.get("/me")).status_code == 418


@requirement("S-251")
async def test_the_document_tells_who_needs_a_session_and_how_to_send_one() -> None:
    document = application(plain(Bearer())).openapi()
    operation = document["paths"]["/me"]["get"]
    assert operation["security"] == [{"session-cookie": []}, {"session-bearer": []}]
    assert document["components"]["securitySchemes"] == {
        "session-cookie": {"type": "apiKey", "in": "cookie", "name": "better-auth.session_token"},
        "session-bearer": {"type": "http", "scheme": "bearer"},
    }
    assert operation["responses"]["401"] == {
        "description": "Unauthorized",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"message": {"type": "string"}, "code": {"enum": ["UNAUTHORIZED"]}},
                    "required": ["message", "code"],
                }
            }
        },
    }
    assert document["paths"]["/guarded"]["get"]["responses"].keys() == {"200", "401"}
    assert document["paths"]["/greeting"]["get"]["responses"].keys() == {"200"}
    assert document["paths"].keys() == {"/me", "/guarded", "/greeting", "/broken", "/stock"}
    assert "parameters" not in operation


@requirement("S-251")
def test_the_document_has_the_name_that_the_cookie_really_has() -> None:
    schemes = application(plain(base_url="https://example.com")).openapi()["components"]["securitySchemes"]
    assert schemes == {
        "session-cookie": {"type": "apiKey", "in": "cookie", "name": "__Secure-better-auth.session_token"}
    }


@requirement("ARCH-types")
def test_the_types_of_the_declared_rows_flow_through() -> None:
    auth = make()
    assert_type(current_session(auth), Callable[..., Coroutine[Any, Any, SessionData[User, portico.Session]]])
    assert_type(optional_session(auth), Callable[..., Coroutine[Any, Any, SessionData[User, portico.Session] | None]])


@requirement("S-250")
async def test_unknown_paths_below_the_base_path_are_ours_and_others_the_apps() -> None:
    async with client(application(make())) as http:
        for path in ("/api/auth", "/api/auth/", "/api/auth/nothing", "/api/auth/ok/"):
            answer = await http.get(path)
            assert (answer.status_code, answer.content) == (404, b"")
        assert (await http.get("/api/authority")).json() == {"detail": "Not Found"}
        assert (await http.get("/api/auth/ok")).json() == {"ok": True}


@requirement("S-250")
async def test_a_starlette_application_is_served_as_well() -> None:
    app = Starlette()
    mount(app, make())
    async with client(app) as http:
        assert (await http.get("/api/auth/ok")).json() == {"ok": True}


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/shop/api/auth"])
@pytest.mark.parametrize("prefix", ["mounted", "told by the proxy"])
async def test_a_prefix_of_the_whole_app_may_stand_in_the_base_url(base_url: str, prefix: str) -> None:
    auth = plain(base_url=base_url)
    app = FastAPI()
    mount(app, auth)
    mounted = httpx.ASGITransport(Starlette(routes=[Mount("/shop", app)]))
    proxied = httpx.ASGITransport(app, root_path="/shop")
    is_mounted = prefix == "mounted"
    async with httpx.AsyncClient(transport=mounted if is_mounted else proxied, base_url=ORIGIN) as http:
        path = "/shop/api/auth/ok" if is_mounted else "/api/auth/ok"
        assert (await http.get(path)).json() == {"ok": True}


@requirement("S-250")
async def test_an_auth_without_a_base_path_leaves_the_apps_own_routes() -> None:
    auth = plain(base_path="/")

    async def own(_request: Request) -> Response:
        return Response(b"own")

    app = Starlette(routes=[Route("/own", own)])
    mount(app, auth)
    async with client(app) as http:
        assert (await http.get("/own")).content == b"own"
        assert (await http.get("/ok")).json() == {"ok": True}


@requirement("S-251")
async def test_a_dependency_without_mount_says_what_to_do() -> None:
    auth = make()
    app = FastAPI()

    @app.get("/me", dependencies=[Depends(current_session(auth))])
    async def me() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        """Say nothing."""

    async with client(app) as http:
        with pytest.raises(ConfigError, match=r"call portico\.hosts\.fastapi\.mount"):
            await http.get("/me")


@requirement("S-251")
async def test_an_app_can_ask_for_sessions_that_another_process_serves() -> None:
    auth = make()
    app = FastAPI()

    @app.get("/me", dependencies=[Depends(current_session(auth))])
    async def me() -> None:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        """Say nothing."""

    attach(app, auth)
    async with client(app) as http:
        refused = await http.get("/me")
        assert (refused.status_code, refused.json()) == (401, UNAUTHORIZED)
        assert (await http.get("/api/auth/ok")).json() == {"detail": "Not Found"}


class Store(MemoryStore):
    """A database whose tables the app creates when it starts."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log

    async def missing(self, tables: Any) -> list[str]:
        self.log.append("checked")
        return [] if "created" in self.log else ["user"]

    async def close(self) -> None:
        self.log.append("closed")


@requirement("ARCH-lifespan")
async def test_the_auth_starts_inside_the_apps_lifespan_and_closes_after_it() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[dict[str, str]]:
        log.append("created")
        yield {"state": "kept"}
        log.append("ended")

    app = FastAPI(lifespan=lifespan)
    auth = plain(database=Store(log))
    mount(app, auth)
    async with app.router.lifespan_context(app) as state:
        assert (state, auth.is_started) == ({"state": "kept"}, True)
    assert log == ["created", "checked", "ended", "closed"]


@requirement("ARCH-lifespan")
async def test_an_app_whose_database_lacks_tables_does_not_start() -> None:
    app = FastAPI()
    log: list[str] = []
    mount(app, plain(database=Store(log)))
    with pytest.raises(ConfigError, match="the database lacks user"):
        async with app.router.lifespan_context(app):
            raise AssertionError("started without tables")
    assert log == ["checked", "closed"]


@requirement("S-253")
async def test_middleware_that_eats_the_body_is_a_clear_error_and_one_that_reads_it_is_fine() -> None:
    auth = make()
    body = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    app = FastAPI()
    mount(app, auth)

    @app.middleware("http")
    async def read(request: Request, call_next: Any) -> Any:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        if "eat" in request.headers:
            _ = [chunk async for chunk in request.stream()]
        else:
            await request.body()
        return await call_next(request)

    async with client(app) as http:
        assert (await http.post("/api/auth/sign-up/email", json=body)).status_code == 200
        with pytest.raises(ConfigError, match="something before Portico has read"):
            await http.post("/api/auth/sign-up/email", json=body | {"email": "bob@example.com"}, headers={"eat": "1"})
    assert await auth.store.count(auth.tables["user"]) == 1


SERVER = """
import socket

import uvicorn
from fastapi import FastAPI

from app import plain
from portico.hosts import fastapi

app = FastAPI()
fastapi.mount(app, plain())
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
"""


@requirement("S-250")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_uvicorn_serves_it() -> None:
    body = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    command = [sys.executable, "-c", SERVER]
    with fail_after(20):
        async with await open_process(command, cwd=ROOT, stderr=subprocess.STDOUT) as server:
            assert server.stdout is not None
            port = int(await BufferedByteReceiveStream(server.stdout).receive_until(b"\n", 100))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"origin": ORIGIN}) as http:
                token = (await http.post("/api/auth/sign-up/email", json=body)).json()["token"]
                assert (await http.get("/api/auth/get-session")).json()["session"]["token"] == token
                assert (await http.get("/api/auth/a%2Fb")).status_code == 404
            server.terminate()
            await server.wait()
