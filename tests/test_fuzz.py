"""Whatever is sent gets an answer below 500, in JSON or empty, and quickly."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import ORIGIN, plain
from portico import CookieCacheOptions, Headers, Request, Response, SessionOptions
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username
from requirements import requirement

AUTH = plain(Username(), TwoFactor(), Bearer(), session=SessionOptions(cookie_cache=CookieCacheOptions(enabled=True)))
ROUTES = [
    (route.method, route.path)
    for compiled in AUTH.handler.compiled.values()
    for route in compiled.endpoint.routes
    if not compiled.endpoint.server_only
]
COOKIE_NAMES = [
    "better-auth.session_token",
    "better-auth.session_data",
    "better-auth.two_factor",
    "better-auth.dont_remember",
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(
    [
        "name",
        "email",
        "password",
        "image",
        "callbackURL",
        "rememberMe",
        "token",
        "code",
        "username",
        "displayUsername",
        "newPassword",
        "currentPassword",
        "revokeOtherSessions",
        "trustDevice",
        "__proto__",
        "constructor",
        "id",
    ]
)
likely = st.sampled_from(
    ["ann@example.com", "password123", "ann", "000000", "", "\x00", "\ud800", True, 1e400, 10**30, {"$ne": None}]
)
objects = st.dictionaries(fields, likely | json_values, max_size=6)
latin = st.text(st.characters(max_codepoint=255), max_size=60)
settled = settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])

pytestmark = requirement("I01", "I03", "B-09")


def answer(method: str, path: str, body: bytes = b"", *headers: tuple[str, str], query: str = "") -> Response:
    request = Request(method=method, path=path, query=query, headers=Headers(headers), body=body, peer="203.0.113.7")
    response: Response = AUTH.run(AUTH.handler, request)
    return response


def assert_is_answer(response: Response) -> None:
    assert response.status < 500, response
    kind = dict(response.headers).get("content-type")
    assert kind in {None, "application/json", "text/html", "text/plain"}
    if kind == "application/json" and response.body:
        json.loads(response.body)
    for name, value in response.headers:
        assert "\r" not in value, name
        assert "\n" not in value, name
        (name + value).encode("latin-1")


@settled
@given(st.sampled_from(ROUTES), objects | json_values)
def test_any_json_gets_an_answer(route: tuple[str, str], body: Any) -> None:
    sent = json.dumps(body).encode("utf-8", "surrogatepass")
    assert_is_answer(answer(route[0], f"/api/auth{route[1]}", sent, ("content-type", "application/json")))


@settled
@given(
    st.sampled_from(ROUTES),
    st.binary(max_size=200),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
    | latin,
)
def test_any_bytes_of_any_type_get_an_answer(route: tuple[str, str], body: bytes, kind: str) -> None:
    assert_is_answer(answer(route[0], f"/api/auth{route[1]}", body, ("content-type", kind)))


@settled
@given(
    st.sampled_from(ROUTES),
    st.lists(st.tuples(st.sampled_from(COOKIE_NAMES) | latin, latin), max_size=6),
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "origin",
                    "referer",
                    "authorization",
                    "sec-fetch-site",
                    "sec-fetch-mode",
                    "user-agent",
                    "x-forwarded-for",
                ]
            ),
            st.sampled_from([ORIGIN, "null", "Bearer x.y", "bearer \xff", "cross-site", "navigate"]) | latin,
        ),
        max_size=4,
    ),
)
def test_any_cookies_and_headers_get_an_answer(
    route: tuple[str, str], cookies: list[tuple[str, str]], headers: list[tuple[str, str]]
) -> None:
    cookie = ("cookie", "; ".join(f"{name}={value}" for name, value in cookies))
    kind = ("content-type", "application/json")
    body = b'{"email":"a@b.co","password":"password123","name":"","code":"0","token":"t","username":"ann"}'
    assert_is_answer(answer(route[0], f"/api/auth{route[1]}", body, kind, cookie, *headers))


@settled
@given(
    st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "TRACE", "PUT"]) | st.text(max_size=5),
    st.sampled_from([f"/api/auth{path}" for _, path in ROUTES]) | st.just("/api/auth"),
    st.sampled_from(["", "/", "//", "/.", "/..", "%2f", "%00", ";a=b", "\\", "?x", "/%2e%2e/ok"]) | latin,
    latin,
)
def test_any_path_and_query_get_an_answer(method: str, path: str, suffix: str, query: str) -> None:
    assert_is_answer(answer(method, path + suffix, query=query))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1e400",
        b"NaN",
        b'{"email":"a@b.co","email":5}',
        b'\xef\xbb\xbf{"email":"a@b.co"}',
        b'{"email":"\\ud800@b.co","password":"x"}',
        b'{"email":"a@b.co","password":"\\u0000"}',
        b'{"__proto__":{"email":"a@b.co"}}',
        b'"' + b"x" * 900_000 + b'"',
        b"\xff\xfe",
        b"null",
    ],
)
def test_hostile_json_is_refused(body: bytes) -> None:
    response = answer("POST", "/api/auth/sign-in/email", body, ("content-type", "application/json"))
    assert 400 <= response.status < 500
    assert_is_answer(response)
