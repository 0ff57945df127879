"""The pages of `portico dev`: they work without JavaScript, and nothing that a user wrote is markup there."""

from collections.abc import Iterator
from html import escape

from pydantic_core import to_json

from portico.cli.dev.mailbox import Letter
from portico.cli.dev.setup import Setup
from portico.crypto.random import random_url_safe
from portico.http import Response
from portico.plugins.open_api import OpenApi
from portico.wire import timestamp

POLICY = "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
body { color: #1b1b1b; background: #fff }
article { border: 1px solid #767676; border-radius: .25rem; padding: 0 1rem; margin: 1rem 0 }
dt { font-weight: bold } dd { margin: 0 0 .5rem; overflow-wrap: anywhere }
"""
SPANS = (("a minute", 60), ("an hour", 3600), ("a day", 86400), ("a week", 7 * 86400))


def front(setup: Setup) -> Response:
    """Return the page with the way to everything else."""
    links = [("/__mailbox", "Mailbox"), ("/__clock", "Clock"), ("/__db", "Rows of the database, as JSON")]
    links += [("/__ddl", "Its tables"), ("/__health", "Health")]
    if any(isinstance(plugin, OpenApi) for plugin in setup.auth.api.plugins):
        links.insert(0, ("/reference", "Reference of the API"))
    items = "".join(f'<li><a href="{path}">{name}</a></li>' for path, name in links)
    serves = f"<p>The API is at <code>{escape(setup.auth.site.url)}</code>.</p>"
    return _page("Portico for development", f"{serves}<ul>{items}</ul>")


def mailbox(setup: Setup) -> Response:
    """Return every letter, the newest first."""
    letters = "".join(_letter(each) for each in reversed(list(setup.mailbox)))
    clock = f'<p>It is {_time(setup)}. <a href="/__clock">Move the clock</a></p>'
    return _page("Mailbox", clock + (letters or "<p>No mail was sent.</p>"))


def clock(setup: Setup) -> Response:
    """Return what time it is, and a form to put the clock forward."""
    buttons = "".join(
        f'<button name="advance" value="{seconds}">Put it forward by {name}</button> ' for name, seconds in SPANS
    )
    forms = (
        f'<form method="post" action="/__clock"><p>{buttons}</p></form>'
        '<form method="post" action="/__clock"><p><label for="advance">Seconds</label> '
        '<input id="advance" name="advance" inputmode="numeric" required> <button>Put it forward</button></p></form>'
    )
    return _page("Clock", f"<p>It is {_time(setup)}.</p>{forms}")


def _time(setup: Setup) -> str:
    now = timestamp(setup.clock())
    return f'<time datetime="{now}">{now}</time>'


def _letter(letter: Letter) -> str:
    at = timestamp(letter.at)
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in _contents(letter))
    title = f'<h2 id="mail-{letter.number}">{escape(letter.kind)} to {escape(letter.address)}</h2>'
    sent = f'<p><time datetime="{at}">{at}</time></p>'
    return f'<article aria-labelledby="mail-{letter.number}">{title}<dl>{rows}</dl>{sent}</article>'


def _contents(letter: Letter) -> Iterator[tuple[str, str]]:
    if letter.user is not None:
        yield "name", escape(letter.user.name)
    for name, value in letter.contents.items():
        shown = escape(value if isinstance(value, str) else to_json(value).decode())
        yield name.replace("_", " "), f'<a href="{shown}">{shown}</a>' if name == "url" else shown


def _page(title: str, content: str) -> Response:
    nonce = random_url_safe(32)
    home = "" if content.startswith("<p>The API") else '<nav aria-label="Pages"><a href="/">All pages</a></nav>'
    text = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="UTF-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><style nonce="{nonce}">{STYLE}</style></head>'
        f"<body>{home}<main><h1>{title}</h1>{content}</main></body></html>\n"
    )
    return Response(
        status=200,
        headers=(
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", POLICY.format(nonce=nonce)),
            # Without any referrer, a browser would not say either from where a form was sent.
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ),
        body=text.encode(),
    )
