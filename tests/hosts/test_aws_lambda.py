import json
from base64 import b64encode
from typing import Any

import pytest

from app import ORIGIN, User, make, plain, signed_up
from hosts.conformance.exchange import Call, json_call
from hosts.conformance.mirror import Mirror
from hosts.lambda_events import MakeEvent, answered, balancer_event, http_event, rest_event, url_event
from portico import ApiError, Auth, ConfigError, ErrorCode, Session, SessionData
from portico.hosts import aws_lambda
from portico.hosts.aws_lambda import Event
from portico.options import AdvancedOptions, RateLimitOptions
from portico.testing import Clock
from requirements import requirement

ANN = b'{"name": "Ann", "email": "ann@example.com", "password": "password123"}'
REFUSED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}
OUT_OF_STOCK = ErrorCode(409, "OUT_OF_STOCK", "Out of stock")
SHOP = "https://shop.example.com"
DAY = 24 * 3600
TOKEN = "better-auth.session_token"
EVENTS = {"rest": rest_event, "http": http_event, "url": url_event, "balancer": balancer_event}
UNLIMITED = RateLimitOptions(enabled=False)


@pytest.fixture(params=list(EVENTS))
def event_of(request: pytest.FixtureRequest) -> MakeEvent:
    return EVENTS[request.param]


def seen(auth: Auth[Any], event: Event, **options: Any) -> Any:
    return json.loads(aws_lambda.handler(auth, **options)(event, None)["body"])


def signed_up_here(auth: Auth[Any]) -> tuple[str, str]:
    return "cookie", auth.run(signed_up, auth).headers["cookie"]


def names(returned: dict[str, Any]) -> list[str]:
    return [value.partition("=")[0] for name, value in answered(returned).headers if name == "set-cookie"]


def function(auth: Auth[Any]) -> aws_lambda.LambdaHandler:
    @aws_lambda.session_required(auth)
    def me(event: Event, _context: Any, session: SessionData[User, Session]) -> dict[str, Any]:
        if "fail" in event:
            raise ApiError(OUT_OF_STOCK, headers=(("x-stock", "0"),))
        headers = {"Content-Type": "text/plain", "Set-Cookie": "own=1"}
        return {"statusCode": 201, "headers": headers, "body": session.user.email}

    return me


@requirement("S-251")
def test_a_function_gets_the_session_of_its_caller(event_of: MakeEvent) -> None:
    auth = make()
    returned = function(auth)(event_of(Call(target="/me", headers=(signed_up_here(auth),))), None)
    answer = answered(returned)
    assert (answer.status, answer.body) == (201, b"ann@example.com")
    assert answer.headers == [("content-type", "text/plain"), ("set-cookie", "own=1"), ("content-length", "15")]
    # The load balancer takes no other headers once these are turned on.
    assert ("headers" in returned) == (event_of in {http_event, url_event})


@requirement("S-251")
def test_without_a_session_the_answer_is_upstreams_401(event_of: MakeEvent) -> None:
    answer = answered(function(make())(event_of(Call(target="/me")), None))
    assert (answer.status, json.loads(answer.body)) == (401, REFUSED)
    assert answer.headers[0] == ("content-type", "application/json")


@requirement("S-251")
def test_a_session_that_is_prolonged_sends_its_cookie_again(event_of: MakeEvent) -> None:
    clock = Clock()
    auth = make(clock)
    cookie = signed_up_here(auth)
    clock.advance(DAY + 1)
    returned = function(auth)(event_of(Call(target="/me", headers=(cookie,))), None)
    assert names(returned) == ["own", TOKEN]
    assert ("cache-control", "no-store") in answered(returned).headers


@requirement("S-251")
def test_a_session_that_is_over_is_refused_and_its_cookies_expire(event_of: MakeEvent) -> None:
    clock = Clock()
    auth = make(clock)
    cookie = signed_up_here(auth)
    clock.advance(8 * DAY)
    returned = function(auth)(event_of(Call(target="/me", headers=(cookie,))), None)
    assert (returned["statusCode"], json.loads(returned["body"])) == (401, REFUSED)
    assert TOKEN in names(returned)


@requirement("S-251")
def test_a_refusal_of_the_functions_own_is_answered_alike(event_of: MakeEvent) -> None:
    auth = make()
    event = {**event_of(Call(target="/me", headers=(signed_up_here(auth),))), "fail": True}
    answer = answered(function(auth)(event, None))
    assert (answer.status, json.loads(answer.body)["code"]) == (409, "OUT_OF_STOCK")
    assert ("x-stock", "0") in answer.headers


