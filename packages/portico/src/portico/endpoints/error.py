"""The page that a browser is sent to when a flow fails."""

import re
from html import escape

from portico import mail_links, pages
from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint
from portico.errors import ConfigError
from portico.http import Html, Redirect
from portico.models import SessionT, UserT
from portico.options import ErrorPage

CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_DESCRIPTION = 500
CONTENT = """<h1>{title}</h1>
<p>{description}</p>
<p>Code: <code>{code}</code></p>
<p><a href="{home_url}">Go home</a></p>"""
VARIABLES = {
    "background": "--background",
    "foreground": "--text",
    "accent": "--accent",
    "font_family": "--font",
    "text_size": "--size",
}
HOME = re.compile(r"https?://|/(?!/)")
EXPLANATION = "The sign-in could not be completed. Please go back and try again."


class ErrorEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint("GET", "/error")
    async def error(self, ctx: Context) -> Html | Redirect:
        """Show why a flow failed, or lead to the application's own page that does."""
        code = ctx.query.get("error", "UNKNOWN")
        if CODE.fullmatch(code) is None:
            code = "UNKNOWN"
        description = ctx.query.get("error_description", "")[:MAX_DESCRIPTION]
        own = self.auth.on_api_error
        if own.error_url is not None:
            url = mail_links.with_query(own.error_url, "error", code)
            return Redirect(mail_links.with_query(url, "error_description", description) if description else url)
        texts = {"description": description or EXPLANATION, "code": code}
        texts |= {"title": own.page.title, "home_url": own.page.home_url}
        content = CONTENT.format(**{name: escape(text) for name, text in texts.items()})
        return self.auth.pages.page("Error", content, style=pages.variables(_look(own.page)))


def check_page(page: ErrorPage) -> None:
    """Refuse values that would end their declaration, and a link that would run a script.

    Raises:
        ConfigError: one of them does.
    """
    for name in VARIABLES:
        value = getattr(page, name)
        if value is not None and not pages.is_css_value(value):
            raise ConfigError(f"on_api_error.page.{name} is no value of CSS: {value!r}")
    if not HOME.match(page.home_url):
        raise ConfigError(f"on_api_error.page.home_url is a path or a URL, not {page.home_url!r}")


def _look(page: ErrorPage) -> dict[str, str]:
    return {variable: value for name, variable in VARIABLES.items() if (value := getattr(page, name)) is not None}
