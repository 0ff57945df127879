import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from anyio import fail_after, to_thread
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client
from django.test.utils import override_settings
from django.urls import URLPattern, include, path
from django.utils.decorators import method_decorator
from django.views import View

import portico
from app import ORIGIN, User, make, plain, signed_up
from hosts.conformance.exchange import Answer, Call, environ_of, json_call, through_wsgi
from hosts.conformance.mirror import Mirror
from hosts.django_site import COMMON, CORS, SESSION, USUAL, ASGISite, WSGISite, drive_asgi, drive_wsgi, site
from portico import ApiError, Auth, ConfigError, ErrorCode, MemoryStore
from portico.hosts import asgi, django
from portico.hosts.django import AuthRequest, SessionRequest, login_required, session_required, with_lifespan
from portico.options import AdvancedOptions, RateLimitOptions
from portico.plugins.bearer import Bearer
from portico.testing import Clock
from requirements import requirement

pytestmark = pytest.mark.anyio
REFUSED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}
OUT_OF_STOCK = ErrorCode(409, "OUT_OF_STOCK", "Out of stock")
SHOP = "https://shop.example.com"
DAY = 24 * 3600
LIMIT = 2048
TOKEN = "better-auth.session_token"
SENDER = ("origin", ORIGIN)
UNLIMITED = RateLimitOptions(enabled=False)
ANN = json.dumps({"name": "Ann", "email": "ann@example.com", "password": "password123"}).encode()
SIGN_UP = json_call("/api/auth/sign-up/email", ANN, SENDER)


class Site:
    """A site that answers calls, under WSGI or ASGI."""

    def __init__(self, kind: str, auth: Auth[Any], *own: URLPattern, **options: Any) -> None:
        self._is_async = kind == "asgi"
        self._application = site(ASGISite if self._is_async else WSGISite, auth, *own, **options)

    async def get(self, target: str, cookie: str = "", *headers: tuple[str, str]) -> Answer:
        return await self.send(Call(target=target, headers=(*((("cookie", cookie),) if cookie else ()), *headers)))

    async def send(self, call: Call) -> Answer:
        with fail_after(5):
            return await (drive_asgi if self._is_async else drive_wsgi)(self._application, call)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test under WSGI and ASGI; under ASGI, Django knows asyncio only."""
    if "kind" in metafunc.fixturenames:
        runs = [("wsgi", "asyncio"), ("wsgi", "trio"), ("asgi", "asyncio")]
        metafunc.parametrize(("kind", "anyio_backend"), runs)


def me(request: AuthRequest[User, portico.Session]) -> HttpResponse:
    session = request.auth_session
    # What is not None lets somebody in.
    return HttpResponse("nobody" if session is None else session.user.email)


async def ame(request: AuthRequest[User, portico.Session]) -> HttpResponse:
    session = await request.aauth_session()
    known = request.auth_session
    return HttpResponse(session.user.email if session and known else "nobody")


@session_required
def guarded(request: SessionRequest[User, portico.Session], word: str) -> HttpResponse:
    return HttpResponse(f"{word} {request.auth_session.user.name}")


@session_required
async def aguarded(request: SessionRequest[User, portico.Session], word: str) -> HttpResponse:
    return HttpResponse(f"{word} {request.auth_session.user.name}")


@login_required
def page(request: SessionRequest[User, portico.Session]) -> HttpResponse:
    return HttpResponse(request.auth_session.user.name)


@login_required(login_url="https://login.example.com/in?lang=en", redirect_field_name="back")
async def apage(request: SessionRequest[User, portico.Session]) -> HttpResponse:
    return HttpResponse(request.auth_session.user.name)


class Shelf(View):
    @method_decorator(session_required)
    def get(self, request: SessionRequest[User, portico.Session]) -> HttpResponse:
        return HttpResponse(request.auth_session.user.name)


def stock(_request: HttpRequest) -> HttpResponse:
    raise ApiError(OUT_OF_STOCK, headers=(("x-stock", "0"),))


@session_required
def cookie_setting(_request: HttpRequest) -> HttpResponse:
    answer = HttpResponse("own", headers={"Vary": "Accept", "Cache-Control": "public, max-age=60"})
    answer.set_cookie("own", "1")
    return answer


@session_required
def broken(_request: HttpRequest) -> HttpResponse:
    raise LookupError("broken")


async def hasty(request: AuthRequest[User, portico.Session]) -> HttpResponse:
    with pytest.raises(SynchronousOnlyOperation, match=r"await request\.aauth_session\(\) first"):
        bool(request.auth_session)
    return HttpResponse("refused")


def still(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("still")


OWN = (
    path("me", me),
    path("ame", ame),
    path("guarded/<word>", guarded),
    path("aguarded/<word>", aguarded),
    path("page", page),
    path("apage", apage),
    path("shelf", Shelf.as_view()),
    path("stock", stock),
    path("own", cookie_setting),
    path("broken", broken),
    path("hasty", hasty),
    path("still", still),
)


class CountingStore(MemoryStore):
    """A database that counts how often a session is looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def find_joined(self, table: Any, *args: Any, **options: Any) -> Any:
        self.reads += 1
        return await super().find_joined(table, *args, **options)


