"""The few pages that browsers are shown: no script, no frame, no other host."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import urlencode, urlsplit

from portico.http import Header, Html

HOST = re.compile(r"[A-Za-z0-9.\-:\[\]]*")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 100vh; margin: 0; }}
main {{ max-width: 36rem; padding: 2rem; }}
code {{ padding: 0.1rem 0.4rem; border: 1px solid; border-radius: 0.3rem; }}
button {{ font: inherit; padding: 0.6rem 1.2rem; }}
{style}</style>
</head>
<body>
<main>
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


def page(title: str, content: str, style: str = "") -> Html:
    """Return a page around content that is safe HTML already, perhaps with further rules of CSS."""
    return Html(PAGE.format(title=escape(title), content=content, style=style))


def headers(forms: str = "'none'") -> list[Header]:
    """Return the headers of a page; `forms` is where its forms may lead, also by what answers them."""
    return [("content-security-policy", POLICY.format(forms=forms)), ("x-content-type-options", "nosniff")]


def confirmation(heading: str, query: Mapping[str, str]) -> Html:
    """Return the page whose button sends the same query to the same path, by POST."""
    return page(heading, CONFIRMATION.format(heading=escape(heading), action=escape(f"?{urlencode(query)}")))


def _place(target: str) -> str | None:
    """Return the origin of a URL as a policy names it; None if it is the page's own, or cannot be named."""
    parts = urlsplit(target)
    if not parts.scheme or not HOST.fullmatch(parts.netloc):
        return None
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


def confirmation_headers(targets: Iterable[str]) -> list[Header]:
    """Return the headers of a confirmation page whose answer may lead to `targets`, URLs that were checked before."""
    # Browsers hold a redirect against the policy of the page whose form led to it.
    forms = " ".join(dict.fromkeys(["'self'", *filter(None, map(_place, targets))]))
    # The token is in the address of this page. The origin itself is what the button's request is checked by.
    return [*headers(forms), ("referrer-policy", "same-origin"), ("cache-control", "no-store")]
