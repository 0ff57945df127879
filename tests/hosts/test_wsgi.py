import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import WSGIApplication
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client

from app import ORIGIN, make, plain
from hosts.conformance.exchange import Call, environ_of, json_call, through_wsgi
from hosts.conformance.mirror import Greeter, Mirror
from portico.hosts import wsgi
from portico.options import AdvancedOptions, RateLimitOptions
from portico.testing import Outbox
from requirements import requirement

LIMIT = 4096
ROOT = Path(__file__).parents[1]
THREADS = 16
UNLIMITED = RateLimitOptions(enabled=False)
MIRROR = "/api/auth/mirror/a"


def mirror(**options: Any) -> WSGIApplication:
    return wsgi.app(plain(Mirror(), rate_limit=UNLIMITED, **options))


class Unread(BytesIO):
    """A stream that must not be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("read a body that was announced as too large")


class Broken(BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise ConnectionResetError


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""


@contextmanager
def served(app: WSGIApplication) -> Generator[http.client.HTTPConnection]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
            yield connection
            connection.close()
        finally:
            server.shutdown()
            thread.join()


@requirement("S-125", "S-250")
def test_a_real_server_serves_the_life_of_a_session() -> None:
    with served(validator(wsgi.app(make()))) as http_client:
        body = json.dumps({"name": "Ann", "email": "ann@example.com", "password": "password123"})
        headers = {"content-type": "application/json", "origin": ORIGIN}
        http_client.request("POST", "/api/auth/sign-up/email", body, headers)
        signed_in = http_client.getresponse()
        token = json.load(signed_in)["token"]
        cookie = str(signed_in.getheader("set-cookie")).partition(";")[0]
        http_client.request("GET", "/api/auth/get-session", headers={"cookie": cookie})
        assert json.load(http_client.getresponse())["session"]["token"] == token


@requirement("S-250")
def test_a_framework_of_wsgi_can_call_it() -> None:
    client = Client(wsgi.app(make()))
    body = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
    token = client.post("/api/auth/sign-up/email", json=body, headers={"origin": ORIGIN}).get_json()["token"]
    assert client.get("/api/auth/get-session").get_json()["session"]["token"] == token


@requirement("ARCH-run")
def test_sixteen_threads_are_served_at_once() -> None:
    app = wsgi.app(make())
    everybody = threading.Barrier(THREADS)

    def sign_up(number: int) -> str:
        body = {"name": "Ann", "email": f"ann{number}@example.com", "password": "password123"}
        everybody.wait(5)
        call = json_call(
            "/api/auth/sign-up/email",
            json.dumps(body).encode(),
            ("origin", ORIGIN),
        )
        answer = through_wsgi(app, environ_of(replace(call, peer=f"192.0.2.{number}")))
        return str(json.loads(answer.body)["user"]["email"])

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(sign_up, range(THREADS))) == [f"ann{n}@example.com" for n in range(THREADS)]


@requirement("I04")
def test_a_body_that_is_announced_as_too_large_is_not_read() -> None:
    environ = environ_of(Call(method="POST", target=MIRROR, headers=(("content-length", str(LIMIT + 1)),)))
    environ["wsgi.input"] = Unread()
    answer = through_wsgi(mirror(advanced=AdvancedOptions(max_body_size=LIMIT)), environ)
    assert answer.status == 413
    assert json.loads(answer.body) == {"message": "Request body is too large", "code": "PAYLOAD_TOO_LARGE"}


@requirement("I04")
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
def test_a_body_without_a_length_is_limited_as_well(size: int, status: int) -> None:
    environ = environ_of(Call(method="POST", target=MIRROR, headers=(("content-type", "application/json"),)))
    environ |= {"wsgi.input": BytesIO(b'"' + b"x" * (size - 2) + b'"'), "wsgi.input_terminated": True}
    assert through_wsgi(mirror(advanced=AdvancedOptions(max_body_size=LIMIT)), environ).status == status


@requirement("F02", "S-253")
@pytest.mark.parametrize("source", [BytesIO(b'{"a":'), BytesIO(b""), Broken()])
def test_a_body_that_does_not_arrive_whole_is_refused(source: BytesIO) -> None:
    environ = environ_of(json_call(MIRROR, b'{"a": 1}'))
    environ["wsgi.input"] = source
    answer = through_wsgi(mirror(), environ)
    assert (answer.status, answer.headers, answer.body) == (400, [("content-length", "0")], b"")


@requirement("I04")
def test_a_length_that_is_no_number_is_refused() -> None:
    assert through_wsgi(mirror(), environ_of(Call(target=MIRROR, headers=(("content-length", "many"),)))).status == 400


@requirement("ARCH-raw-path")
@pytest.mark.parametrize(
    ("told", "known"),
    [
        ({"REQUEST_URI": "/api/auth/mirror/a%2Db"}, "/api/auth/mirror/a%2Db"),
        ({"RAW_URI": "http://elsewhere.example/api/auth/mirror/a%2Db?x"}, "/api/auth/mirror/a%2Db"),
        # A server that rewrote the path means what it says in PATH_INFO.
        ({"REQUEST_URI": "/somewhere/else"}, "/api/auth/mirror/a-b"),
        ({}, "/api/auth/mirror/a-b"),
    ],
)
def test_the_path_as_sent_is_used_where_the_server_tells_it(told: dict[str, str], known: str) -> None:
    environ = environ_of(Call(target="/api/auth/mirror/a-b"))
    del environ["REQUEST_URI"]
    assert json.loads(through_wsgi(mirror(), environ | told).body)["path"] == known


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/accounts/api/auth"])
def test_a_mount_prefix_may_stand_in_the_base_url(base_url: str) -> None:
    app = wsgi.app(plain(Mirror(), base_url=base_url))
    answer = through_wsgi(app, environ_of(Call(target="/accounts/api/auth/ok", mount="/accounts")))
    assert (answer.status, answer.body) == (200, b'{"ok":true}')


def start_response(_status: str, _headers: object, *_: object) -> Callable[[bytes], object]:
    return lambda _: None


@requirement("ARCH-background")
def test_background_work_starts_when_the_server_is_done_with_the_response() -> None:
    outbox, done = Outbox(), Event()
    app = wsgi.app(plain(Greeter(outbox=outbox, done=done), rate_limit=UNLIMITED))
    sent = app(environ_of(Call(method="POST", target="/api/auth/greet")), start_response)
    assert (list(sent), outbox.mails) == ([b'{"status":true}'], [])
    close: Any = getattr(sent, "close")  # noqa: B009  # only what has background work needs it
    close()
    assert done.wait(5)
    assert outbox.mails == [("ann@example.com", "Hello")]


ENDING = """
from threading import Event