def values(answer: Answer, name: str) -> list[str]:
    return [value.strip() for field, value in answer.headers if field.lower() == name]


@requirement("S-251")
@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("/me", "ann@example.com"),
        ("/ame", "ann@example.com"),
        ("/guarded/inside", "inside Ann"),
        ("/aguarded/inside", "inside Ann"),
        ("/page", "Ann"),
        ("/apage", "Ann"),
        ("/shelf", "Ann"),
    ],
)
async def test_a_view_gets_the_session_of_its_caller(kind: str, target: str, text: str) -> None:
    auth = make()
    answer = await Site(kind, auth, *OWN).get(target, (await signed_up(auth)).headers["cookie"])
    assert (answer.status, answer.body.decode()) == (200, text)
    assert values(answer, "set-cookie") == []
    # What depends on who asks must not be handed to somebody else by a cache.
    assert values(answer, "vary") == ["Cookie, Authorization"]


@requirement("S-251")
@pytest.mark.parametrize("target", ["/guarded/inside", "/aguarded/inside", "/shelf"])
async def test_without_a_session_the_answer_is_upstreams_401(kind: str, target: str) -> None:
    shop = Site(kind, make(), *OWN)
    answer = await shop.get(target)
    assert (answer.status, json.loads(answer.body)) == (401, REFUSED)
    assert values(answer, "content-type") == ["application/json"]
    assert [(await shop.get(each)).body for each in ("/me", "/ame")] == [b"nobody", b"nobody"]


@requirement("S-251")
@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/page", "/login?next=/page"),
        ("/page?a=1&b=%2F", "/login?next=/page%3Fa%3D1%26b%3D%252F"),
        # A sign-in page of another host needs to know this one.
        ("/apage", "https://login.example.com/in?lang=en&back=http%3A//testserver.example/apage"),
    ],
)
async def test_a_page_without_a_session_leads_to_sign_in_and_back(kind: str, target: str, location: str) -> None:
    answer = await Site(kind, make(), *OWN).get(target, "", ("host", "testserver.example"))
    assert (answer.status, values(answer, "location")) == (302, [location])


@requirement("S-251")
async def test_a_session_is_looked_up_once_for_a_request_and_only_if_somebody_asks(kind: str) -> None:
    store = CountingStore()
    auth = make(database=store)
    shop = Site(kind, auth, *OWN)
    cookie = (await signed_up(auth)).headers["cookie"]
    store.reads = 0
    quiet = await shop.get("/still", cookie)
    assert (store.reads, values(quiet, "vary")) == (0, [])
    for target in ("/me", "/ame", "/guarded/inside", "/aguarded/inside"):
        store.reads = 0
        await shop.get(target, cookie)
        assert store.reads == 1


@requirement("S-251")
async def test_an_async_view_that_does_not_await_the_session_learns_what_to_do(kind: str) -> None:
    assert (await Site(kind, make(), *OWN).get("/hasty")).body == b"refused"


@requirement("S-251")
@pytest.mark.parametrize("target", ["/me", "/ame", "/guarded/inside", "/aguarded/inside", "/page", "/broken"])
async def test_a_session_that_is_prolonged_sends_its_cookie_again(kind: str, target: str) -> None:
    clock = Clock()
    auth = make(clock)
    cookie = (await signed_up(auth)).headers["cookie"]
    clock.advance(DAY + 1)
    answer = await Site(kind, auth, *OWN).get(target, cookie)
    [line] = values(answer, "set-cookie")
    name, _, attributes = line.partition("=")
    assert (name, attributes.partition("; ")[2]) == (TOKEN, "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax")
    assert values(answer, "cache-control") == ["no-store, private"]


