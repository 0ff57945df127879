"""What an endpoint makes of a body before it looks at the fields."""

from typing import Any

from parity.scenario import FORM, JSON, Call, post, scenario

GOOD = b'{"email":"ann@example.com","password":"password123"}'


def raw(body: bytes, media: str | None = JSON, path: str = "/sign-in/email", **rest: Any) -> Call:
    headers = rest.pop("headers", {}) | ({"content-type": None} if media is None else {})
    return post(path, body, media=media, headers=headers, **rest)


MEDIA = (
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonp",
    "application/json-patch+json",
    "application/ld+json",
    "text/json",
    "APPLICATION/JSON",
    "application/json;charset=utf-8",
    "application/json; charset=iso-8859-1",
    "application/json , text/plain",
    " application/json",
    "application",
    "/",
    "application/json;",
    "text/plain; application/json",
)

BODIES = [
    scenario("content types of sign-in", *[raw(GOOD, media, label=media) for media in MEDIA]),
    scenario(
        "content types of an endpoint that takes JSON only",
        *[raw(b'{"token":"x"}', media, "/revoke-session", label=media) for media in (*MEDIA, FORM)],
    ),
    scenario(
        "a body without a content type",
        raw(GOOD, None),
        raw(GOOD, None, "/revoke-session"),
        raw(b"", None),
        raw(b"", None, "/revoke-session"),
        raw(b"", None, "/sign-out"),
        raw(GOOD, None, "/sign-out"),
        raw(GOOD, "", "/sign-out"),
    ),
    scenario(
        "a content type without a body",
        raw(b""),
        raw(b"", path="/sign-out"),
        raw(b"", path="/revoke-sessions"),
        raw(b"", path="/get-session"),
        raw(b" "),
        raw(b"", FORM),
        raw(b"", FORM, "/sign-out"),
        raw(b"", "text/plain", "/sign-out"),
    ),
    scenario(
        "malformed JSON",
        *[
            raw(body, label=repr(body))
            for body in (
                b"{",
                b"{]",
                b'{"email":"a",}',
                b"{'email':'a'}",
                b"nope",
                b'{"email":"a@b.c" "password":"x"}',
                b"NaN",
                b'{"email":NaN,"password":"x"}',
                b'{"email":Infinity}',
                b'{"email":"a\x00b"}',
                b'{"email":"a\nb","password":"x"}',
                b"\xff\xfe",
                b'{"email":"\xff","password":"x"}',
                b'\xef\xbb\xbf{"email":"a@b.cd","password":"x"}',
                b'{"email":"\\ud800@b.cd","password":"x"}',
                b'{"email":"a@b.cd","password":"x"}x',
                b"// x",
            )
        ],
    ),
    scenario(
        "JSON that is no object",
        *[
            raw(body, path=path, label=f"{path} {body.decode()}")
            for body in (b"null", b"[]", b"[1]", b'"x"', b"1", b"true", b"false", b"1e999", b'""', b"0")
            for path in ("/sign-in/email", "/sign-up/email", "/revoke-session", "/sign-out", "/update-user")
        ],
    ),
    scenario(
        "fields that nobody declared",
        raw(b'{"email":"ann@example.com","password":"password123","x":1,"__proto__":{"a":1},"constructor":2}'),
        raw(b'{"email":"ann@example.com","email":"bob@example.com","password":"password123"}', label="twice"),
        raw(b'{"EMAIL":"ann@example.com","password":"password123"}', label="another case"),
        raw(b'{"remember_me":false,"email":"ann@example.com","password":"password123"}', label="snake case"),
    ),
    scenario(
        "a form signs in and up",
        raw(b"name=Ann+B&email=ann%40example.com&password=password123", FORM, "/sign-up/email"),
        raw(b"email=ann%40example.com&password=password123", FORM),
        raw(b"email=ann%40example.com&password=password123&rememberMe=false", FORM, label="rememberMe as text"),
        raw(b"email=ann%40example.com&password=password123&email=bob%40example.com", FORM, label="a field twice"),
        raw(b"email=ann%40example.com&password=password123&callbackURL=%2Fhome", FORM, label="with callbackURL"),
        raw(b"email=ann%40example.com", FORM, label="a field is missing"),
        raw(b"&&=&email", FORM, label="odd"),
        raw(b"email=%ff&password=%zz", FORM, label="undecodable"),
        raw(b"token=x", FORM, "/revoke-session", label="where no form is taken"),
        raw(GOOD, FORM, label="JSON as a form"),
        raw(b"email=ann%40example.com&password=password123", JSON, label="a form as JSON"),
        raw(b"email=ann%40example.com&password=password123", f"{FORM}; charset=utf-8", label="with charset"),
    ),
    scenario(
        "deep nesting",
        raw(b"[" * 500 + b"]" * 500, label="arrays"),
        raw(b'{"a":' * 500 + b"1" + b"}" * 500, label="objects"),
    ),
]
