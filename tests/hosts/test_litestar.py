from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, Response, get
from litestar.di import NamedDependency, Provide

import portico
from app import ORIGIN, User, make, plain, signed_up
from hosts.conformance.exchange import asgi_lifespan
from portico import ApiError, ConfigError, MemoryStore, SessionData
from portico.hosts.litestar import attach, cors, current_session, mount, session_required
from requirements import requirement

pytestmark = pytest.mark.anyio
UNAUTHORIZED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN, headers={"origin": ORIGIN})


@requirement("S-251")
async def test_a_session_for_all_handlers_is_read_for_those_that_ask() -> None:
    auth = make()

    @get("/me")
    async def me(session: NamedDependency[SessionData[User, portico.Session]]) -> str:
        return session.user.email

    @get("/open")
    async def anyone() -> str:
        return "open"

    app = Litestar([me, anyone], dependencies={"session": Provide(current_session(auth))}, logging_config=None)
    mount(app, auth)
    browser = await signed_up(auth)
    async with client(app) as http:
        assert (await http.get("/open")).text == "open"
        assert (await http.get("/me")).json() == UNAUTHORIZED
        assert (await http.get("/me", headers={"cookie": browser.headers["cookie"]})).text == "ann@example.com"


@requirement("S-251")
async def test_a_guard_closes_a_whole_application_and_leaves_sign_in_open() -> None:
    auth = make()

    @get("/secret")
    async def secret() -> str:
        return "inside"

    app = Litestar([secret], guards=[session_required(auth)], logging_config=None)
    mount(app, auth)
    body = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    async with client(app) as http:
        assert (await http.get("/secret")).status_code == 401
        assert (await http.post("/api/auth/sign-up/email", json=body)).status_code == 200
        assert (await http.get("/secret")).text == "inside"


@requirement("S-251")
async def test_an_application_without_its_auth_says_what_to_do() -> None:
    @get("/me", guards=[session_required(make())])
    async def me() -> str:
        return "inside"

    async with client(Litestar([me], debug=True, logging_config=None)) as http:
        answer = await http.get("/me")
    assert answer.status_code == 500
    assert "call portico.hosts.litestar.mount(app, auth)" in answer.text


@requirement("S-251")
async def test_an_app_can_ask_for_sessions_that_another_process_serves() -> None:
    auth = make()

    @get("/me", guards=[session_required(auth)])
    async def me() -> str:
        return "inside"

    app = Litestar([me], logging_config=None)
    attach(app, auth)
    async with client(app) as http:
        assert (await http.get("/me")).json() == UNAUTHORIZED
        assert (await http.get("/api/auth/ok")).status_code == 404


@requirement("S-251")
async def test_a_handler_of_the_app_for_refusals_is_left_in_place() -> None:
    def teapot(_request: Request[Any, Any, Any], _refusal: Exception) -> Response[str]:
        return Response("", status_code=418)

    auth = make()

    @get("/me", guards=[session_required(auth)])
    async def me() -> str:
        return "inside"

    app = Litestar([me], exception_handlers={ApiError: teapot}, logging_config=None)
    mount(app, auth)
    async with client(app) as http:
        assert (await http.get("/me")).status_code == 418


@requirement("S-250")
async def test_paths_that_only_look_like_ours_are_the_apps() -> None:
    @get("/api/authority")
    async def authority() -> str:
        return "own"

    @get("/api/auth/ok")
    async def hidden() -> str:
        return "hidden"

    app = Litestar([authority, hidden], logging_config=None)
    mount(app, make())
    async with client(app) as http:
        assert (await http.get("/api/authority")).text == "own"
        assert (await http.get("/api/auth/ok")).json() == {"ok": True}


@requirement("S-254")
async def test_litestars_own_middleware_for_other_origins_is_not_needed() -> None:
    app = Litestar(logging_config=None)
    auth = make(trusted_origins=["https://shop.example.com"])
    mount(app, auth)
    cors(app, auth)
    async with client(app) as http:
        answer = await http.get("/nowhere", headers={"origin": "https://shop.example.com"})
    assert (answer.status_code, answer.headers["vary"]) == (404, "Origin")
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"


@requirement("ARCH-lifespan")
async def test_the_app_may_create_the_tables_when_it_starts() -> None:
    log: list[str] = []

    class Store(MemoryStore):
        async def missing(self, tables: Any) -> list[str]:
            log.append("checked")
            return [] if "created" in log else ["user"]

        async def close(self) -> None:
            log.append("closed")

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncGenerator[None]:
        log.append("created")
        yield
        log.append("ended")

    async def say_goodbye() -> None:
        log.append("goodbye")

    app = Litestar(lifespan=[lifespan], on_shutdown=[say_goodbye], logging_config=None)
    mount(app, plain(database=Store()))
    serve: Any = app
    async with asgi_lifespan(serve):
        assert log == ["created", "checked"]
    assert log == ["created", "checked", "ended", "goodbye", "closed"]


@requirement("S-251")
async def test_a_dependency_outside_a_mounted_application_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"call portico\.hosts\.litestar\.mount"):
        scope: Any = {"type": "http", "headers": []}
        await current_session(make())(scope)
