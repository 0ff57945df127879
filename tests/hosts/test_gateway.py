import pytest

from portico.errors import INVALID_PASSWORD, TOO_MANY_REQUESTS, ApiError, ErrorCode
from portico.hosts.gateway import below_mount, origin_form
from portico.http import Response
from portico.pages import sign_in_url
from portico.responses import refused
from requirements import requirement

JSON = ("content-type", "application/json")


@requirement("ARCH-raw-path")
@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a/b%2Fc?x=/", "/a/b%2Fc"),
        ("http://example.com/a/b?x=1", "/a/b"),
        ("http://example.com", "/"),
        ("/http://example.com/a", "/http://example.com/a"),
        ("*", "*"),
        ("", ""),
    ],
)
def test_the_path_of_a_target_is_kept_as_sent(target: str, path: str) -> None:
    assert origin_form(target) == path


@requirement("ARCH-mounts")
@pytest.mark.parametrize(
    ("path", "mount", "base", "known"),
    [
        # Mounted where the base path is.
        ("/api/auth/ok", "/api/auth", "/api/auth", "/api/auth/ok"),
        # Mounted below a prefix that base_url leaves out.
        ("/accounts/api/auth/ok", "/accounts", "/api/auth", "/api/auth/ok"),
        # Mounted below a prefix that base_url has.
        ("/accounts/api/auth/ok", "/accounts", "/accounts/api/auth", "/accounts/api/auth/ok"),
        # A proxy took the prefix off and base_url has it.
        ("/api/auth/ok", "/accounts", "/accounts/api/auth", "/accounts/api/auth/ok"),
        # A proxy took it off and base_url leaves it out.
        ("/api/auth/ok", "/accounts", "/api/auth", "/api/auth/ok"),
        # No base path: what is left below the mount counts.
        ("/auth/ok", "/auth", "", "/ok"),
        ("/ok", "/auth", "", "/ok"),
        # A prefix ends at a slash.
        ("/accounts2/api/auth/ok", "/accounts", "/api/auth", "/accounts2/api/auth/ok"),
        # Mounted at the base path in an application that has a prefix, which base_url leaves out or has.
        ("/accounts/api/auth/ok", "/accounts/api/auth", "/api/auth", "/api/auth/ok"),
        ("/ok", "/accounts/api/auth", "/api/auth", "/api/auth/ok"),
        ("/accounts/api/auth/ok", "/accounts/api/auth", "/accounts/api/auth", "/accounts/api/auth/ok"),
        # The prefix is decoded, the path is not.
        ("/k%C3%B6nto/api/auth/ok", "/könto", "/api/auth", "/api/auth/ok"),
        # Nothing of the Auth.
        ("/.well-known/x", "/accounts", "/api/auth", "/.well-known/x"),
        # One address for each endpoint: no second one inside the mount.
        ("/api/auth/api/auth/ok", "/api/auth", "/api/auth", "/api/auth/api/auth/ok"),
    ],
)
def test_a_mount_prefix_combines_with_the_base_path(path: str, mount: str, base: str, known: str) -> None:
    assert below_mount(path, mount, base) == known


@requirement("S-125")
@pytest.mark.parametrize(
    ("refusal", "response"),
    [
        (
            ApiError(INVALID_PASSWORD, headers=(("x-a", "1"),)),
            Response(
                status=400,
                headers=(JSON, ("x-a", "1")),
                body=b'{"message":"Invalid password","code":"INVALID_PASSWORD"}',
            ),
        ),
        (
            ApiError(TOO_MANY_REQUESTS),
            Response(status=429, headers=(JSON,), body=b'{"message":"Too many requests. Please try again later."}'),
        ),
        (ApiError(ErrorCode(404, None, "")), Response(status=404, headers=(JSON,))),
    ],
)
def test_a_refusal_is_what_the_handler_would_answer(refusal: ApiError, response: Response) -> None:
    assert refused(refusal) == response


@requirement("S-251")
@pytest.mark.parametrize(
    ("page", "target", "url"),
    [
        ("/login", "/a/b?c=1&d=%2F", "/login?next=/a/b%3Fc%3D1%26d%3D%252F"),
        ("/login?lang=en&next=/old", "/new", "/login?lang=en&next=/new"),
        ("https://login.example.com/in#form", "https://shop.example.com/a", None),
        # What a browser would read as another host stays a path.
        ("/login", "//evil.example", "/login?next=/evil.example"),
        ("/login", "/\\evil.example", "/login?next=/evil.example"),
        ("/login", "\\\\evil.example", "/login?next=/evil.example"),
    ],
)
def test_a_sign_in_page_learns_the_way_back(page: str, target: str, url: str | None) -> None:
    other_host = "https://login.example.com/in?next=https%3A//shop.example.com/a#form"
    assert sign_in_url(page, target) == (url or other_host)
