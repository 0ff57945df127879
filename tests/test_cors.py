import pytest

from app import plain
from portico import Headers
from requirements import requirement

TRUSTED = "https://shop.example.com"


def cors_headers(origin: str | None) -> dict[str, str]:
    auth = plain(trusted_origins=["https://*.example.com"])
    return dict(auth.cors.headers(Headers([("origin", origin)] if origin else [])))


@requirement("S-254")
def test_a_trusted_origin_may_read_answers_with_its_cookies() -> None:
    assert cors_headers(TRUSTED) == {
        "vary": "Origin",
        "access-control-allow-origin": TRUSTED,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Set-Auth-Token, Set-Auth-JWT, Retry-After, X-Retry-After",
    }


@requirement("S-254")
@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "https://shop.example.com.evil.example", ""])
def test_nobody_else_may(origin: str | None) -> None:
    assert cors_headers(origin) == {"vary": "Origin"}


@requirement("S-254")
def test_a_preflight_is_answered_and_nothing_else_is() -> None:
    cors = plain(trusted_origins=[TRUSTED]).cors
    asked = [("origin", TRUSTED), ("access-control-request-method", "POST")]
    answer = cors.preflight("OPTIONS", Headers([*asked, ("access-control-request-headers", "content-type, x-own")]))
    assert answer is not None
    assert (answer.status, dict(answer.headers)) == (
        204,
        {
            **cors_headers(TRUSTED),
            "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "access-control-max-age": "600",
            "access-control-allow-headers": "content-type, x-own",
        },
    )
    foreign = cors.preflight("OPTIONS", Headers([("origin", "https://evil.example"), asked[1]]))
    assert foreign is not None
    assert (foreign.status, foreign.headers) == (403, (("vary", "Origin"),))
    hostile = cors.preflight("OPTIONS", Headers([*asked, ("access-control-request-headers", "x\r\nset-cookie: a")]))
    assert hostile is not None
    assert "access-control-allow-headers" not in dict(hostile.headers)
    assert cors.preflight("POST", Headers(asked)) is None
    assert cors.preflight("OPTIONS", Headers(asked[:1])) is None


@requirement("S-254")
@pytest.mark.parametrize(
    ("own", "answered"),
    [
        ([], "Origin"),
        ([("Vary", "Accept-Encoding")], "Accept-Encoding, Origin"),
        ([("vary", "Cookie, origin")], "Cookie, origin"),
        ([("vary", "Cookie"), ("vary", "Accept")], "Cookie, Accept, Origin"),
        ([("vary", "*")], "*"),
    ],
)
def test_what_the_app_says_of_caches_stays(own: list[tuple[str, str]], answered: str) -> None:
    cors = plain(trusted_origins=[TRUSTED]).cors
    fields = cors.applied(Headers(), [("set-cookie", "a=1"), *own, ("set-cookie", "b=2")])
    assert fields == [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("vary", answered)]


@requirement("S-254")
def test_an_app_may_expose_more_of_its_own_headers_and_no_other_origin() -> None:
    cors = plain(trusted_origins=[TRUSTED]).cors
    own = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "X-Total, Retry-After")]
    answered = dict(cors.applied(Headers([("origin", TRUSTED)]), own))
    assert answered == {
        **cors_headers(TRUSTED),
        "access-control-expose-headers": "X-Total, Retry-After, Set-Auth-Token, Set-Auth-JWT, X-Retry-After",
    }
    # What an app allows an origin that we do not know is its own decision.
    assert cors.applied(Headers(), own[:1]) == [own[0], ("vary", "Origin")]
