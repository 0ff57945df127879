"""The few pages that browsers are shown: one look, no script, no frame, no other host."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode, urlsplit

from portico.errors import ConfigError
from portico.http import Header, Html
from portico.options import Pages
from portico.origin import TARGETS

HOST = re.compile(r"[A-Za-z0-9.\-:\[\]]*")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "--background": "#ffffff",
        "--text": "#1b1b1f",
        "--muted": "#5c5c66",
        "--border": "#767680",
        "--accent": "#0b57d0",
        "--accent-text": "#ffffff",
        "--error": "#b3261e",
        "--focus": "#0b57d0",
        "--font": "system-ui, sans-serif",
        "--size": "1rem",
        "--radius": "0.375rem",
        "--space": "1.5rem",
        "--width": "32rem",
    }
)
"""Everything that an application may say about the look, and what it is otherwise."""
DARK: Mapping[str, str] = MappingProxyType(
    {
        "--background": "#131316",
        "--text": "#e6e6ea",
        "--muted": "#a9a9b3",
        "--border": "#8c8c96",
        "--accent": "#a8c7fa",
        "--accent-text": "#062e6f",
        "--error": "#ffb4ab",
        "--focus": "#a8c7fa",
    }
)
"""What differs where somebody prefers dark pages."""
WRITTEN = re.compile(r"[A-Za-z0-9 #%(),.'\"_+*/-]+")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")

RULES = """* { box-sizing: border-box; }
body {
  display: flex; flex-direction: column; min-height: 100vh; margin: 0;
  background: var(--background); color: var(--text); font: var(--size)/1.5 var(--font); overflow-wrap: anywhere;
}
header, main { width: 100%; max-width: var(--width); margin: 0 auto; padding: var(--space); }
header { padding-bottom: 0; color: var(--muted); font-weight: 600; }
main { margin: auto; }
h1 { margin: 0 0 var(--space); font-size: 1.5em; line-height: 1.25; }
a { color: var(--accent); }
code { font-size: 1.125em; letter-spacing: 0.05em; }
dt { color: var(--muted); }
dd { margin: 0 0 calc(var(--space) / 2); }
label { display: block; font-weight: 600; }
input, button {
  min-height: 2.75rem; padding: 0.5rem 1rem; border: 1px solid var(--border); border-radius: var(--radius);
  font: inherit;
}
input { display: block; width: 100%; background: var(--background); color: var(--text); }
button { background: var(--accent); border-color: var(--accent); color: var(--accent-text); font-weight: 600; }
button.second { background: var(--background); border-color: var(--border); color: var(--text); }
form > * + * { margin-top: calc(var(--space) / 2); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
[aria-invalid] { border: 2px solid var(--error); }
[role="alert"] { color: var(--error); font-weight: 600; }
"""
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
"""
BODY = """</style>
</head>
<body>
{header}<main>
{content}
</main>
</body>
</html>
"""
CONFIRMATION = """<h1>{heading}</h1>
<p>You opened a link from a mail. Nothing has happened yet.</p>
<form method="post" action="{action}">
<button type="submit">{heading}</button>
</form>"""


@dataclass(frozen=True)
class Look:
    """How the pages of one Auth look."""

    style: str
    name: str | None
    """Whose pages they are, if the application says it."""

    @classmethod
    def of(cls, pages: Pages, name: str | None) -> "Look":
        """Decide how pages look.

        Raises:
            ConfigError: the application says something else than the values of known properties.
        """
        light = dict(_declarations("css", pages.css))
        dark = dict(_declarations("dark_css", pages.dark_css))
        style = f"{variables(LIGHT)}{_where_dark(DARK)}{variables(light)}{_where_dark(dark)}{RULES}"
        return cls(style, name or None)

    def page(self, title: str, content: str, *, style: str = "", headers: Iterable[Header] = ()) -> Html:
        """Return a page around content that is safe HTML already, perhaps with further rules of CSS.

        Without other `headers` it has no form.
        """
        name = None if self.name is None else escape(self.name)
        head = HEAD.format(title=escape(title) if name is None else f"{escape(title)} · {name}")
        header = "" if name is None else f"<header>{name}</header>\n"
        text = f"{head}{self.style}{style}{BODY.format(header=header, content=content)}"
        return Html(text, (*(headers or policy()),))

    def confirmation(self, heading: str, query: Mapping[str, str]) -> Html:
        """Return the page whose button sends the same query to the same path, by POST."""
        action = escape(f"?{urlencode(query, errors='replace')}")
        content = CONFIRMATION.format(heading=escape(heading), action=action)
        # The places were checked before.
        return self.page(heading, content, headers=form_headers(query.get(name, "") for name in TARGETS))


def policy(forms: str = "'none'") -> list[Header]:
    """Return the headers of every page; `forms` is where its forms may lead, also by what answers them."""
    return [("content-security-policy", POLICY.format(forms=forms)), ("x-content-type-options", "nosniff")]


def form_headers(targets: Iterable[str] = ()) -> list[Header]:
    """Return the headers of a page with a form whose answer may lead to `targets`, URLs that are trusted."""
    # Browsers hold a redirect against the policy of the page whose form led to it.
    forms = " ".join(dict.fromkeys(["'self'", *filter(None, map(_place, targets))]))
    # A secret is in the address of this page. The origin itself is what the button's request is checked by.
    return [*policy(forms), ("referrer-policy", "same-origin"), ("cache-control", "no-store")]


def sign_in_url(page: str, target: str, field: str = "next") -> str:
    """Return the URL of a sign-in page that leads back to `target`, a path with query or a URL, when it is done."""
    parts = urlsplit(page)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != field]
    # A browser reads two slashes as the start of another host.
    back = "/" + target.lstrip("/\\") if target.startswith(("/", "\\")) else target
    return parts._replace(query=urlencode([*query, (field, back)], safe="/")).geturl()


def is_css_value(text: str) -> bool:
    """Tell whether a text is a value of CSS that ends where it ends: no comment, quote or bracket stays open."""
    bare = QUOTED.sub("", text)
    is_plain = WRITTEN.fullmatch(text) is not None and not any(mark in bare for mark in ("'", '"', "/*"))
    depth = 0
    for mark in bare:
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            return False
    return is_plain and depth == 0


def variables(values: Mapping[str, str]) -> str:
    """Return the rule of CSS that sets custom properties; nothing if there are none."""
    return f":root {{ {' '.join(f'{name}: {value};' for name, value in values.items())} }}\n" if values else ""


def _where_dark(values: Mapping[str, str]) -> str:
    return f"@media (prefers-color-scheme: dark) {{\n{variables(values)}}}\n" if values else ""


def _declarations(option: str, css: str) -> Iterator[tuple[str, str]]:
    for declaration in filter(None, map(str.strip, css.split(";"))):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name not in LIGHT:
            raise ConfigError(f"pages.{option} sets {name!r}, which is none of {', '.join(LIGHT)}")
        if not is_css_value(value):
            raise ConfigError(f"pages.{option}: {name} is no value of CSS: {value!r}")
        yield name, value


def _place(target: str) -> str | None:
    """Return the origin of a URL as a policy names it; None if it is the page's own, or cannot be named."""
    parts = urlsplit(target)
    if not parts.scheme or not HOST.fullmatch(parts.netloc):
        return None
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"
