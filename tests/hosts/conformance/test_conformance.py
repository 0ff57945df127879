import json
import logging
from threading import Event
from typing import Any

import pytest
from anyio import fail_after, to_thread

from app import ORIGIN, make, plain, signed_up
from hosts.conformance.exchange import Answer, Call, Serve, json_call
from hosts.conformance.hosts import HOSTS
from hosts.conformance.mirror import Greeter, Mirror
from portico import Auth, Headers, Request
from portico.options import AdvancedOptions, RateLimitOptions
from portico.testing import Outbox
from requirements import requirement

pytestmark = pytest.mark.anyio
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}
SENDER = ("origin", ORIGIN)
LIMIT = 2048
UNLIMITED = RateLimitOptions(enabled=False)


@pytest.fixture(params=list(HOSTS))
def host(request: pytest.FixtureRequest) -> Any:
    return HOSTS[request.param]


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
    length = ("content-length", str(len(response.body)))
    return Answer(response.status, [*response.headers, length], response.body)


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
