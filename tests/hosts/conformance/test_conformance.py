import json
import logging
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from anyio import fail_after, to_thread

from app import ORIGIN, make, plain, signed_up
from hosts.conformance.exchange import Answer, Call, NotStartedError, Serve, json_call
from hosts.conformance.hosts import ASYNCIO_ONLY, BUFFERING, HOSTS, LIFESPANS
from hosts.conformance.mirror import PICTURE, Greeter, Mirror, Replies
from portico import Auth, ConfigError, Headers, MemoryStore, Request
from portico.options import AdvancedOptions, RateLimitOptions
from portico.testing import Outbox
from requirements import requirement

pytestmark = pytest.mark.anyio
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
SENDER = ("origin", ORIGIN)
LIMIT = 2048
UNLIMITED = RateLimitOptions(enabled=False)
FORM = ("content-type", "application/x-www-form-urlencoded")
JSON = ("content-type", "application/json")
COOKIES = [("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Path=/; HttpOnly")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on every host, on asyncio and where the host knows it on trio."""
    for argument, registry in (("host", HOSTS), ("lifespan", LIFESPANS)):
        if argument in metafunc.fixturenames:
            runs = [
                pytest.param(run, loop, id=f"{name}-{loop}")
                for name, run in registry.items()
                for loop in ("asyncio", "trio")
                if loop == "asyncio" or name not in ASYNCIO_ONLY
            ]
            metafunc.parametrize((argument, "anyio_backend"), runs)


def mirror(host: Any, **options: Any) -> Serve:
    served: Serve = host(plain(Mirror(), rate_limit=UNLIMITED, **options))
    return served


def cookies_of(answer: Answer) -> tuple[str, str]:
    pairs = [value.partition(";")[0] for name, value in answer.headers if name == "set-cookie"]
    return "cookie", "; ".join(pairs)


async def directly(auth: Auth[Any], call: Call) -> Answer:
    request = Request(
        method=call.method,
        path=call.path,
        query=call.query,
        headers=Headers(call.headers),
        body=call.body,
        peer=call.peer,
    )
    response = await auth.handler(request)
    length = () if response.status == 204 else (("content-length", str(len(response.body))),)
    return Answer(response.status, [*response.headers, *length], response.body)


@requirement("S-125", "S-250")
async def test_a_user_signs_up_reads_the_session_and_signs_out(host: Any) -> None:
    serve: Serve = host(make())
    signed_in = await serve(json_call("/api/auth/sign-up/email", json.dumps(ANN).encode(), SENDER))
    session = await serve(Call(target="/api/auth/get-session", headers=(cookies_of(signed_in),)))
    signed_out = await serve(json_call("/api/auth/sign-out", b"{}", SENDER, cookies_of(signed_in)))
    ended = await serve(Call(target="/api/auth/get-session", headers=(cookies_of(signed_in),)))
    assert json.loads(session.body)["session"]["token"] == json.loads(signed_in.body)["token"]
    assert (signed_out.status, signed_out.body, ended.body) == (200, b'{"success":true}', b"null")


@requirement("S-125")
@pytest.mark.parametrize(
    "call",
    [
        Call(target="/api/auth/get-session"),
        Call(target="/api/auth/get-session", method="HEAD"),
        Call(target="/api/auth/list-sessions"),
        Call(target="/api/auth/"),
        Call(target="/api/auth/ok/"),
        Call(target="/api/auth/nothing/here", method="DELETE"),
        Call(target="/api/auth/ok", method="OPTIONS"),
        json_call("/api/auth/sign-in/email", b'{"email": "nobody@example.com", "password": "password123"}', SENDER),
        json_call("/api/auth/sign-in/email", b"{", SENDER),
    ],
    ids=lambda call: f"{call.method} {call.target} {call.body!r}",
)
async def test_every_host_answers_what_the_handler_answers(host: Any, call: Call) -> None:
    assert await host(make())(call) == await directly(make(), call)


@requirement("S-250")
async def test_every_cookie_has_a_line_of_its_own(host: Any) -> None:
    auth = make()
    browser = await signed_up(auth)
    call = json_call("/api/auth/sign-out", b"{}", SENDER, ("cookie", browser.headers["cookie"]))
    lines = [value.partition("=")[0] for name, value in (await host(auth)(call)).headers if name == "set-cookie"]
    assert lines == ["better-auth.session_token", "better-auth.session_data", "better-auth.dont_remember"]


@requirement("ARCH-raw-path")
@pytest.mark.parametrize("target", ["/api/auth%2Fok", "/api/auth/%6Fk", "/api/auth//ok", "/api/auth/./ok"])
async def test_a_path_that_is_not_canonical_is_not_made_so(host: Any, target: str) -> None:
    answer: Answer = await host(make())(Call(target=target))
    assert answer.status == 404
    assert (await host(make())(Call(target="/api/auth/ok"))).body == b'{"ok":true}'


@requirement("ARCH-raw-path")
async def test_the_request_arrives_as_it_was_sent(host: Any) -> None:
    call = json_call("/api/auth/mirror/a%20%C3%A9+b?x=%2F&x=2", b'"12345"', ("x-mark", "caf\xe9"))
    assert json.loads((await mirror(host)(call)).body) == {
        "method": "POST",
        "path": "/api/auth/mirror/a%20%C3%A9+b",
        "query": "x=%2F&x=2",
        "peer": "192.0.2.7",
        "marks": "caf\xe9",
        "size": 7,
    }


@requirement("ARCH-raw-path")
async def test_a_target_may_be_absolute(host: Any) -> None:
    call = Call(target="http://elsewhere.example/api/auth/mirror/ann?x=1")
    seen = json.loads((await mirror(host)(call)).body)
    assert (seen["path"], seen["query"]) == ("/api/auth/mirror/ann", "x=1")


@requirement("I04")
async def test_a_body_up_to_the_limit_is_read_and_a_longer_one_refused(host: Any) -> None:
    serve = mirror(host, advanced=AdvancedOptions(max_body_size=LIMIT))
    fits = await serve(json_call("/api/auth/mirror/a", b'"' + b"x" * (LIMIT - 2) + b'"'))
    refused = await serve(json_call("/api/auth/mirror/a", b'"' + b"x" * (LIMIT - 1) + b'"'))
    assert (fits.status, json.loads(fits.body)["size"]) == (200, LIMIT)
    assert refused.status == 413
    assert dict(refused.headers) == {"content-type": "application/json", "content-length": str(len(refused.body))}
    assert json.loads(refused.body) == {"message": "Request body is too large", "code": "PAYLOAD_TOO_LARGE"}


@requirement("I04")
@pytest.mark.parametrize(
    "call",
    [
        Call(target="/api/auth/get-session?\xff=%ff&%=%00"),
        Call(target="/api/auth/get-session?" + "a=1&" * 10_000),
        Call(target="/api/auth/\xff\x01"),
        Call(target="/api/auth/" + "a/" * 10_000),
        Call(target="*", method="OPTIONS"),
        Call(target="://"),
        Call(target="/api/auth/get-session", headers=(("cookie", "a=" + "x" * 1_000_000), ("x-\xff", "\xff"))),
        Call(target="/api/auth/get-session", headers=(("cookie", "better-auth.session_token=%ff\xff; ;=;;"),)),
        Call(target="/api/auth/ok", method="TRACE"),
        Call(target="/api/auth/sign-in/email", method="POST", body=b"\xff", headers=(("content-length", "1"),)),
    ],
    ids=range(10),
)
async def test_hostile_requests_are_answered(host: Any, call: Call) -> None:
    assert 200 <= (await host(make())(call)).status < 500


@requirement("ARCH-background")
@pytest.mark.parametrize("is_broken", [False, True])
async def test_work_is_done_after_the_response_whatever_fails(
    host: Any, is_broken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    outbox, done = Outbox(), Event()
    auth = plain(Greeter(outbox=outbox, done=done, is_broken=is_broken), rate_limit=UNLIMITED)
    with caplog.at_level(logging.ERROR):
        answer: Answer = await host(auth)(Call(target="/api/auth/greet", method="POST"))
        with fail_after(5):
            await to_thread.run_sync(done.wait)
    assert (answer.status, answer.body) == (200, b'{"status":true}')
    assert outbox.mails == [("ann@example.com", "Hello")]
    assert len(caplog.records) == int(is_broken)


@requirement("S-125", "S-250")
@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (
            Call(target="/api/auth/leave"),
            Answer(
                302,
                [
                    JSON,
                    ("location", "https://elsewhere.example/caf%C3%A9%20au%20lait?a=%2F&b=1#c"),
                    *COOKIES,
                    ("content-length", "0"),
                ],
            ),
        ),
        (
            Call(target="/api/auth/page"),
            Answer(
                200,
                [("content-type", "text/html"), *COOKIES, ("content-length", "12")],
                "<p>caf\xe9</p>".encode(),
            ),
        ),
        (
            Call(target="/api/auth/picture"),
            Answer(200, [("content-type", "image/png"), *COOKIES, ("content-length", "10")], PICTURE),
        ),
        (Call(target="/api/auth/nothing", method="POST"), Answer(204, COOKIES)),
        (
            Call(target="/api/auth/refuse"),
            Answer(
                410,
                [JSON, *COOKIES, ("x-since", "1999"), ("content-length", "51")],
                b'{"message":"Nobody is here any more","code":"GONE"}',
            ),
        ),
    ],
    ids=["redirect", "page", "picture", "nothing", "refusal"],
)
async def test_every_kind_of_reply_arrives_whole(host: Any, call: Call, answer: Answer) -> None:
    assert await host(plain(Replies()))(call) == answer
    assert await directly(plain(Replies()), call) == answer


@requirement("S-125", "S-250")
async def test_what_fails_unexpectedly_is_answered_500_and_says_nothing(
    host: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await host(plain(Replies()))(Call(target="/api/auth/crash"))
    assert answer == Answer(500, [("content-length", "0")])
    assert "hunter2" in caplog.text


@requirement("S-125", "S-250")
async def test_a_form_is_read(host: Any) -> None:
    auth = make()
    await signed_up(auth)
    body = b"email=ann%40example.com&password=password123"
    headers = (FORM, ("content-length", str(len(body))), SENDER)
    call = Call(target="/api/auth/sign-in/email", method="POST", headers=headers, body=body)
    answer = await host(auth)(call)
    assert (answer.status, json.loads(answer.body)["user"]["email"]) == (200, "ann@example.com")
    assert cookies_of(answer)[1].startswith("better-auth.session_token=")
    wrong = replace(call, body=body.replace(b"123", b"321"))
    assert (await host(auth)(wrong)).status == 401


@requirement("I04")
async def test_a_body_of_unknown_length_is_refused_while_it_arrives(host: Any) -> None:
    serve = mirror(host, advanced=AdvancedOptions(max_body_size=LIMIT))
    endless = Call(
        target="/api/auth/mirror/a",
        method="POST",
        headers=(JSON,),
        body=b'"' + b"x" * 1024 * 1024 + b'"',
        is_streamed=True,
    )
    refused = await serve(endless)
    assert (refused.status, json.loads(refused.body)["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert endless.meter.taken <= 3 * LIMIT or host in BUFFERING
    fits = replace(endless, body=b'"' + b"x" * (LIMIT - 2) + b'"')
    assert json.loads((await serve(fits)).body)["size"] == LIMIT


@requirement("S-250")
async def test_the_caller_is_the_other_end_of_the_connection(host: Any) -> None:
    call = Call(target="/api/auth/address", headers=(("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=::1")))
    assert (await host(plain(Replies()))(call)).body == b"192.0.2.7"


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/accounts/api/auth"], ids=["left out", "in base_url"])
async def test_the_prefix_of_a_mount_may_stand_in_the_base_url(host: Any, base_url: str) -> None:
    serve: Serve = host(plain(base_url=base_url))
    below = Call(target="/accounts/api/auth/ok", mount="/accounts")
    assert await serve(below) == Answer(200, [JSON, ("content-length", "11")], b'{"ok":true}')
    assert (await serve(replace(below, target="/accounts/api/auth%2Fok"))).status == 404
    assert (await serve(replace(below, target="/accounts/elsewhere/ok"))).status == 404


@requirement("S-253")
async def test_a_body_that_was_read_before_is_a_clear_error(host: Any, caplog: pytest.LogCaptureFixture) -> None:
    auth = make()
    call = json_call("/api/auth/sign-up/email", json.dumps(ANN).encode(), SENDER)
    try:
        answer = await host(auth)(replace(call, is_consumed=True))
    except ConfigError as error:
        told = str(error)
    else:
        assert answer.status == 500
        told = caplog.text
    assert "something before Portico has read them: leave out middleware that reads the body" in told
    assert await auth.store.count(auth.tables["user"]) == 0


class Store(MemoryStore):
    """A database that remembers its life."""

    def __init__(self, *lacking: str) -> None:
        super().__init__()
        self.lacking = list(lacking)
        self.is_closed = False

    async def missing(self, tables: Any) -> list[str]:
        return self.lacking

    async def close(self) -> None:
        self.is_closed = True


@requirement("ARCH-lifespan")
async def test_the_server_starts_and_closes_the_auth(lifespan: Any) -> None:
    store = Store()
    auth = plain(database=store)
    async with lifespan(auth):
        assert (auth.is_started, store.is_closed) == (True, False)
    assert store.is_closed


@requirement("ARCH-lifespan")
async def test_a_database_without_tables_stops_the_server_with_the_reason(lifespan: Any) -> None:
    auth = plain(database=Store("user", "session"))
    with pytest.raises(NotStartedError, match="the database lacks user, session: run `portico migrate"):
        async with lifespan(auth):
            raise AssertionError("started without tables")
    assert not auth.is_started