@requirement("S-251")
async def test_what_a_view_says_about_cookies_and_caches_is_kept_where_it_is_safe(kind: str) -> None:
    clock = Clock()
    auth = make(clock)
    cookie = (await signed_up(auth)).headers["cookie"]
    clock.advance(DAY + 1)
    answer = await Site(kind, auth, *OWN).get("/own", cookie)
    assert [line.partition("=")[0] for line in values(answer, "set-cookie")] == ["own", TOKEN]
    assert values(answer, "vary") == ["Accept, Cookie, Authorization"]
    assert values(answer, "cache-control") == ["max-age=60, no-store, private"]


@requirement("S-251")
async def test_a_session_that_is_over_is_refused_and_its_cookies_expire(kind: str) -> None:
    clock = Clock()
    auth = make(clock)
    cookie = (await signed_up(auth)).headers["cookie"]
    clock.advance(8 * DAY)
    answer = await Site(kind, auth, *OWN).get("/guarded/inside", cookie)
    expired = [line.partition("=")[0] for line in values(answer, "set-cookie") if "Max-Age=0" in line]
    assert (answer.status, json.loads(answer.body)) == (401, REFUSED)
    assert TOKEN in expired


@requirement("S-251")
async def test_a_bearer_token_is_a_session_where_the_plugin_is(kind: str) -> None:
    auth = plain(Bearer())
    token = json.loads((await (await signed_up(auth)).get("/get-session")).body)["session"]["token"]
    answer = await Site(kind, auth, *OWN).get("/me", "", ("authorization", f"Bearer {token}"))
    assert answer.body == b"ann@example.com"


@requirement("S-251")
async def test_a_refusal_of_the_sites_own_is_answered_alike(kind: str) -> None:
    answer = await Site(kind, make(), *OWN).get("/stock")
    assert (answer.status, json.loads(answer.body)) == (409, {"message": "Out of stock", "code": "OUT_OF_STOCK"})
    assert values(answer, "x-stock") == ["0"]


