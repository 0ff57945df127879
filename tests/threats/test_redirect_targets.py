"""A link of ours leads to a hostile place: every field that says where to go, read as browsers read it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from ada_url import URL
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import ORIGIN
from portico import AdvancedOptions, Request, Response
from portico.origin import TARGETS
from requirements import requirement
from threats.everything import Door, Site, Visitor, code_of, everything

APP, APEX, SCHEME = "https://app.example.com", "example.org", "myapp:"
TRUSTED = [APP, f"https://*.{APEX}", f"{SCHEME}//"]
pytestmark = pytest.mark.anyio
PLACE = re.compile(r"(url|uri|redirectto|relaystate)$", re.IGNORECASE)

HOSTILE = [
    # No scheme, or what browsers take for two slashes
    "//evil.test",
    "///evil.test",
    "////evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "\\\\evil.test",
    "/\\/evil.test",
    "/%2Fevil.test",
    "/%2fevil.test",
    "/%5Cevil.test",
    "/a%2f..%2f/evil.test",
    "//app.example.com@evil.test",
    "//evil.test/app.example.com",
    "evil.test",
    "@evil.test",
    ".evil.test",
    ":80",
    "?to=//evil.test",
    "#//evil.test",
    # Control characters, which browsers drop
    "/\t/evil.test",
    "/\n/evil.test",
    "/\r\n/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/\x00/evil.test",
    "/\x7f/evil.test",
    "\u00a0//evil.test",
    "java\nscript:alert(1)",
    "https://app.example.com\t.evil.test",
    # Schemes
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript://app.example.com/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://app.example.com/x",
    "filesystem:https://app.example.com/x",
    "view-source:https://app.example.com",
    "file:///etc/passwd",
    "about:blank",
    "ftp://app.example.com",
    "ws://app.example.com",
    "http://app.example.com",
    "intent://evil.test#Intent;scheme=https;end",
    "myapp2://x",
    "myapp.evil://x",
    "xmyapp://x",
    "myapp://a@b",
    "myapp://a\\b",
    "https:evil.test",
    "https:/evil.test",
    "https:///evil.test",
    "https:\\\\evil.test",
    # Whose host it is
    "https://evil.test",
    "https://app.example.com.evil.test",
    "https://app.example.comevil.test",
    "https://app.example.com:8443",
    "https://app.example.com:443@evil.test",
    "https://app.example.com@evil.test",
    "https://app.example.com%40evil.test",
    "https://evil.test\\@app.example.com",
    "https://evil.test\\.app.example.com",
    "https://evil.test#@app.example.com",
    "https://evil.test?@app.example.com",
    "https://app.example.com\u3002evil.test",
    "https://app.example.com\uff0eevil.test",
    "https://app\u3002example\uff0ecom\uff61evil.test",
    "https://\u0430pp.example.com",
    # Wildcards
    "https://example.org",
    "http://a.example.org",
    "https://evilexample.org",
    "https://.example.org",
    "https://a.example.org.evil.test",
    "https://a.example.org@evil.test",
    "https://evil.test/.example.org",
    "https://evil.test#.example.org",
    "https://evil.test?.example.org",
    "https://evil.test\\.example.org",
    "https://evil.test\uff0f.example.org",
    "https://evil.test\uff03.example.org",
    "https://evil.test\u2100.example.org",
    "https://evil.test%2f.example.org",
    "https://evil.test%23.example.org",
    "https://evil.test%3F.example.org",
    "https://evil.test%5c.example.org",
    "https://evil.test%40.example.org",
    "https://evil.test%00.example.org",
    "https://evil.test%252f.example.org",
    "https://evil.test:80.example.org",
    "https://[::1].example.org",
    "https://[evil.test].example.org",
    "https://evil.test|.example.org",
    "https://evil.test<.example.org",
    "https://evil.test^.example.org",
    "https://a.example.org:99999",
]
"""For a site that trusts `https://app.example.com`, `https://*.example.org` and `myapp://`."""


@dataclass(frozen=True)
class Sink:
    """A field of a door that says where to go."""

    door: Door
    field: str
    by_query: bool

    def __str__(self) -> str:
        return f"{self.door} {'?' if self.by_query else ''}{self.field}"

    @property
    def code(self) -> str | None:
        """What a hostile place is refused with."""
        return "INVALID_CALLBACK_URL" if self.door.route.is_link else TARGETS[self.field].code

    def request(self, target: str, visitor: Visitor, token: str = "wrong") -> Request:
        """Return what is taken but for its target; a token stands wherever the door reads one from a URL."""
        body, query = visitor.body(self.door), self.door.query
        if "token" in query:
            query["token"] = token
        (query if self.by_query else body)[self.field] = target
        headers = (visitor.cookie, ("origin", ORIGIN))
        return self.door.request(*headers, body=body, query=query, placeholder=token)


def sinks_of(site: Site) -> Iterator[Sink]:
    """Yield the fields of every door that name a place."""
    for door in site.doors:
        for model, by_query in ((door.endpoint.query, True), (door.endpoint.body, door.route.input == "query")):
            places = [wire for wire, _ in model.wire_names if PLACE.search(wire)] if model else []
            yield from (Sink(door, wire, by_query) for wire in places)


def unasked_of(site: Site) -> Iterator[Sink]:
    """Yield the usual fields at every door that takes a body: it looks at them whether or not it reads them."""
    for door in site.doors:
        if door.has_body:
            yield from (Sink(door, field, by_query) for field in TARGETS for by_query in (False, True))


SITES = {
    name: everything(trusted_origins=TRUSTED, advanced=AdvancedOptions(confirm_mailed_links=name == "confirming"))
    for name in ("plain", "confirming")
}
SINKS = [pytest.param(site, sink, id=f"{name} {sink}") for name, site in SITES.items() for sink in sinks_of(site)]


def is_ours(url: str, page: str) -> bool:
    """Tell whether a browser that reads `url` on a page of ours stays with whom we trust."""
    try:
        place = URL(url, base=f"{ORIGIN}{page}")
    except ValueError:
        # No browser goes anywhere.
        return True
    is_below = place.protocol == "https:" and place.hostname.endswith(f".{APEX}") and place.port == ""
    return place.origin in {ORIGIN, APP} or is_below or place.protocol == SCHEME


async def with_links(site: Site) -> tuple[Visitor, list[str]]:
    """Return somebody whom links were mailed to, and their tokens."""
    visitor = await site.first_visitor()
    await visitor.browser.post("/request-password-reset", {"email": visitor.email})
    await visitor.browser.post("/delete-user")
    await visitor.browser.post("/sign-in/magic-link", {"email": visitor.email})
    return visitor, ["wrong", *(mail.token for _, mail in site.postbox.mails)]


@requirement("C04", "B-50", "B-51", "B-52")
@pytest.mark.parametrize(("site", "sink"), SINKS)
async def test_a_hostile_target_leads_nowhere_and_does_nothing(site: Site, sink: Sink) -> None:
    visitor, tokens = await with_links(site)
    assert len(tokens) == 5
    before = await site.remembered()
    for target in HOSTILE:
        for token in tokens if "token" in sink.door.path("token") + "".join(sink.door.query) else tokens[:1]:
            response = await site.answer(sink.request(target, visitor, token))
            assert (response.status, code_of(response)) == (403, sink.code), target
            assert {name for name, _ in response.headers} <= {"content-type", "cache-control"}, target
    assert await site.remembered() == before


@requirement("C04", "B-50")
@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
async def test_the_usual_fields_are_looked_at_wherever_they_are(site: Site) -> None:
    visitor, _ = await with_links(site)
    before = await site.remembered()
    for sink in unasked_of(site):
        for target in ("//evil.test", "https://evil.test", "javascript:alert(1)"):
            response = await site.answer(sink.request(target, visitor))
            assert (response.status, code_of(response)) == (403, sink.code), (sink, target)
    assert await site.remembered() == before


READ_BY_GET = [sink for sink in sinks_of(SITES["plain"]) if sink.door.route.method == "GET"]
PIECES = [
    *("/", "//", "\\", ":", "@", "?", "#", ".", "..", "%2f", "%2F", "%5c", "%00", "%09", "%40", "%23", "%3f", "%252f"),
    *(" ", "\t", "\r", "\n", "\x00", "\x0b", "\x7f", "\x85", "\u2028", "\xad", "\u3002", "\uff0e", "\uff61", "\uff0f"),
    *(
        "http:",
        "https:",
        "HTTPS:",
        "http://",
        "https://",
        "javascript:",
        "data:",
        "myapp:",
        "myapp://",
        "[",
        "]",
        "|",
        "*",
    ),
    *("evil.test", "app.example.com", "a.example.org", ".example.org", "example.org", "localhost:3000", "localhost"),
    *(":443", ":80", ":3000", ":", "xn--", "a", "é", "127.0.0.1", "0x7f.1", "&", "=", ";", ","),
]
targets = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), min_size=1, max_size=7).map("".join)


async def landings(target: str) -> list[tuple[str, str]]:
    """Return where every GET leads that is told where to, each with its own path."""
    asked = [sink.door.request(query={"token": "wrong", sink.field: target}) for sink in READ_BY_GET]
    led = [(landing(await SITES["plain"].answer(request)), request.path) for request in asked]
    return [(place, page) for place, page in led if place is not None]


def landing(response: Response) -> str | None:
    return dict(response.headers).get("location")


@requirement("C04", "C06")
@settings(max_examples=500, deadline=None)
@given(targets)
@example(f"https://a.{APEX}/x?y=z#w")
def test_wherever_we_lead_browsers_stay_with_whom_we_trust(target: str) -> None:
    places = SITES["plain"].auth.run(landings, target)
    assert all(is_ours(place, page) for place, page in places), places


@requirement("C04", "B-45", "B-47")
async def test_a_target_that_we_trust_is_reached() -> None:
    """The test above would be passed by who leads nowhere."""
    for target in ("/home", f"{APP}/x", f"https://a.b.{APEX}/x?y=z#w", "myapp://x"):
        pages = {page for _, page in await landings(target)}
        assert pages >= {"/api/auth/verify-email", "/api/auth/reset-password/wrong"}
