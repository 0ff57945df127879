"""The page that a browser is sent to when a flow fails."""

import re
from html import escape

from portico.context import Context
from portico.endpoint import EndpointGroup, endpoint
from portico.http import Html
from portico.models import SessionT, UserT

CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_DESCRIPTION = 500
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Error</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 100vh; margin: 0; }}
main {{ max-width: 36rem; padding: 2rem; }}
code {{ padding: 0.1rem 0.4rem; border: 1px solid; border-radius: 0.3rem; }}
</style>
</head>
<body>
<main>
<h1>Something went wrong</h1>
<p>{description}</p>
<p>Code: <code>{code}</code></p>
<p><a href="/">Go home</a></p>
</main>
</body>
</html>
"""
EXPLANATION = "The sign-in could not be completed. Please go back and try again."


class ErrorEndpoints(EndpointGroup[UserT, SessionT]):
    @endpoint("GET", "/error")
    async def error(self, ctx: Context) -> Html:
        """Show why a flow failed."""
        code = ctx.query.get("error", "UNKNOWN")
        if CODE.fullmatch(code) is None:
            code = "UNKNOWN"
        description = ctx.query.get("error_description", "")[:MAX_DESCRIPTION] or EXPLANATION
        ctx.reply.headers += [("content-security-policy", POLICY), ("x-content-type-options", "nosniff")]
        return Html(PAGE.format(code=escape(code), description=escape(description)))
