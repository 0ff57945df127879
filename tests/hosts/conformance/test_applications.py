import json
from typing import Any

import pytest

from app import BASICS, ORIGIN, Api, User, make, signed_up
from hosts.conformance.applications import APPLICATIONS
from hosts.conformance.exchange import Answer, Call
from hosts.conformance.hosts import ASYNCIO_ONLY
from portico import Auth
from portico.plugins.bearer import Bearer
from portico.testing import Clock
from requirements import requirement

pytestmark = pytest.mark.anyio
DAY = 24 * 3600
SHOP = "https://shop.example.com"
NEEDY = ["/me", "/guarded", "/conflict", "/crash"]
SET_COOKIE = "set-cookie"


class BearerApi(Api):
    bearer = Bearer[User]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on the application of every framework, on asyncio and where the framework knows it on trio."""
    runs = [
        pytest.param(make_application, loop, id=f"{name}-{loop}")
        for name, make_application in APPLICATIONS.items()
        for loop in ("asyncio", "trio")
        if loop == "asyncio" or name not in ASYNCIO_ONLY
    ]
    metafunc.parametrize(("application", "anyio_backend"), runs)


def get(target: str, *headers: tuple[str, str], method: str = "GET") -> Call:
    return Call(target=target, method=method, headers=headers)


def told(answer: Answer, name: str) -> list[str]:
    return [value for field, value in answer.headers if field == name]


def varies(answer: Answer) -> set[str]:
    """Return what an answer depends on, but for the caller, whom Django names as well."""
    [line] = told(answer, "vary")
    return set(line.split(", ")) - {"Cookie", "Authorization"}


@requirement("S-251")
async def test_an_endpoint_gets_the_session_of_its_caller(application: Any) -> None:
    auth = make()
    serve = application(auth)
    cookie = ("cookie", (await signed_up(auth)).headers["cookie"])
    for path in ("/me", "/guarded"):
        answer = await serve(get(path, cookie))
        assert (answer.status, answer.body) == (200, b"ann@example.com")
        assert (told(answer, SET_COOKIE), told(answer, "cache-control")) == ([], [])
    assert (await serve(get("/greeting", cookie))).body == b"Hello Ann"
    assert (await serve(get("/api/auth/get-session", cookie))).status == 200


@requirement("S-251")
async def test_without_a_session_the_answer_is_upstreams_401(application: Any) -> None:
    serve = application(make())
    for path in NEEDY:
        refused = await serve(get(path))
        assert (refused.status, refused.body) == (401, b'{"message":"Unauthorized","code":"UNAUTHORIZED"}')
        assert told(refused, "content-type") == ["application/json"]
    assert (await serve(get("/greeting"))).body == b"Hello"


@requirement("S-251")
@pytest.mark.parametrize("path", [*NEEDY, "/greeting"])
async def test_a_session_that_is_prolonged_sends_its_cookie_again(application: Any, path: str) -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    clock.advance(DAY + 1)
    answer = await application(auth)(get(path, ("cookie", browser.headers["cookie"])))
    assert answer.status == {"/conflict": 409, "/crash": 500}.get(path, 200)
    [line] = told(answer, SET_COOKIE)
    assert line.partition("=")[0] == "better-auth.session_token"
    # What sets a cookie must not be kept by a cache.
    assert "no-store" in told(answer, "cache-control")[0].split(", ")
    assert b"hunter2" not in answer.body


@requirement("S-251")
async def test_a_session_that_is_over_is_refused_and_its_cookies_expire(application: Any) -> None:
    clock = Clock()
    auth = make(clock)
    browser = await signed_up(auth)
    clock.advance(8 * DAY)
    refused = await application(auth)(get("/guarded", ("cookie", browser.headers["cookie"])))
    expired = [line.partition("=")[0] for line in told(refused, SET_COOKIE) if "Max-Age=0" in line]
    assert (refused.status, expired[0]) == (401, "better-auth.session_token")


@requirement("S-251")
async def test_a_bearer_token_is_a_session_where_the_plugin_is(application: Any) -> None:
    auth = Auth(api=BearerApi, **BASICS)
    token = json.loads((await (await signed_up(auth)).get("/get-session")).body)["session"]["token"]
    answer = await application(auth)(get("/me", ("authorization", f"Bearer {token}")))
    assert (answer.status, answer.body) == (200, b"ann@example.com")


@requirement("S-251")
async def test_a_refusal_of_the_apps_own_is_answered_alike(application: Any) -> None:
    refused = await application(make())(get("/stock"))
    assert (refused.status, refused.body) == (409, b'{"message":"Out of stock","code":"OUT_OF_STOCK"}')
    assert told(refused, "content-type") == ["application/json"]
    assert (told(refused, "x-stock"), told(refused, SET_COOKIE)) == (["0"], ["a=1", "b=2"])


@requirement("S-254")
@pytest.mark.parametrize("path", [*NEEDY, "/greeting", "/stock", "/nowhere", "/api/auth/ok", "/api/auth/nowhere"])
async def test_a_trusted_origin_may_read_every_answer(application: Any, path: str) -> None:
    auth = make(trusted_origins=[SHOP])
    cookie = ("cookie", (await signed_up(auth)).headers["cookie"])
    answer = await application(auth)(get(path, cookie, ("origin", SHOP)))
    assert told(answer, "access-control-allow-origin") == [SHOP]
    assert told(answer, "access-control-allow-credentials") == ["true"]
    assert varies(answer) == ({"Accept-Encoding", "Origin"} if path == "/greeting" else {"Origin"})


@requirement("S-254")
@pytest.mark.parametrize("headers", [(), (("origin", "https://evil.example"),), (("origin", "null"),)])
async def test_no_other_origin_may(application: Any, headers: tuple[tuple[str, str], ...]) -> None:
    serve = application(make(trusted_origins=[SHOP]))
    for path in ("/greeting", "/me", "/api/auth/ok"):
        answer = await serve(get(path, *headers))
        assert [name for name, _ in answer.headers if name.startswith("access-control-")] == []
        assert varies(answer) == ({"Accept-Encoding", "Origin"} if path == "/greeting" else {"Origin"})


@requirement("S-254")
@pytest.mark.parametrize("path", ["/me", "/nowhere", "/api/auth/sign-in/email"])
async def test_a_preflight_is_answered_wherever_it_asks(application: Any, path: str) -> None:
    serve = application(make(trusted_origins=[SHOP]))
    asked = (("access-control-request-method", "POST"), ("access-control-request-headers", "content-type"))
    answer = await serve(get(path, ("origin", SHOP), *asked, method="OPTIONS"))
    assert (answer.status, answer.body) == (204, b"")
    allowed = {name: value for name, value in answer.headers if name.startswith("access-control-allow-")}
    assert allowed == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "access-control-allow-headers": "content-type",
    }
    refused = await serve(get(path, ("origin", "https://evil.example"), *asked, method="OPTIONS"))
    assert refused.status == 403


@requirement("S-254")
async def test_the_apps_own_origin_reads_its_answers_as_ever(application: Any) -> None:
    answer = await application(make())(get("/greeting", ("origin", ORIGIN)))
    assert (answer.status, answer.body) == (200, b"Hello")