class Teapot:
    """Answers every exception itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, _request: HttpRequest, _exception: Exception) -> HttpResponseBase:
        return HttpResponse(status=418)


def reading(read: Callable[[HttpRequest], object]) -> Callable[..., Any]:
    """Return a middleware that reads something of each request."""

    def middleware(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        def respond(request: HttpRequest) -> HttpResponseBase:
            read(request)
            return get_response(request)

        return respond

    return middleware


reads_body = reading(lambda request: request.body)
reads_form = reading(lambda request: request.POST)
eats_body = reading(lambda request: request.read())
HERE = "hosts.test_django."


@requirement("S-251")
async def test_middleware_of_the_site_may_answer_refusals(kind: str) -> None:
    shop = Site(kind, make(), *OWN, middleware=(*USUAL, HERE + "Teapot"))
    assert (await shop.get("/stock")).status == 418


@requirement("S-251")
async def test_a_decorator_without_the_middleware_says_what_to_do(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = await Site(kind, make(), *OWN, middleware=()).get("/guarded/inside")
    assert answer.status == 500
    assert f'add "{SESSION}" to settings.MIDDLEWARE' in caplog.text


SITE_AUTH = make()


@requirement("S-251")
def test_the_settings_name_the_auth() -> None:
    for named in (SITE_AUTH, HERE + "SITE_AUTH"):
        with override_settings(PORTICO_AUTH=named):
            assert isinstance(django.configured(), Auth)


@requirement("S-251")
@pytest.mark.parametrize(
    ("named", "message"),
    [
        (None, 'must name an Auth, such as "shop.accounts.auth", not None'),
        (HERE + "ORIGIN", "must name an Auth"),
        (HERE + "nothing", "cannot be imported"),
        ("nothing", "cannot be imported"),
    ],
)
def test_settings_that_name_no_auth_say_so(named: Any, message: str) -> None:
    with override_settings(PORTICO_AUTH=named), pytest.raises(ConfigError, match=message):
        django.urls()


@requirement("S-250")
async def test_unknown_paths_below_the_base_path_are_ours_and_others_the_sites(kind: str) -> None:
    shop = Site(kind, make(), path("api/auth/own", me), path("api/authority", me), middleware=(COMMON, *USUAL))
    for target in ("/api/auth", "/api/auth/", "/api/auth/nothing", "/api/auth/ok/"):
        answer = await shop.get(target)
        assert (answer.status, answer.body, values(answer, "content-type")) == (404, b"", [])
    # Patterns that stand before ours in the URLconf win.
    assert (await shop.get("/api/auth/own")).body == b"nobody"
    assert (await shop.get("/api/authority")).body == b"nobody"
    assert (await shop.get("/api/auth/ok")).body == b'{"ok":true}'


@requirement("S-250")
async def test_an_auth_without_a_base_path_leaves_the_sites_own_routes(kind: str) -> None:
    shop = Site(kind, plain(base_path="/"), *OWN)
    assert (await shop.get("/me")).body == b"nobody"
    assert (await shop.get("/ok")).body == b'{"ok":true}'


@requirement("S-250")
async def test_djangos_transactions_and_csrf_protection_leave_the_auth_alone(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Site(kind, make(), path("me", me))
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    assert (await shop.send(SIGN_UP)).status == 200
    refused = await shop.send(Call(method="POST", target="/me"))
    assert refused.status == 403


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/shop/api/auth"])
def test_a_prefix_of_the_whole_site_may_stand_in_the_base_url(base_url: str) -> None:
    application = site(WSGISite, plain(Mirror(), base_url=base_url))
    answer = through_wsgi(application, environ_of(Call(target="/shop/api/auth/ok", mount="/shop")))
    assert (answer.status, answer.body) == (200, b'{"ok":true}')


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/shop/api/auth"])
@pytest.mark.parametrize("target", ["/shop/api/auth/ok", "/api/auth/ok"])
async def test_a_prefix_that_the_settings_tell_may_stand_in_the_base_url(kind: str, base_url: str, target: str) -> None:
    with override_settings(FORCE_SCRIPT_NAME="/shop"):
        shop = Site(kind, plain(base_url=base_url))
        if kind == "asgi" or target.startswith("/api"):
            assert (await shop.get(target)).body == b'{"ok":true}'


@requirement("ARCH-mounts")
async def test_the_urls_may_be_included_below_a_prefix_that_the_base_url_leaves_out(kind: str) -> None:
    auth = plain(Mirror())
    shop = Site(kind, auth, path("accounts/", include(django.urls(auth))))  # type: ignore[arg-type]  # include makes a resolver
    answer = await shop.get("/accounts/api/auth/mirror/a%2Db")
    assert json.loads(answer.body)["path"] == "/api/auth/mirror/a%2Db"


@requirement("ARCH-raw-path")
@pytest.mark.parametrize(
    ("target", "known"),
    [
        ("/api/auth/mirror/%C3%A4%20b", "/api/auth/mirror/%C3%A4%20b"),
        ("/api/auth/mirror/a%2Db", "/api/auth/mirror/a-b"),
    ],
)
def test_a_server_without_the_path_as_sent_is_served(target: str, known: str) -> None:
    environ = environ_of(Call(target=target))
    del environ["REQUEST_URI"]
    answer = through_wsgi(site(WSGISite, plain(Mirror())), environ)
    assert json.loads(answer.body)["path"] == known


@requirement("S-253")
@pytest.mark.parametrize("reader", ["reads_body", "reads_form"])
async def test_a_body_that_django_still_has_is_used(kind: str, reader: str) -> None:
    auth = make()
    shop = Site(kind, auth, middleware=(HERE + reader, *USUAL))
    assert (await shop.send(SIGN_UP)).status == 200
    form = b"email=ann%40example.com&password=password123"
    fields = (("content-type", "application/x-www-form-urlencoded"), ("content-length", str(len(form))), SENDER)
    call = Call(method="POST", target="/api/auth/sign-in/email", headers=fields, body=form)
    assert json.loads((await shop.send(call)).body)["user"]["email"] == "ann@example.com"


@requirement("S-253")
async def test_a_body_that_was_read_before_is_a_clear_error(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    auth = make()
    shop = Site(kind, auth, middleware=(HERE + "eats_body", *USUAL))
    assert (await shop.send(SIGN_UP)).status == 500
    assert "something before Portico has read them" in caplog.text
    assert await auth.store.count(auth.tables["user"]) == 0
    # Where nothing was sent, nothing was lost.
    assert (await shop.get("/api/auth/ok")).body == b'{"ok":true}'


@requirement("I01")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_body_that_a_client_made_the_server_lose_is_refused() -> None:
    headers = (*SIGN_UP.headers, ("upgrade", "h2c"))
    answer = await Site("asgi", make()).send(Call(method="POST", target="/api/auth/sign-out", headers=headers))
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@requirement("S-253")
async def test_asgi_middleware_that_ate_the_body_is_a_clear_error(caplog: pytest.LogCaptureFixture) -> None:
    answer = await Site("asgi", make()).send(Call(method="POST", target="/api/auth/sign-out", headers=SIGN_UP.headers))
    assert answer.status == 500
    assert "something before Portico has read them" in caplog.text


@requirement("F02")
def test_a_body_that_does_not_arrive_whole_is_refused() -> None:
    for body in (b'{"a":', b""):
        environ = {**environ_of(SIGN_UP), "wsgi.input": BytesIO(body)}
        assert through_wsgi(site(WSGISite, make()), environ).status == 400


@requirement("I04")
@pytest.mark.parametrize("middleware", [USUAL, (HERE + "reads_body", *USUAL)])
async def test_our_limit_of_a_body_counts_and_not_djangos(kind: str, middleware: tuple[str, ...]) -> None:
    auth = plain(Mirror(), rate_limit=UNLIMITED, advanced=AdvancedOptions(max_body_size=LIMIT))
    shop = Site(kind, auth, middleware=middleware)
    djangos = None if len(middleware) > len(USUAL) else 10
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=djangos):
        fits = await shop.send(json_call("/api/auth/mirror/a", b'"' + b"x" * (LIMIT - 2) + b'"'))
        refused = await shop.send(json_call("/api/auth/mirror/a", b'"' + b"x" * (LIMIT - 1) + b'"'))
    assert (fits.status, json.loads(fits.body)["size"]) == (200, LIMIT)
    assert (refused.status, json.loads(refused.body)["code"]) == (413, "PAYLOAD_TOO_LARGE")


@requirement("I04")
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
async def test_a_body_without_a_length_is_limited_as_well(kind: str, size: int, status: int) -> None:
    auth = plain(Mirror(), rate_limit=UNLIMITED, advanced=AdvancedOptions(max_body_size=LIMIT))
    body = b'"' + b"x" * (size - 2) + b'"'
    call = Call(method="POST", target="/api/auth/mirror/a", headers=(("content-type", "application/json"),), body=body)
    if kind == "asgi":
        answer = await Site(kind, auth).send(call)
    else:
        environ = {**environ_of(call), "wsgi.input_terminated": True}
        answer = await to_thread.run_sync(through_wsgi, site(WSGISite, auth), environ)
    assert answer.status == status


@requirement("I04")
async def test_a_length_that_is_no_number_is_refused(kind: str) -> None:
    call = Call(method="POST", target="/api/auth/sign-out", headers=(("content-length", "many"),))
    assert (await Site(kind, make()).send(call)).status == 400


@requirement("S-254")
async def test_trusted_origins_may_read_what_the_site_and_the_auth_answer(kind: str) -> None:
    shop = Site(kind, plain(trusted_origins=[SHOP]), *OWN, middleware=(CORS, *USUAL))
    for target, status in (("/own", 401), ("/me", 200), ("/api/auth/ok", 200), ("/nothing", 404), ("/broken", 401)):
        answer = await shop.get(target, "", ("origin", SHOP))
        assert (answer.status, values(answer, "access-control-allow-origin")) == (status, [SHOP])
        assert "Origin" in values(answer, "vary")[0]
        foreign = await shop.get(target, "", ("origin", "https://evil.example"))
        assert values(foreign, "access-control-allow-origin") == []
    asked = (("origin", SHOP), ("access-control-request-method", "POST"))
    preflight = await shop.send(Call(method="OPTIONS", target="/me", headers=asked))
    assert (preflight.status, values(preflight, "access-control-allow-origin")) == (204, [SHOP])
    assert values(preflight, "content-length") == []


@requirement("S-250")
def test_djangos_test_client_keeps_the_cookies() -> None:
    auth = make()
    with override_settings(PORTICO_AUTH=auth, ROOT_URLCONF=(*OWN, *django.urls(auth)), MIDDLEWARE=list(USUAL)):
        client = Client(headers={"origin": ORIGIN})
        answer = client.post("/api/auth/sign-up/email", ANN, content_type="application/json")
        assert (answer.status_code, answer.json()["user"]["email"]) == (200, "ann@example.com")
        assert client.get("/me").content == b"ann@example.com"
        cookie = client.cookies[TOKEN]
        assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/", "Lax", "True")
        assert client.post("/api/auth/sign-out", b"{}", content_type="application/json").status_code == 200
        assert client.get("/me").content == b"nobody"


class ClosedStore(MemoryStore):
    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@requirement("ARCH-lifespan")
async def test_a_site_under_asgi_may_start_and_close_the_auth() -> None:
    store = ClosedStore()
    auth = make(database=store)
    messages: list[asgi.Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[asgi.Message] = []

    async def receive() -> asgi.Message:
        return messages.pop(0)

    async def send(message: asgi.Message) -> None:
        sent.append(message)

    application = with_lifespan(site(ASGISite, auth), auth)
    await application({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert (auth.is_started, store.is_closed) == (True, True)
    assert (await drive_asgi(application, Call(target="/api/auth/ok"))).body == b'{"ok":true}'
