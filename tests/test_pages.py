"""The pages that browsers are shown have one look, which an application may change in one place."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from app import ORIGIN, content, plain
from markup import Markup, markup, mistakes
from portico import (
    AdvancedOptions,
    AnyApi,
    ApiError,
    Auth,
    ConfigError,
    ErrorCode,
    Headers,
    Html,
    OnApiError,
    Pages,
    Plugin,
    RateLimit,
    RateLimitOptions,
    Request,
    Response,
    Wire,
    endpoint,
)
from portico.context import Context
from portico.openapi import document
from portico.pages import DARK, LIGHT, RULES, form_headers
from portico.testing import Browser, Clock
from postbox import Postbox
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-pages")]


async def shown(auth: Auth[Any], path: str = "/verify-email", query: str = "token=x") -> Markup:
    response = await Browser(auth, ORIGIN).get(path, query)
    assert response.status == 200
    return markup(response)


def make(**options: Any) -> Auth[AnyApi]:
    return plain(**{**Postbox().options(), "advanced": AdvancedOptions(confirm_mailed_links=True), **options})


def style(page: Markup) -> str:
    return page.one("style").text.lstrip()


@pytest.mark.parametrize("path", ["/verify-email", "/delete-user/callback", "/error"])
async def test_every_page_is_open_to_everybody_and_runs_nothing(path: str) -> None:
    page = await shown(make(), path)
    assert style(page).startswith(":root { --background: #ffffff; ")
    assert page.all("header") == []


async def test_the_name_of_the_application_is_on_every_page() -> None:
    page = await shown(make(app_name="Acme <& Sons>"))
    assert page.text("header") == "Acme <& Sons>"
    assert page.text("title") == "Confirm your email address · Acme <& Sons>"


async def test_an_application_changes_the_look_of_all_pages_in_one_place() -> None:
    look = Pages(
        css="""
            --accent: #7a1fa2;
            --font: 'Inter', "Noto Sans", sans-serif;
            --radius: calc(1px + (2px * 3))
        """,
        dark_css="--accent: #e1bee7;",
    )
    own = (
        """:root { --accent: #7a1fa2; --font: 'Inter', "Noto Sans", sans-serif; --radius: calc(1px + (2px * 3)); }\n"""
        "@media (prefers-color-scheme: dark) {\n:root { --accent: #e1bee7; }\n}\n"
    )
    for path in ("/verify-email", "/error"):
        said = style(await shown(make(pages=look), path))
        before, _, after = said.partition(own)
        # The last one to say something about a property is the one that counts.
        assert "--accent: #0b57d0" in before
        assert "--accent: #a8c7fa" in before
        assert after.startswith("* {")
        assert "--accent: " not in after


@pytest.mark.parametrize(
    "css",
    [
        "--acent: red",
        "color: red",
        "red",
        "--accent",
        "--accent:",
        "--accent: red } body { display: none",
        "--accent: </style><script>alert(1)</script>",
        "--accent: red; /* }",
        "--accent: /* red",
        "--accent: 'red",
        "--font: \"Inter', serif",
        "--width: calc(1px",
        "--width: 1px)",
        "--width: )1px(",
        "--accent: url(https://evil.example)",
        "--accent: \\72 ed",
        "--accent: red!important",
        "@import 'evil.css'",
    ],
)
def test_what_would_break_out_of_the_look_is_a_mistake(css: str) -> None:
    with pytest.raises(ConfigError, match=r"pages\.css"):
        make(pages=Pages(css=css))
    with pytest.raises(ConfigError, match=r"pages\.dark_css"):
        make(pages=Pages(dark_css=css))


