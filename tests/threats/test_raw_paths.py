"""Paths and verbs as no client sends them, through a socket: policy is decided on the endpoint that is dispatched."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlencode

import pytest

from app import ORIGIN
from endpoints.test_account_tokens import providers
from live import live
from oauth_server import oauth_server
from portico import AdvancedOptions, ApiError, Context, ErrorCode, RateLimit, RateLimitOptions, before
from portico.rate_limit import Rule
from requirements import requirement
from threats.everything import BASE, FORM, JSON, Door, Site, Visitor, everything
from threats.raw import Answer, Line, request
from threats.test_get_changes_nothing import prepared

pytestmark = [pytest.mark.anyio, requirement("I03")]

GUARDED = ErrorCode(403, "GUARDED", "Not for you")
DISABLED, GUARDED_PATH, LIMITED = "/update-user", "/change-email", "/sign-in/email"
Parser = Literal["httptools", "h11"]
PARSERS: list[Parser] = ["httptools", "h11"]


@before(GUARDED_PATH, errors=(GUARDED,))
async def guard(ctx: Context) -> None:
    raise ApiError(GUARDED)


def variants(path: str) -> list[bytes]:
    """Return other spellings of a path that a router, a proxy or a file system might take for it."""
    head, _, tail = path[1:].rpartition("/")
    encoded = f"%{ord(tail[0]):02x}{tail[1:]}"
    upper = tail[:-1] + tail[-1].upper()
    prefix = f"/{head}" if head else ""
    spelled = [
        # Empty and dot segments
        f"/{path}",
        f"//{path}",
        f"{prefix}//{tail}",
        f"{path}//",
        f"{prefix}/./{tail}",
        f"{prefix}/x/../{tail}",
        f"{prefix}/../api/auth/x/../{tail}",
        f"{path}/.",
        f"{path}/..",
        f"{path}/../{tail}",
        f"{prefix}/...//{tail}",
        f"{prefix}/%2e/{tail}",
        f"{prefix}/x/%2e%2e/{tail}",
        f"{prefix}/x/.%2e/{tail}",
        f"{path}/%2e",
        # Encoded letters and slashes
        f"{prefix}/{encoded}",
        f"{prefix}/%25{encoded[1:]}",
        f"{prefix}%2f{tail}",
        f"{prefix}%2F{tail}",
        f"{prefix}%252f{tail}",
        f"{prefix}/%2f{tail}",
        f"{path}%2f",
        f"{prefix}%5c{tail}",
        f"{prefix}/%u0075{tail[1:]}",
        f"{prefix}/%c1%b5{tail[1:]}",
        f"{prefix}/{tail}%",
        f"{prefix}/{tail}%g",
        # Backslashes, parameters, suffixes and case
        f"{prefix}\\{tail}",
        path.replace("/", "\\"),
        f"{path};",
        f"{path};a=b",
        f"{prefix};a=b/{tail}",
        f"{prefix}/;/{tail}",
        f"{path}%3b",
        f"{path}.json",
        f"{path}.",
        f"{path}~",
        f"{path}*",
        f"{path}\x00",
        f"{path}%00",
        f"{path}%00.json",
        f"{path}%20",
        f"{path}%09",
        f"{path}%0a",
        f"{path}%0d%0a",
        f"{path}%3f",
        f"{path}%23",
        f"{path}\xa0",
        f"{path}\xff",
        f"{prefix}/{upper}",
        path.upper(),
        f"/API{path[4:]}",
        f"{prefix}/\xef\xbd\x95{tail[1:]}",
        # Other forms of a target
        path[1:],
        f"{path[1:]}/",
        "*",
        f"http://localhost/{path}",
        f"http://localhost{prefix}//{tail}",
        f"http://localhost{path}/",
        f"//localhost{path}",
        f"http:{path}",
        f"http:/{path}",
        f"{path}/#x",
        # Without measure
        f"{path}/{'x' * 100_000}",
        f"{prefix}{'/.' * 10_000}/{tail}",
        f"{prefix}{'/x/..' * 10_000}/{tail}",
    ]
    return [each.encode("latin-1") for each in spelled]


def alike(path: str) -> list[bytes]:
    """Return targets that are this path to one parser, and no request to another."""
    return [f"file://{path}".encode(), f"{path}#x".encode()]


def same(path: str) -> list[bytes]:
    """Return targets that are this path, and no other."""
    forms = [path, f"{path}?", f"{path}?a=/../b", f"http://localhost{path}", f"HTTP://evil.test{path}"]
    return [each.encode() for each in forms]


@contextmanager
def guarded(parser: Parser, *, skip_trailing_slashes: bool = False) -> Generator[tuple[Site, Line]]:
    """Serve a site with a disabled path, a hook that guards one and a limit of one request on another."""
    rules: dict[str, Rule] = {LIMITED: RateLimit(window=1000, max=1), "/sign-up/*": False, "/change-*": False}
    site = everything(
        disabled_paths=[DISABLED],
        hooks=[guard],
        rate_limit=RateLimitOptions(enabled=True, max=1_000_000, custom_rules=rules),
        advanced=AdvancedOptions(skip_trailing_slashes=skip_trailing_slashes),
    )
    with live(lambda _: site.auth, parser) as url:
        yield site, Line.to(url)


def sent(visitor: Visitor, target: bytes, body: bytes, method: str = "POST") -> bytes:
    headers = (visitor.cookie, ("origin", ORIGIN), ("content-type", JSON))
    return request(method, target, *headers, body=body)


def is_nowhere(answer: Answer) -> bool:
    """Tell whether the target is no endpoint: not found, or no request at all to the server."""
    return answer.status in {400, 404} and b"{" not in answer.rest


def assert_holds(line: Line, visitor: Visitor, path: str, body: bytes, refusal: tuple[int, bytes]) -> None:
    """Every spelling of a path is refused as the path itself is, or leads nowhere."""
    for target in same(path) + alike(path) + variants(path):
        answer = line.answer(sent(visitor, target, body))
        assert answer is not None, target
        is_refused = (answer.status, answer.rest) == refusal
        assert is_refused or (is_nowhere(answer) and target not in same(path)), (target, answer)
        assert b"set-cookie" not in answer.headers.lower(), target


@requirement("B-01", "B-02", "B-03")
@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("skips", [False, True], ids=["exact", "slashes skipped"])
async def test_no_spelling_of_a_path_gets_past_what_is_decided_about_it(parser: Parser, skips: bool) -> None:
    with guarded(parser, skip_trailing_slashes=skips) as (site, line):
        visitor = await site.visitor()
        remembered = await site.remembered()
        assert_holds(line, visitor, BASE + DISABLED, b'{"name":"Evil"}', (404, b"Not Found"))
        told = b'{"message":"Not for you","code":"GUARDED"}'
        assert_holds(line, visitor, BASE + GUARDED_PATH, b'{"newEmail":"evil@example.com"}', (403, told))
        assert await site.remembered() == remembered


@requirement("B-53")
@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("skips", [False, True], ids=["exact", "slashes skipped"])
async def test_no_spelling_of_a_path_has_a_limit_of_its_own(parser: Parser, skips: bool) -> None:
    with guarded(parser, skip_trailing_slashes=skips) as (site, line):
        visitor = await site.visitor()
        guess = b'{"email":"ann@example.com","password":"wrong password"}'
        first = line.answer(sent(visitor, (BASE + LIMITED).encode(), guess))
        assert first is not None
        assert first.status == 401
        told = b'{"message":"Too many requests. Please try again later."}'
        assert_holds(line, visitor, BASE + LIMITED, guess, (429, told))


def targets(door: Door, known: Mapping[str, list[str]]) -> Iterator[bytes]:
    """Yield other spellings of a path, each with all that the door could take from its query."""
    fields = sorted(door.fields & known.keys())
    queries = [urlencode({**door.query, name: value}) for name in fields for value in known[name]] or [""]
    for query in queries:
        for spelling in [*variants(door.path()), f"{door.path()}/".encode()]:
            yield spelling + f"?{query}".encode()


@requirement("B-01")
@pytest.mark.parametrize("parser", PARSERS)
async def test_no_other_spelling_reads_what_a_get_shows_or_does_what_its_link_does(parser: Parser) -> None:
    with oauth_server() as server:
        options = AdvancedOptions(confirm_mailed_links=False)
        site = everything(advanced=options, social_providers=providers(server))
        visitor, known = await prepared(site)
    fixed = [door for door in site.doors if door.route.method == "GET" and not door.endpoint.parameters]
    with live(lambda _: site.auth, parser) as url:
        line = Line.to(url)
        remembered = await site.remembered()
        for door in fixed:
            for target in targets(door, known):
                answer = line.answer(request("GET", target, visitor.cookie))
                assert answer is not None, target
                assert is_nowhere(answer), (target, answer)
                # What the server itself refuses as no request at all has its own words.
                assert answer.status == 400 or answer.rest == b"", (target, answer)
                assert b"set-cookie" not in answer.headers.lower(), target
        assert await site.remembered() == remembered


VERBS = ["HEAD", "OPTIONS", "TRACE", "PROPFIND", "DELETE", "X", "post", "get", "Post", "M-SEARCH", "QUERY", "PRI"]
OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override", "_method"]


@requirement("B-01")
@pytest.mark.parametrize("parser", PARSERS)
async def test_a_verb_that_no_endpoint_has_finds_nothing(parser: Parser) -> None:
    site = everything()
    with live(lambda _: site.auth, parser) as url:
        line, visitor = Line.to(url), await site.visitor()
        remembered = await site.remembered()
        known = {(door.route.method, door.path()) for door in site.doors}
        for path in sorted({path for _, path in known}):
            for verb in VERBS:
                if (verb, path) in known:
                    continue
                answer = line.answer(sent(visitor, path.encode(), b"{}", verb))
                assert answer is not None, (verb, path)
                # What no parser knows is no request.
                assert answer.status == 404 or (answer.status == 400 and verb not in VERBS[:5]), (verb, path, answer)
                if answer.status == 404:
                    assert answer.rest == b"", (verb, path, answer)
                    assert b"allow:" not in answer.headers.lower(), (verb, path, answer)
        assert await site.remembered() == remembered


async def test_nothing_overrides_the_verb() -> None:
    site = everything()
    with live(lambda _: site.auth) as url:
        line, visitor = Line.to(url), await site.visitor()
        remembered = await site.remembered()
        known = {(door.route.method, door.path()) for door in site.doors}
        for door in site.doors:
            other = "GET" if door.route.method != "GET" else "POST"
            if (other, door.path()) in known:
                continue
            wanted = [(name, door.route.method) for name in OVERRIDES]
            headers = (visitor.cookie, ("origin", ORIGIN), ("content-type", FORM), *wanted)
            form = f"_method={door.route.method}".encode()
            answer = line.answer(request(other, f"{door.path()}?_method={door.route.method}", *headers, body=form))
            assert answer is not None, door
            assert (answer.status, answer.rest) == (404, b""), door
        assert await site.remembered() == remembered


async def test_no_tunnel_is_opened() -> None:
    site = everything()
    with live(lambda _: site.auth) as url:
        for target in ("evil.test:443", f"{BASE}/ok", "*"):
            answer = Line.to(url).answer(request("CONNECT", target))
            assert answer is not None, target
            assert answer.status in {400, 404}, (target, answer)
