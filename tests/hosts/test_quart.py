from typing import Any

import pytest
from quart import Quart, Response, g, websocket

from app import ORIGIN, make, plain, signed_up
from hosts.conformance.exchange import asgi_lifespan
from portico import ApiError, ConfigError, MemoryStore
from portico.hosts.quart import attach, cors, current_session, mount, session_required
from requirements import requirement

pytestmark = pytest.mark.anyio
UNAUTHORIZED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}


@pytest.fixture
def anyio_backend() -> str:
    """Quart runs on asyncio only."""
    return "asyncio"


@requirement("S-251")
async def test_a_guarded_view_keeps_its_arguments() -> None:
    auth = make()
    app = Quart(__name__)

    @app.get("/orders/<int:number>")
    @session_required(auth)
    async def order(number: int) -> str:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        return f"{g.user.email} {number}"

    mount(app, auth)
    cookie = (await signed_up(auth)).headers["cookie"]
    http = app.test_client(use_cookies=False)
    assert await (await http.get("/orders/7")).get_json() == UNAUTHORIZED
    assert await (await http.get("/orders/7", headers={"cookie": cookie})).get_data() == b"ann@example.com 7"


@requirement("S-250")
async def test_quarts_own_client_signs_up_and_stays_signed_in() -> None:
    app = Quart(__name__)
    mount(app, make())
    http = app.test_client()
    body = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    signed_in = await http.post("/api/auth/sign-up/email", json=body, headers={"origin": ORIGIN})
    token = (await signed_in.get_json())["token"]
    session = await (await http.get("/api/auth/get-session")).get_json()
    assert session["session"]["token"] == token


@requirement("S-251")
async def test_a_websocket_has_a_session_as_well() -> None:
    auth = make()
    app = Quart(__name__)
    needed = current_session(auth)

    @app.websocket("/greet")
    async def greet() -> None:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        await websocket.send((await needed()).user.email)

    mount(app, auth)
    cookie = (await signed_up(auth)).headers["cookie"]
    http: Any = app.test_client(use_cookies=False)
    async with http.websocket("/greet", headers={"cookie": cookie}) as socket:
        assert await socket.receive() == "ann@example.com"


@requirement("S-251")
async def test_a_view_without_its_auth_says_what_to_do() -> None:
    app = Quart(__name__)

    @app.get("/me")
    @session_required(make())
    async def me() -> str:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        return "inside"

    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ConfigError, match=r"call portico\.hosts\.quart\.mount"):
        await app.test_client().get("/me")


@requirement("S-251")
async def test_an_app_can_ask_for_sessions_that_another_process_serves() -> None:
    auth = make()
    app = Quart(__name__)

    @app.get("/me")
    @session_required(auth)
    async def me() -> str:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        return "inside"

    attach(app, auth)
    http = app.test_client()
    assert (await http.get("/me")).status_code == 401
    assert (await http.get("/api/auth/ok")).status_code == 404


@requirement("S-251")
async def test_a_handler_of_the_app_for_refusals_is_left_in_place() -> None:
    auth = make()
    app = Quart(__name__)

    @app.errorhandler(ApiError)
    async def teapot(_refusal: ApiError) -> Response:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        return Response("", 418)

    @app.get("/me")
    @session_required(auth)
    async def me() -> str:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        return "inside"

    mount(app, auth)
    assert (await app.test_client().get("/me")).status_code == 418


@requirement("S-250")
async def test_paths_that_only_look_like_ours_are_the_apps() -> None:
    app = Quart(__name__)

    @app.get("/api/authority")
    async def authority() -> str:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        return "own"

    mount(app, make())
    http = app.test_client()
    assert await (await http.get("/api/authority")).get_data() == b"own"
    assert (await http.get("/api/auth//ok")).status_code == 404


@requirement("S-254")
async def test_a_preflight_does_not_reach_the_app() -> None:
    app = Quart(__name__)
    auth = make(trusted_origins=["https://shop.example.com"])
    mount(app, auth)
    cors(app, auth)
    asked = {"origin": "https://shop.example.com", "access-control-request-method": "POST"}
    answer = await app.test_client().options("/api/auth/sign-in/email", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, asked["origin"])


@requirement("ARCH-lifespan")
async def test_the_app_may_create_the_tables_when_it_starts() -> None:
    log: list[str] = []

    class Store(MemoryStore):
        async def missing(self, tables: Any) -> list[str]:
            log.append("checked")
            return [] if "created" in log else ["user"]

        async def close(self) -> None:
            log.append("closed")

    app = Quart(__name__)
    mount(app, plain(database=Store()))

    @app.before_serving
    async def create() -> None:  # pyright: ignore[reportUnusedFunction]  # Quart calls it
        log.append("created")

    serve: Any = app
    async with asgi_lifespan(serve):
        assert log == ["created", "checked"]
    assert log == ["created", "checked", "closed"]