@requirement("S-251")
@pytest.mark.parametrize("own", [{"a": 1}, '{"a": 1}'])
def test_a_function_without_a_decorator_reads_the_session_and_adds_the_headers(event_of: MakeEvent, own: Any) -> None:
    auth = make()
    event = event_of(Call(target="/me", headers=(signed_up_here(auth),)))
    session, headers = aws_lambda.session_of_event(auth, event)
    assert session is not None
    assert (session.user.email, headers) == ("ann@example.com", [])
    answer = answered(aws_lambda.with_headers(event, own, [("x-own", "1"), ("x-own", "2")]))
    assert (answer.status, json.loads(answer.body)) == (200, {"a": 1})
    assert ", ".join(value for name, value in answer.headers if name == "x-own") == "1, 2"
    assert aws_lambda.session_of_event(auth, event_of(Call(target="/me")))[0] is None


@requirement("S-250")
def test_every_cookie_is_a_line_of_its_own_in_the_form_of_the_caller() -> None:
    auth = make()
    call = json_call("/api/auth/sign-out", b"{}", ("origin", ORIGIN), signed_up_here(auth))
    expired = [TOKEN, "better-auth.session_data", "better-auth.dont_remember"]
    rest = aws_lambda.handler(auth)(rest_event(call), None)
    assert [line.partition("=")[0] for line in rest["multiValueHeaders"]["set-cookie"]] == expired
    assert rest.keys() == {"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}
    http = aws_lambda.handler(auth)(http_event(call), None)
    assert [line.partition("=")[0] for line in http["cookies"]] == expired
    assert http.keys() == {"statusCode", "headers", "cookies", "body", "isBase64Encoded"}
    assert "set-cookie" not in http["headers"]


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/prod/api/auth"])
@pytest.mark.parametrize("make_event", [rest_event, http_event, url_event])
def test_the_stage_may_stand_in_the_base_url(make_event: MakeEvent, base_url: str) -> None:
    event = make_event(Call(target="/prod/api/auth/ok", mount="/prod"))
    assert seen(plain(base_url=base_url), event) == {"ok": True}


@requirement("ARCH-mounts")
@pytest.mark.parametrize("base_url", [ORIGIN, f"{ORIGIN}/accounts/api/auth"])
@pytest.mark.parametrize(
    "event",
    [
        # A REST API tells the mapping of the custom domain, an HTTP API does not.
        rest_event(Call(target="/accounts/api/auth/ok")),
        http_event(Call(target="/api/auth/ok")),
        http_event(Call(target="/prod/api/auth/ok", mount="/prod")),
    ],
    ids=["rest", "http", "http with a stage"],
)
def test_the_mapping_of_a_custom_domain_may_stand_in_the_base_url(event: Event, base_url: str) -> None:
    assert seen(plain(base_url=base_url), event, mount="/accounts") == {"ok": True}


@requirement("ARCH-raw-path")
@pytest.mark.parametrize(
    ("target", "decoded", "known"),
    [
        ("/api/auth/mirror/a%20%C3%A9", "/api/auth/mirror/a é", "/api/auth/mirror/a%20%C3%A9"),
        ("/api/auth/mirror/a%3Fb%23c", "/api/auth/mirror/a?b#c", "/api/auth/mirror/a%3Fb%23c"),
        ("/api/auth/mirror/100%25", "/api/auth/mirror/100%", "/api/auth/mirror/100%25"),
    ],
)
def test_a_path_that_the_gateway_decoded_is_encoded_again(target: str, decoded: str, known: str) -> None:
    auth = plain(Mirror(), rate_limit=UNLIMITED)
    event = http_event(Call(target=target))
    assert event["rawPath"] == decoded
    assert seen(auth, event)["path"] == known
    assert seen(auth, url_event(Call(target=target)))["path"] == target


@requirement("ARCH-raw-path")
@pytest.mark.parametrize("target", ["/api/auth/mirror/a%252Fb", "/api/auth//ok", "/api/auth/mirror/%2E%2E"])
def test_a_path_that_is_not_canonical_after_the_gateway_decoded_it_matches_nothing(target: str) -> None:
    assert aws_lambda.handler(plain(Mirror()))(http_event(Call(target=target)), None)["statusCode"] == 404


@requirement("S-125")
def test_a_console_that_sends_single_values_is_served() -> None:
    event = rest_event(Call(target="/api/auth/mirror/a?x=1", headers=(("x-mark", "m"),)))
    event |= {"multiValueHeaders": None, "multiValueQueryStringParameters": None}
    answer = seen(plain(Mirror()), event)
    assert (answer["query"], answer["marks"], answer["peer"]) == ("x=1", "m", "192.0.2.7")


@requirement("S-125")
def test_the_peer_of_a_load_balancer_is_what_it_adds_itself() -> None:
    call = Call(target="/api/auth/mirror/a", headers=(("x-forwarded-for", "203.0.113.1"),))
    assert seen(plain(Mirror()), balancer_event(call))["peer"] == "192.0.2.7"


@requirement("I04")
@pytest.mark.parametrize("size", [2048, 2049, 8192])
@pytest.mark.parametrize("is_encoded", [False, True])
def test_a_body_is_limited_whether_it_is_encoded_or_not(event_of: MakeEvent, size: int, is_encoded: bool) -> None:
    auth = plain(Mirror(), rate_limit=UNLIMITED, advanced=AdvancedOptions(max_body_size=2048))
    body = b'"' + b"x" * (size - 2) + b'"'
    event = event_of(json_call("/api/auth/mirror/a", body))
    if is_encoded:
        event |= {"body": b64encode(body).decode(), "isBase64Encoded": True}
    returned = aws_lambda.handler(auth)(event, None)
    if size == 2048:
        assert json.loads(returned["body"])["size"] == size
    else:
        assert (returned["statusCode"], json.loads(returned["body"])["code"]) == (413, "PAYLOAD_TOO_LARGE")


@requirement("S-250", "I04")
@pytest.mark.parametrize("length", ["", "0", "x"])
def test_a_body_that_was_not_announced_is_empty(event_of: MakeEvent, length: str) -> None:
    headers = (("content-type", "application/json"), ("content-length", length))
    call = Call(target="/api/auth/mirror/a", method="POST", headers=headers)
    assert seen(plain(Mirror(), rate_limit=UNLIMITED), event_of(call))["size"] == 0


@requirement("S-250")
@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"Records": [], "source": "queue"}, "it has Records, source"),
        ({"requestContext": {"connectionId": "c"}}, "it has requestContext"),
        ({"requestContext": None, "httpMethod": "GET"}, "it has httpMethod, requestContext"),
        ({}, "it has dict"),
        ([1], "it has list"),
        ("text", "it has str"),
    ],
)
def test_an_event_that_is_no_request_is_a_clear_error(event: Any, found: str) -> None:
    with pytest.raises(ConfigError, match=r"no REST API, HTTP API, function URL or target group.*" + found):
        aws_lambda.handler(make())(event, None)