def luminance(color: str) -> float:
    """Return the relative luminance of `#rrggbb`. See WCAG 2.2, relative luminance."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_the_standard_has_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("look", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_texts_and_controls_stand_out(look: dict[str, str]) -> None:
    for text, ground in (("text", ""), ("muted", ""), ("accent", ""), ("error", ""), ("accent-text", "accent")):
        ratio = contrast(look[f"--{text}"], look[f"--{ground or 'background'}"])
        # WCAG 2.2, 1.4.3: contrast (minimum).
        assert ratio >= 4.5, text
    for mark in ("border", "focus", "accent"):
        # WCAG 2.2, 1.4.11: contrast of what is no text.
        assert contrast(look[f"--{mark}"], look["--background"]) >= 3, mark


def test_the_rules_say_no_color_themselves() -> None:
    assert "#" not in RULES
    assert {name for name in LIGHT if f"var({name})" not in RULES} == set()


def test_a_page_with_a_form_leads_where_its_answer_leads() -> None:
    headers = dict(form_headers(["/home", "https://app.example.com/in?a=b", "myapp://x", "https://a b/"]))
    assert "form-action 'self' https://app.example.com myapp:;" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("<h1>Hi</h1><input name=a>", "no label"),
        ("<h1>Hi</h1><button>Go</button>", "does nothing"),
        ("<h1>Hi</h1><a href=/></a>", "nothing to press"),
        ("<h1>Hi</h1><form action=/></form>", "shows what it sends"),
        ("<h1 aria-describedby=x>Hi</h1>", "is called"),
        ("<h1 id=x>Hi</h1><p id=x></p>", "one id"),
        ("<h1 onclick=x>Hi</h1>", "a script"),
        ("<h1 style=x>Hi</h1>", "style of its own"),
    ],
)
def test_the_checks_of_pages_find_what_is_wrong(content: str, mistake: str) -> None:
    page = Markup()
    page.feed(f"<html lang=en><title>T</title><main>{content}</main></html>")
    assert [each for each in mistakes(page) if mistake in each]


TAKEN = ErrorCode(409, "TAKEN", "Taken")


class Wanted(Wire):
    name: str


def refusal(group: "Seats", ctx: Context, error: ErrorCode) -> Html:
    name = ctx.fields.get("name", "")
    return group.auth.pages.page("Seats", f"<h1>Seats</h1><p role='alert'>{error.message}</p><p>{name!r}</p>")


@dataclass(frozen=True, kw_only=True, eq=False)
class Seats(Plugin[Any, Any]):
    """A plugin of a third party with a form."""

    id: ClassVar[str] = "seats"

    @endpoint(
        "POST",
        "/seats",
        media=("application/x-www-form-urlencoded",),
        errors=(TAKEN,),
        limit=RateLimit(window=60, max=5),
        refusal_page=refusal,
    )
    async def take(self, ctx: Context, body: Wanted) -> Html:
        """Take a seat."""
        ctx.reply.headers.append(("x-seats", "0"))
        raise ApiError(TAKEN, headers=(("x-taken", body.name),))


async def sent(auth: Auth[Any], body: bytes, **headers: str) -> Response:
    fields = Headers([("content-type", "application/x-www-form-urlencoded"), *headers.items()])
    return await auth.handler(Request(method="POST", path="/api/auth/seats", headers=fields, body=body))


async def test_a_refusal_is_shown_on_the_page_of_its_endpoint() -> None:
    told: list[Exception] = []
    auth = plain(
        Seats(),
        clock=Clock(),
        rate_limit=RateLimitOptions(enabled=True),
        on_api_error=OnApiError(on_error=lambda error, ctx: told.append(error)),
    )
    taken = await sent(auth, b"name=Ann")
    page = markup(taken)
    assert (taken.status, page.alert(), page.all("p")[1].text) == (409, "Taken", "'Ann'")
    assert {("x-seats", "0"), ("x-taken", "Ann")} <= set(taken.headers)
    invalid = await sent(auth, b"")
    assert (invalid.status, markup(invalid).all("p")[1].text) == (400, "''")
    foreign = await sent(auth, b"name=Ann", cookie="a=b", origin="https://evil.example")
    assert (foreign.status, markup(foreign).alert()) == (403, "Invalid origin")
    strange = await sent(auth, b"name=\xff")
    assert (strange.status, markup(strange).all("p")[1].text) == (400, "''")
    assert (await sent(auth, b"name=Ann")).status == 409
    limited = await sent(auth, b"name=Ann")
    assert (limited.status, markup(limited).alert()) == (429, "Too many requests. Please try again later.")
    assert dict(limited.headers)["retry-after"] == "60"
    assert len(told) == 5


async def test_the_document_says_which_refusals_are_pages() -> None:
    described = document(plain(Seats()))
    answers = described["paths"]["/seats"]["post"]["responses"]
    kinds: dict[str, list[str]] = {}
    for status, answer in answers.items():
        whole = described["components"]["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        kinds[status] = list(whole.get("content", {}))
    pages = {status: ["text/html"] for status in ("200", "400", "403", "409", "415", "429", "503")}
    # Hosts refuse what is too long before anybody looks at its path.
    assert kinds == {**pages, "413": ["application/json"], "500": []}


async def test_other_endpoints_refuse_in_json_as_before() -> None:
    response = await Browser(plain(Seats()), ORIGIN).post("/sign-in/email", {})
    assert (response.status, content(response)["code"]) == (400, "VALIDATION_ERROR")
