"""A URL writes into a page of ours: every GET that answers with HTML, and every value that it could show."""

from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import product
from urllib.parse import urlsplit

import pytest

from portico import Response
from requirements import requirement
from threats.everything import FITTING, Door, everything

pytestmark = [pytest.mark.anyio, requirement("C05")]

SITE = everything()
DOORS = [door for door in SITE.doors if door.route.method == "GET"]
USUAL = {"error", "error_description", "state", "client_id"}
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "'><svg/onload=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u2028<script>alert(1)</script>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\x00<script>alert(1)</script>",
    "javascript:alert(1)",
    "{title}{style}{content}{0}%s${7*7}{{7*7}}",
    "a\r\n<script>alert(1)</script>",
    "x" * 20_000,
]
LINKS = {"href", "src", "action", "formaction", "content"}
RISKY = {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "http:", "https:"}


class Skeleton(HTMLParser):
    """What a browser builds, without the texts: elements with the names of their attributes, and where they lead."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.schemes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.schemes |= {urlsplit(value or "").scheme for name, value in attrs if name in LINKS}


def skeleton(response: Response) -> Skeleton:
    parser = Skeleton()
    parser.feed(response.body.decode())
    parser.close()
    return parser


def policy(response: Response) -> Mapping[str, set[str]]:
    """Return the sources of each directive of the page's policy."""
    directives = dict(response.headers)["content-security-policy"].split(";")
    parts = [each.split() for each in directives if each.strip()]
    return {name: set(sources) for name, *sources in parts}


async def shown(door: Door, **fields: str) -> Response:
    """Return a page without cookies, and with places that are checked before anything is shown."""
    query = {**door.query, **fields}
    places = {name: FITTING["callbackURL"] for name in query if name.endswith("URL")}
    return await SITE.answer(door.request(query={**query, **places}))


def is_page(response: Response) -> bool:
    return dict(response.headers).get("content-type", "").partition(";")[0] == "text/html"


@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_what_a_url_says_stays_text(door: Door) -> None:
    harmless = await shown(door)
    # What is no page shows nothing, whatever is asked for.
    values = HOSTILE if is_page(harmless) else HOSTILE[:2]
    named = [{name: value} for name, value in product(sorted(door.fields | USUAL), values)]
    # The name of a field is text of a stranger, too.
    for fields in (*named, *({value[:200]: "x"} for value in values)):
        response = await shown(door, **fields)
        assert response.status < 500, fields
        assert is_page(response) is is_page(harmless), fields
        if is_page(response):
            assert skeleton(response).elements == skeleton(harmless).elements, fields
            assert skeleton(response).schemes <= skeleton(harmless).schemes, fields


@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_a_page_runs_no_script_of_others_and_stands_in_no_frame(door: Door) -> None:
    response = await shown(door)
    if not is_page(response):
        # What is no page is not taken for one.
        assert dict(response.headers).get("content-type") in {None, "application/json"}
        return
    headers, sources = dict(response.headers), policy(response)
    assert headers["x-content-type-options"] == "nosniff"
    assert sources["default-src"] == {"'none'"}
    assert not sources.get("script-src", set()) & RISKY
    assert sources["base-uri"] == {"'none'"}
    assert sources["frame-ancestors"] == {"'none'"}
    assert sources["form-action"] <= {"'none'", "'self'"}


async def test_there_are_pages() -> None:
    pages = {str(door) for door in DOORS if is_page(await shown(door))}
    assert pages >= {"GET /error", "GET /verify-email", "GET /delete-user/callback", "GET /reference"}