@requirement("S-250")
def test_a_load_balancer_that_loses_cookies_is_a_clear_error() -> None:
    event = balancer_event(Call(target="/api/auth/ok"))
    del event["multiValueHeaders"]
    with pytest.raises(ConfigError, match=r"lambda\.multi_value_headers\.enabled"):
        aws_lambda.handler(make())(event | {"headers": {}}, None)


@requirement("S-254")
def test_trusted_origins_may_read_what_a_function_and_the_auth_answer(event_of: MakeEvent) -> None:
    auth = plain(trusted_origins=[SHOP])

    def own(_event: Event, _context: Any) -> dict[str, Any]:
        return {"statusCode": 200, "headers": {"Vary": "Cookie"}, "body": "own"}

    asked = (("origin", SHOP), ("access-control-request-method", "POST"))
    for each in (own, aws_lambda.handler(auth)):
        served = aws_lambda.cors(each, auth)
        headers = dict(answered(served(event_of(Call(target="/api/auth/ok", headers=asked[:1])), None)).headers)
        assert headers["access-control-allow-origin"] == SHOP
        assert headers["vary"] == ("Cookie, Origin" if each is own else "Origin")
        evil = dict(
            answered(
                served(event_of(Call(target="/api/auth/ok", headers=(("origin", "https://evil.example"),))), None)
            ).headers
        )
        assert "access-control-allow-origin" not in evil
        preflight = answered(served(event_of(Call(method="OPTIONS", target="/me", headers=asked)), None))
        assert (preflight.status, dict(preflight.headers)["access-control-allow-origin"]) == (204, SHOP)


@requirement("ARCH-run")
def test_invocations_share_one_loop() -> None:
    auth = make()
    function = aws_lambda.handler(auth)
    signed_in = answered(function(http_event(json_call("/api/auth/sign-up/email", ANN, ("origin", ORIGIN))), None))
    cookie = "; ".join(value.partition(";")[0] for name, value in signed_in.headers if name == "set-cookie")
    session = function(http_event(Call(target="/api/auth/get-session", headers=(("cookie", cookie),))), None)
    assert json.loads(session["body"])["user"]["email"] == "ann@example.com"
