import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from app import ORIGIN, make, plain, signed_up
from hosts.conformance.exchange import Call, environ_of, through_wsgi
from hosts.conformance.mirror import Mirror
from portico import ApiError, Auth, ConfigError, ErrorCode, MemoryStore
from portico.errors import UNAUTHORIZED
from portico.hosts import flask
from portico.plugins.bearer import Bearer
from portico.testing import Browser, Clock
from requirements import requirement

ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
REFUSED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}
OUT_OF_STOCK = ErrorCode(409, "OUT_OF_STOCK", "Out of stock")
SHOP = "https://shop.example.com"
DAY = 24 * 3600
TOKEN = "better-auth.session_token"


class CountingStore(MemoryStore):
    """A database that counts how often a session is looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def find_joined(self, table: Any, *args: Any, **options: Any) -> Any:
        self.reads += 1
        return await super().find_joined(table, *args, **options)


def stock() -> str:
    raise ApiError(OUT_OF_STOCK, headers=(("x-stock", "0"),))


def application(auth: Auth[Any]) -> Flask:
    app = Flask("shop")

    def me() -> str:
        return str(flask.current_session(auth).user.email)

    async def me_async() -> str:
        return str(flask.current_session(auth).user.email)

    def greeting() -> str:
        session = flask.optional_session(auth)
        return f"Hello {session.user.name}" if session else "Hello"

    @flask.session_required(auth)
    def guarded(word: str) -> str:
        return word

    @flask.session_required(auth)
    async def guarded_async(word: str) -> str:
        return word

    @flask.login_required(auth, "/login?lang=en")
    def page() -> str:
        return "page"

    def broken() -> str:
        flask.current_session(auth)
        abort(409)

    for view in (me, me_async, greeting, page, broken, stock):
        app.add_url_rule(f"/{view.__name__}", view_func=view)
    for guard in (guarded, guarded_async):
        app.add_url_rule(f"/{guard.__name__}/<word>", view_func=guard)
    flask.mount(app, auth)
    return app


def browser(app: Any, cookie: str = "") -> Client:
    """Return a client that sends `cookie` with every request and keeps none."""

    def entered(environ: dict[str, Any], start_response: Any) -> Any:
        return app({**environ, "HTTP_COOKIE": cookie, "HTTP_ORIGIN": ORIGIN}, start_response)

    return Client(entered, use_cookies=False)


def signed_up_here(auth: Auth[Any]) -> Browser:
    return auth.run(signed_up, auth)


def seen(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.text


@requirement("S-251")
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/me", "ann@example.com"),
        ("/me_async", "ann@example.com"),
        ("/greeting", "Hello Ann"),
        ("/guarded/inside", "inside"),
        ("/guarded_async/inside", "inside"),
        ("/page", "page"),
    ],
)
def test_a_view_gets_the_session_of_its_caller(path: str, text: str) -> None:
    auth = make()
    answer = browser(application(auth), signed_up_here(auth).headers["cookie"]).get(path)
    assert seen(answer) == (200, text)
    assert "set-cookie" not in answer.headers
    assert "cache-control" not in answer.headers


@requirement("S-251")
@pytest.mark.parametrize("path", ["/me", "/me_async", "/guarded/inside", "/guarded_async/inside"])
def test_without_a_session_the_answer_is_upstreams_401(path: str) -> None:
    answer = browser(application(make())).get(path)
    assert (answer.status_code, answer.json, answer.headers["content-type"]) == (401, REFUSED, "application/json")
    assert browser(application(make())).get("/greeting").text == "Hello"


@requirement("S-251")
@pytest.mark.parametrize(
    ("target", "back"),
    [
        ("/page", "/page"),
        ("/page?a=1&b=%2F", "/page%3Fa%3D1%26b%3D%252F"),
        ("/p%61ge", "/p%2561ge"),
    ],
)
def test_a_page_without_a_session_leads_to_sign_in_and_back(target: str, back: str) -> None:
    answer = through_wsgi(application(make()), environ_of(Call(target=target)))
    assert (answer.status, dict(answer.headers)["Location"]) == (302, f"/login?lang=en&next={back}")


@requirement("S-251")
@pytest.mark.parametrize("path", ["/me", "/me_async", "/greeting", "/guarded/inside", "/page", "/broken"])
def test_a_session_that_is_prolonged_sends_its_cookie_again(path: str) -> None:
    clock = Clock()
    auth = make(clock)
    cookie = signed_up_here(auth).headers["cookie"]
    clock.advance(DAY + 1)
    answer = browser(application(auth), cookie).get(path)
    assert [line.partition("=")[0] for line in answer.headers.getlist("set-cookie")] == [TOKEN]
    # What sets a cookie must not be kept by a cache.
    assert answer.headers.getlist("cache-control") == ["no-store"]


@requirement("S-251")
def test_a_session_that_is_over_is_refused_and_its_cookies_expire() -> None:
    clock = Clock()
    auth = make(clock)
    cookie = signed_up_here(auth).headers["cookie"]
    clock.advance(8 * DAY)
    answer = browser(application(auth), cookie).get("/guarded/inside")
    expired = [line.partition("=")[0] for line in answer.headers.getlist("set-cookie") if "Max-Age=0" in line]
    assert (answer.status_code, answer.json) == (401, REFUSED)
    assert TOKEN in expired


@requirement("S-251")
def test_a_bearer_token_is_a_session_where_the_plugin_is() -> None:
    auth = plain(Bearer())
    token = json.loads(auth.run(signed_up_here(auth).get, "/get-session").body)["session"]["token"]
    answer = browser(application(auth)).get("/me", headers={"authorization": f"Bearer {token}"})
    assert seen(answer) == (200, "ann@example.com")


@requirement("S-251")
def test_a_session_is_looked_up_once_for_a_request() -> None:
    store = CountingStore()
    auth = make(database=store)
    app = application(auth)

    @app.before_request
    def ask() -> None:  # pyright: ignore[reportUnusedFunction]  # Flask calls it
        flask.optional_session(auth)

    client = browser(app, signed_up_here(auth).headers["cookie"])
    store.reads = 0
    assert client.get("/me").text == "ann@example.com"
    assert store.reads == 1


@requirement("S-251")
def test_a_refusal_of_the_apps_own_is_answered_alike() -> None:
    answer = browser(application(make())).get("/stock")
    assert (answer.status_code, answer.json) == (409, {"message": "Out of stock", "code": "OUT_OF_STOCK"})
    assert answer.headers["x-stock"] == "0"


@requirement("S-251")
def test_a_handler_of_the_app_for_refusals_is_left_in_place() -> None:
    app = Flask("shop")
    app.register_error_handler(ApiError, lambda _: Response("teapot", 418))
    app.add_url_rule("/me", view_func=_raising)
    flask.mount(app, make())
    assert seen(browser(app).get("/me")) == (418, "teapot")


def _raising() -> str:
    raise ApiError(UNAUTHORIZED)


@requirement("S-251")
def test_asking_for_a_session_without_mount_says_what_to_do() -> None:
    app = Flask("shop")
    with app.test_request_context(), pytest.raises(ConfigError, match=r"call portico\.hosts\.flask\.mount"):
        flask.optional_session(make())


@requirement("S-251")
def test_an_app_can_ask_for_sessions_that_another_process_serves() -> None:
    auth = make()
    app = Flask("shop")
    app.add_url_rule("/me", view_func=lambda: flask.current_session(auth).user.email)
    flask.attach(app, auth)
    assert browser(app).get("/me").json == REFUSED
    assert browser(app).get("/api/auth/ok").status_code == 404


@requirement("S-251")
def test_one_app_asks_two_auths() -> None:
    first, second = make(), plain(base_path="/staff")
    app = Flask("shop")
    flask.mount(app, first)
    flask.mount(app, second)
    app.add_url_rule(
        "/", view_func=lambda: f"{flask.optional_session(first)} {flask.current_session(second).user.name}"
    )
    client = browser(app, signed_up_here(second).headers["cookie"])
    assert client.get("/").text == "None Ann"
    assert [client.get(path).json for path in ("/api/auth/ok", "/staff/ok")] == [{"ok": True}] * 2


@requirement("S-250")
def test_unknown_paths_below_the_base_path_are_ours_and_others_the_apps() -> None:
    app = application(make())
    app.add_url_rule("/api/auth/own", view_func=lambda: "own")
    app.add_url_rule("/api/authority", "other", view_func=lambda: "other")
    client = browser(app)
    for path in ("/api/auth", "/api/auth/", "/api/auth/own", "/api/auth/ok/"):
        assert seen(client.get(path)) == (404, "")
    assert client.get("/api/authority").text == "other"
    assert client.get("/api/auth/ok").json == {"ok": True}


@requirement("S-250")
def test_an_auth_without_a_base_path_leaves_the_apps_own_routes() -> None:
    app = Flask("shop")
    app.add_url_rule("/own", view_func=lambda: "own")
    app.add_url_rule("/folder/", "folder", view_func=lambda: "folder")
    flask.mount(app, plain(base_path="/"))
    client = browser(app)
    assert seen(client.get("/own")) == (200, "own")
    assert [client.get("/folder").status_code, client.post("/own").status_code] == [308, 405]
    assert client.get("/ok").json == {"ok": True}


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/shop/api/auth"])
def test_a_prefix_of_the_whole_app_may_stand_in_the_base_url(base_url: str) -> None:
    app = Flask("shop")
    flask.mount(app, plain(base_url=base_url))
    client = browser(DispatcherMiddleware(Flask("outside"), {"/shop": app}))
    assert client.get("/shop/api/auth/ok").json == {"ok": True}
    assert client.get("/api/auth/ok").status_code == 404


@requirement("ARCH-raw-path")
def test_flask_does_not_see_the_paths_of_the_auth() -> None:
    app = Flask("shop")

    @app.get("/<path:path>")
    def own(path: str) -> str:  # pyright: ignore[reportUnusedFunction]  # Flask calls it
        return f"app: {path}"

    flask.mount(app, plain(Mirror()))
    answer = through_wsgi(app, environ_of(Call(target="/api/auth/mirror/a%2Db")))
    assert json.loads(answer.body)["path"] == "/api/auth/mirror/a%2Db"
    assert through_wsgi(app, environ_of(Call(target="/api/auth/mirror/a%2Fb"))).status == 404
    assert through_wsgi(app, environ_of(Call(target="/api/auth%2Fok"))).body == b"app: api/auth/ok"


@requirement("S-253")
def test_nothing_of_flask_reads_the_body_before_the_auth() -> None:
    auth = make()
    app = application(auth)

    @app.before_request
    def read() -> None:  # pyright: ignore[reportUnusedFunction]  # Flask calls it
        raise AssertionError("the request of the Auth reached Flask")

    answer = app.test_client().post("/api/auth/sign-up/email", json=ANN, headers={"origin": ORIGIN})
    assert answer.status_code == 200
    assert auth.run(auth.store.count, auth.tables["user"]) == 1


@requirement("S-254")
@pytest.mark.parametrize("is_cors_first", [False, True])
def test_trusted_origins_may_read_what_the_app_and_the_auth_answer(is_cors_first: bool) -> None:
    auth = plain(trusted_origins=[SHOP])
    app = Flask("shop")
    steps: list[Callable[[Flask, Auth[Any]], None]] = [flask.mount, flask.cors]
    for step in reversed(steps) if is_cors_first else steps:
        step(app, auth)
    app.add_url_rule("/own", view_func=lambda: Response("own", headers={"Vary": "Cookie"}))
    client = Client(app)
    for path, status in (("/own", 200), ("/api/auth/ok", 200), ("/api/auth/nothing", 404), ("/nothing", 404)):
        answer = client.get(path, headers={"origin": SHOP})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, SHOP)
        assert "Origin" in answer.headers["vary"]
        foreign = client.get(path, headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in foreign.headers
    asked = {"origin": SHOP, "access-control-request-method": "POST"}
    preflight = client.options("/own", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"], preflight.data) == (204, SHOP, b"")


@requirement("S-251")
def test_a_view_of_a_blueprint_gets_the_session_too() -> None:
    auth = make()
    app = application(auth)
    pages = Blueprint("pages", "pages", url_prefix="/pages")

    @pages.get("/me")
    @flask.session_required(auth)
    def me() -> str:  # pyright: ignore[reportUnusedFunction]  # Flask calls it
        return "inside"

    app.register_blueprint(pages)
    assert browser(app).get("/pages/me").json == REFUSED
    assert browser(app, signed_up_here(auth).headers["cookie"]).get("/pages/me").text == "inside"
