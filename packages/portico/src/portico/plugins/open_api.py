"""The OpenAPI document of an Auth over HTTP, and a Scalar page to read and try it."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha384
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from portico.context import Context
from portico.crypto.random import random_url_safe
from portico.endpoint import Endpoint, Plugin, Route, endpoint
from portico.errors import ConfigError
from portico.http import Content, Html
from portico.models import SessionT, UserT
from portico.openapi import Json, document
from portico.wire import Wire

Theme = Literal[
    "alternate", "default", "moon", "purple", "solarized", "bluePlanet", "deepSpace", "saturn", "kepler", "elysiajs",
    "fastify", "mars", "laserwave", "none",
]  # fmt: skip
"""The themes of Scalar."""

SCALAR = "https://cdn.jsdelivr.net/npm/@scalar/api-reference@1.72.1/dist/browser/standalone.js"
SCALAR_INTEGRITY = "sha384-U11tb2XnKvmwt8RlTvnwUnYgrN+ur4Xyh9htLhjajWNR/Oyl5AX5DEz00qRmlrmK"
"""Of exactly this file: see Subresource Integrity. Another release needs another value."""
PATH = "/reference"
SCRIPT = "/script.js"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'nonce-{nonce}'",
        "style-src 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

# No request leaves the page but those that its reader sends.
QUIET: Json = {
    "agent": {"disabled": True},
    "hideClientButton": True,
    "mcp": {"disabled": True},
    "showDeveloperTools": "never",
    "telemetry": False,
    "withDefaultFonts": False,
}

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript; the document itself is at <a href="$document">$document</a>.</noscript>
<script id="configuration" type="application/json">$configuration</script>
<script nonce="$nonce" src="$script" $integrity crossorigin="anonymous"></script>
<script nonce="$nonce">
Scalar.createApiReference("#reference", JSON.parse(document.getElementById("configuration").textContent));
</script>
</body>
</html>
""")


class OpenApiDocument(Wire):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    servers: list[dict[str, Any]]
    tags: list[dict[str, Any]]
    paths: dict[str, dict[str, Any]]
    components: dict[str, dict[str, Any]]
    marks: Annotated[dict[str, Any], Field(alias="x-portico")]
    """What no standard keyword says: the plugins in this document."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenApi(Plugin[UserT, SessionT]):
    """The document at `/open-api/generate-schema` and a page to read it at `/reference`."""

    id: ClassVar[str] = "open-api"

    path: str = PATH
    """Where the page is."""

    disable_default_reference: bool = False
    """Serve the document only."""

    theme: Theme = "default"

    script: str | Path = SCALAR
    """Scalar's `standalone.js`: a URL, or a file on disk, which this plugin then serves itself, so that the page works
    without any other host. `npm pack @scalar/api-reference` brings the file."""

    integrity: str | None = None
    """What the browser compares the script with, such as `sha384-…`; for the default URL and for a file it is known."""

    nonce: Callable[[Context], str] | None = None
    """Returns the nonce of the Content-Security-Policy that your own middleware sends for this request. Without it the
    page has a policy of its own, with a new nonce each time."""

    def setup(self, auth: Any) -> None:
        """Read the script, so that a wrong path is known before the first visitor."""
        object.__setattr__(self, "_script", _read(self.script))
        # Kept as text, so that whoever changes what he got changes nothing for the next one.
        object.__setattr__(self, "_described", cache(lambda: json.dumps(document(auth))))

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the document, and the page where it is wanted."""
        for declared in super().endpoints():
            if declared.name == "generate_schema":
                yield declared
            elif not self.disable_default_reference and (declared.name != "script_file" or self._is_file):
                routes = tuple(replace(route, path=route.path.replace(PATH, self.path, 1)) for route in declared.routes)
                yield replace(declared, routes=routes)

    @endpoint(
        Route("GET", "/open-api/generate-schema"),
        Route("GET", "/generate-openapi-schema"),
        operation_id="generateOpenAPISchema",
        idempotent=True,
    )
    async def generate_schema(self, ctx: Context) -> OpenApiDocument:
        """Return this document."""
        return OpenApiDocument.model_validate_json(self._text)

    @endpoint("GET", PATH, operation_id="openAPIReference", client=False)
    async def reference(self, ctx: Context) -> Html:
        """Show the document on a page to read and to try."""
        nonce = self.nonce(ctx) if self.nonce else random_url_safe(32)
        if self.nonce is None:
            ctx.reply.headers.append(("content-security-policy", POLICY.format(nonce=nonce)))
        ctx.reply.headers += [("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin")]
        return Html(self._page(nonce))

    @endpoint("GET", PATH + SCRIPT, operation_id="openAPIReferenceScript", client=False)
    async def script_file(self, ctx: Context) -> Content:
        """Return the script of the page."""
        ctx.reply.headers += [("cache-control", "public, max-age=86400"), ("x-content-type-options", "nosniff")]
        return Content(self._file, "text/javascript; charset=utf-8")

    @property
    def _is_file(self) -> bool:
        return isinstance(self.script, Path)

    @property
    def _file(self) -> bytes:
        content: bytes = getattr(self, "_script", b"")
        return content

    @property
    def _text(self) -> str:
        """The document, described once: anybody may ask for it, and describing takes far longer than answering."""
        described: Callable[[], str] = vars(self)["_described"]
        return described()

    def _page(self, nonce: str) -> str:
        site = self.auth.site.path
        described = json.loads(self._text)
        integrity = self._integrity
        return PAGE.substitute(
            title=escape(described["info"]["title"]),
            document=escape(f"{site}/open-api/generate-schema"),
            # A text in the document must not end the element that holds it.
            configuration=json.dumps({"content": described, "theme": self.theme, **QUIET}).replace("<", "\\u003c"),
            nonce=escape(nonce),
            script=escape(f"{site}{self.path}{SCRIPT}" if self._is_file else str(self.script)),
            integrity=f'integrity="{escape(integrity)}"' if integrity else "",
        )

    @property
    def _integrity(self) -> str | None:
        if self.integrity is None and self._is_file:
            return "sha384-" + b64encode(sha384(self._file).digest()).decode()
        return SCALAR_INTEGRITY if self.integrity is None and self.script == SCALAR else self.integrity


def _read(script: str | Path) -> bytes:
    if not isinstance(script, Path):
        return b""
    try:
        return script.read_bytes()
    except OSError as error:
        raise ConfigError(f"OpenApi cannot read the script {script}: {error.strerror}") from error
