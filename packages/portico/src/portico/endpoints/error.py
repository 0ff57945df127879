"""The page that a browser is sent to when a flow fails."""

import re
from html import escape

from portico import pages
from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint
from portico.http import Html
from portico.models import SessionT, UserT

CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_DESCRIPTION = 500
CONTENT = """<h1>Something went wrong</h1>
<p>{description}</p>
<p>Code: <code>{code}</code></p>
<p><a href="/">Go home</a></p>"""
EXPLANATION = "The sign-in could not be completed. Please go back and try again."


class ErrorEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint("GET", "/error")
    async def error(self, ctx: Context) -> Html:
        """Show why a flow failed."""
        code = ctx.query.get("error", "UNKNOWN")
        if CODE.fullmatch(code) is None:
            code = "UNKNOWN"
        description = ctx.query.get("error_description", "")[:MAX_DESCRIPTION] or EXPLANATION
        ctx.reply.headers += pages.headers()
        return pages.page("Error", CONTENT.format(code=escape(code), description=escape(description)))
