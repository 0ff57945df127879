"""The router alone: a path as declared finds its endpoint, and any other spelling nothing."""

import pytest

from portico import ConfigError
from portico.endpoint import Route
from portico.router import Router
from requirements import requirement

pytestmark = requirement("B-01", "I03")

BASE = "/api/auth"
ROUTES = (
    (Route("GET", "/ok"), "ok"),
    (Route("POST", "/ok"), "post ok"),
    (Route("GET", "/links/{token}"), "link"),
    (Route("POST", "/links/{token}"), "post link"),
    (Route("GET", "/links/{token}/of/{user}"), "link of a user"),
    (Route("GET", "/.well-known/keys", root=True), "keys"),
)


def found(method: str, path: str, **options: bool) -> tuple[str, dict[str, str]] | None:
    match = Router(BASE, ROUTES, **options).match(method, path)
    if match is None:
        return None
    assert (match.route, match.target) in ROUTES
    return match.target, dict(match.placeholders)


def test_a_path_as_declared_finds_its_endpoint() -> None:
    assert found("GET", f"{BASE}/ok") == ("ok", {})
    assert found("POST", f"{BASE}/ok") == ("post ok", {})
    assert found("GET", "/.well-known/keys") == ("keys", {})
    assert found("GET", f"{BASE}/.well-known/keys") is None


def test_placeholders_are_filled_with_what_was_encoded() -> None:
    assert found("GET", f"{BASE}/links/a%20b%3F") == ("link", {"token": "a b?"})
    assert found("POST", f"{BASE}/links/a+b") == ("post link", {"token": "a+b"})
    assert found("GET", f"{BASE}/links/%61/of/...") == ("link of a user", {"token": "a", "user": "..."})


@pytest.mark.parametrize("method", ["PUT", "get", "HEAD", ""])
@pytest.mark.parametrize("path", ["/ok", "/links/a"])
def test_a_verb_that_was_not_declared_finds_nothing(method: str, path: str) -> None:
    assert found(method, BASE + path) is None


@pytest.mark.parametrize("value", ["", ".", "..", "%2e", "%2E%2e", ".%2e", "a%2fb", "%2F", "a/b", "/a", "a/"])
def test_what_a_path_would_lose_or_gain_by_being_resolved_fills_no_placeholder(value: str) -> None:
    for skips in (False, True):
        if skips and value == "a/":
            continue
        assert found("GET", f"{BASE}/links/{value}", skip_trailing_slashes=skips) is None
        assert found("GET", f"{BASE}/links/a/of/{value}", skip_trailing_slashes=skips) is None
        assert found("GET", f"{BASE}/links/{value}/of/a", skip_trailing_slashes=skips) is None


def test_a_placeholder_is_not_reached_by_its_name() -> None:
    assert found("GET", f"{BASE}/links/{{token}}") is None
    assert found("GET", f"{BASE}/links/{{token}}/of/{{user}}") is None
    assert found("GET", f"{BASE}/links/{{other}}") == ("link", {"token": "{other}"})


@pytest.mark.parametrize("path", ["/x/a", "/links/a/on/b", "/Links/a", "/links", "/links/a/of", "/links/a/of/b/c"])
def test_the_words_round_a_placeholder_are_exact(path: str) -> None:
    assert found("GET", BASE + path) is None
    assert found("GET", path.replace("/links", BASE)) is None


def test_one_trailing_slash_is_skipped_if_so_wanted() -> None:
    for path in ("/ok", "/links/a"):
        expected = found("GET", f"{BASE}{path}")
        assert expected is not None
        assert found("GET", f"{BASE}{path}/") is None
        assert found("GET", f"{BASE}{path}/", skip_trailing_slashes=True) == expected
        assert found("GET", f"{BASE}{path}", skip_trailing_slashes=True) == expected
        assert found("GET", f"{BASE}{path}//", skip_trailing_slashes=True) is None


@pytest.mark.parametrize("path", ["/ok", "/links/{token}"])
def test_two_endpoints_cannot_share_a_path(path: str) -> None:
    with pytest.raises(ConfigError, match=f"^two endpoints answer GET {path}$"):
        Router(BASE, [*ROUTES, (Route("GET", path), "again")])