import anyio

from app import plain
from hosts.conformance.exchange import Call, environ_of, through_wsgi
from hosts.conformance.mirror import Greeter
from portico.hosts import wsgi
from portico.testing import Outbox


class SlowOutbox(Outbox):
    async def send(self, address, text):
        await anyio.sleep(0.2)
        print(text)


app = wsgi.app(plain(Greeter(outbox=SlowOutbox(), done=Event())))
print(through_wsgi(app, environ_of(Call(method="POST", target="/api/auth/greet"))).status)
"""


@requirement("ARCH-background")
def test_a_process_that_ends_finishes_background_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=20, check=True, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ("200\nHello\n", "")


@requirement("S-253")
def test_a_body_that_may_have_been_read_before_is_told_about(caplog: pytest.LogCaptureFixture) -> None:
    environ = environ_of(json_call(MIRROR, b'{"a": 1}'))
    environ["wsgi.input"] = BytesIO(b"")
    assert through_wsgi(mirror(), environ).status == 400
    assert "something before Portico has read them: leave out middleware" in caplog.text
    assert caplog.text.rstrip().endswith("; or the client left")


SHOP = "https://shop.example.com"


def open_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/crash":
        start_response("500 Internal Server Error", [("vary", "Cookie")], (LookupError, LookupError("x"), None))
    else:
        start_response("200 OK", [("set-cookie", "a=1"), ("set-cookie", "b=2")])
    return [b"answer"]


@requirement("S-254")
@pytest.mark.parametrize(
    ("path", "status", "own"),
    [
        ("/page", 200, [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("vary", "Origin")]),
        ("/crash", 500, [("vary", "Cookie, Origin")]),
    ],
)
def test_a_trusted_origin_may_read_every_answer(path: str, status: int, own: list[tuple[str, str]]) -> None:
    app = wsgi.cors(open_app, plain(trusted_origins=[SHOP]))
    answer = through_wsgi(app, environ_of(Call(target=path, headers=(("origin", SHOP),))))
    assert (answer.status, answer.body) == (status, b"answer")
    assert answer.headers == [
        *own,
        ("access-control-allow-origin", SHOP),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "Set-Auth-Token, Set-Auth-JWT, Retry-After, X-Retry-After"),
    ]
    other = through_wsgi(app, environ_of(Call(target=path, headers=(("origin", "https://evil.example"),))))
    assert (other.status, other.headers) == (status, own)


@requirement("S-254")
@pytest.mark.parametrize(("origin", "status"), [(SHOP, 204), ("https://evil.example", 403)])
def test_a_preflight_does_not_reach_the_app(origin: str, status: int) -> None:
    app = wsgi.cors(open_app, plain(trusted_origins=[SHOP]))
    headers = (("origin", origin), ("access-control-request-method", "PUT"))
    answer = through_wsgi(app, environ_of(Call(target="/page", method="OPTIONS", headers=headers)))
    assert (answer.status, answer.body) == (status, b"")
    assert (dict(answer.headers).get("access-control-allow-origin") == SHOP) is (status == 204)
