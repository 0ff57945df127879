"""What is attacked: every door of an Auth with everything switched on, read from its live endpoints.

Nothing here lists an endpoint: a door that is added to this repository is attacked without a new line.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import quote, urlencode

from app import CHEAP, ORIGIN, SECRET
from portico import (
    AdvancedOptions,
    AnyApi,
    Auth,
    CookieCacheOptions,
    Headers,
    RateLimitOptions,
    Request,
    Response,
    SessionOptions,
)
from portico.endpoint import Endpoint, Plugin, Route
from portico.plugins.magic_link import MagicLink
from portico.plugins.two_factor import OtpOptions, TwoFactor
from portico.published import PublishedApi
from portico.testing import Browser, Clock
from portico.wire import Wire
from postbox import Postbox

PLUGINS: list[Plugin[Any, Any]] = [value for value in vars(PublishedApi).values() if isinstance(value, Plugin)]
"""Every plugin of this repository."""

BASE = "/api/auth"
PASSWORD = "password123"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PEER = "203.0.113.7"
FITTING: Mapping[str, Any] = MappingProxyType(
    {
        "name": "Other",
        "email": "nobody@example.com",
        "password": PASSWORD,
        "currentPassword": PASSWORD,
        "newPassword": "password456",
        "newEmail": "new@example.com",
        "code": "000000",
        "callbackURL": "/done",
    }
)
"""What a field of this name wants to hold, whichever endpoint has it."""
OFFERED = frozenset({"accountId", "name", "password"})
"""Fields that are sent although they may be left out, because little happens without them."""


@dataclass(frozen=True)
class Door:
    """One way to reach one endpoint."""

    endpoint: Endpoint
    route: Route

    def __str__(self) -> str:
        return f"{self.route.method} {self.route.path}"

    def path(self, placeholder: str = "wrong") -> str:
        """Return the whole path, with a text in every placeholder."""
        path = self.route.under(BASE)
        for name in self.endpoint.parameters:
            path = path.replace(f"{{{name}}}", quote(placeholder, safe=""))
        return path

    @property
    def changes(self) -> bool:
        """Whether something may be changed here."""
        return self.endpoint.changes or self.route.method != "GET"

    @property
    def has_body(self) -> bool:
        return self.route.method != "GET" and self.route.input == "body"

    @property
    def body(self) -> dict[str, Any]:
        """Fields that the endpoint reads from a body, and takes."""
        return fitting(self.endpoint.body) if self.has_body else {}

    @property
    def query(self) -> dict[str, str]:
        """Fields that the endpoint reads from the query, and takes."""
        models = (self.endpoint.query, self.endpoint.body if self.route.input == "query" else None)
        return {name: _text(value) for model in models for name, value in fitting(model).items()}

    @property
    def fields(self) -> set[str]:
        """The wire names of everything that the endpoint reads."""
        models = (self.endpoint.query, self.endpoint.body)
        return {wire for model in models if model for wire, _ in model.wire_names}

    def request(
        self,
        *headers: tuple[str, str],
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        kind: str = JSON,
        placeholder: str = "wrong",
    ) -> Request:
        """Return a request that fits, with other headers, and other fields in body and query if they are given."""
        sent = written(self.body if body is None else body, kind) if self.has_body and kind else b""
        typed = [("content-type", kind)] if sent else []
        fields = self.query if query is None else query
        return Request(
            method=self.route.method,
            path=self.path(placeholder),
            query=urlencode(fields, quote_via=quote),
            headers=Headers([*typed, *headers]),
            body=sent,
            peer=PEER,
        )


@dataclass(frozen=True)
class Visitor:
    """Somebody who has signed up, with a session and cookies."""

    browser: Browser
    email: str
    username: str

    @property
    def cookie(self) -> tuple[str, str]:
        return "cookie", self.browser.headers["cookie"]

    @property
    def token(self) -> str:
        """The token of the session, as other doors want it."""
        [value] = [value for name, value in self.browser.cookies.items() if name.endswith("session_token")]
        return value.partition(".")[0]

    def body(self, door: Door) -> dict[str, Any]:
        """Return a body that fits the door and speaks of this visitor; who states a name and an address is new."""
        body, own = door.body, {"email": self.email, "username": self.username}
        own |= {"token": self.token, "sessionToken": self.token}
        if {"name", "email"} <= body.keys():
            return {**body, "email": f"new-{self.email}"}
        return {**body, **{name: value for name, value in own.items() if name in body}}


@dataclass(frozen=True)
class Site:
    """An Auth with every plugin of this repository and every option that opens a door."""

    auth: Auth[AnyApi]
    clock: Clock
    postbox: Postbox
    origin: str = ORIGIN
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def doors(self) -> list[Door]:
        """Every way in that is open over HTTP."""
        endpoints = [compiled.endpoint for compiled in self.auth.handler.compiled.values()]
        return [Door(each, route) for each in endpoints if not each.server_only for route in each.routes]

    @property
    def distinct_doors(self) -> list[Door]:
        """The same without further verbs for what a door does already."""
        return [door for door in self.doors if door.route.method not in {"PUT", "PATCH"}]

    async def first_visitor(self) -> Visitor:
        """Forget everybody, and sign somebody new up."""
        for table in self.auth.tables.values():
            await self.auth.store.delete_many(table, [])
        self.postbox.mails.clear()
        return await self.visitor()

    async def visitor(self) -> Visitor:
        """Sign somebody new up."""
        number, browser = next(self.numbers), Browser(self.auth, self.origin)
        visitor = Visitor(browser, f"ann{number}@example.com", f"ann{number}")
        fields = {"email": visitor.email, "username": visitor.username}
        response = await browser.post("/sign-up/email", {"name": "Ann", "password": PASSWORD, **fields})
        assert response.status == 200, response.body
        return visitor

    async def rows(self) -> dict[str, list[Any]]:
        """Return all rows of all tables."""
        return {name: await self.auth.store.find_many(table, limit=10_000) for name, table in self.auth.tables.items()}

    async def remembered(self) -> dict[str, list[Any]]:
        """Return everything that is remembered: all rows, and what was mailed; but for key pairs, of which whoever
        reads a key first lets one be made."""
        rows = await self.rows()
        rows.pop("jwks", None)
        own = [row for row in rows["verification"] if not row["identifier"].startswith("jwks-")]
        return {**rows, "verification": own, "mails": list(self.postbox.mails)}

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request, when the work after it is done."""
        response = await self.auth.handler(request)
        await self.auth.finish(response)
        return response


def everything(*, hasher: Any = CHEAP, **options: Any) -> Site:
    """Return a site where everything is on, but for what `options` say."""
    postbox, clock = Postbox(), options.pop("clock", None) or Clock()
    given: dict[str, Any] = {
        "secret": SECRET,
        "base_url": ORIGIN,
        "app_name": "Portico",
        "instrumentation": False,
        "clock": clock,
        "rate_limit": RateLimitOptions(enabled=False),
        "session": SessionOptions(defer_session_refresh=True, cookie_cache=CookieCacheOptions(enabled=True)),
        "advanced": AdvancedOptions(confirm_mailed_links=True),
        **postbox.options(
            password={"password": hasher, "revoke_sessions_on_password_reset": True},
            verification={"send_on_sign_up": True},
        ),
        **options,
    }
    mailing: dict[type[Plugin[Any, Any]], Plugin[Any, Any]] = {
        MagicLink: MagicLink(send_magic_link=postbox.keep),
        TwoFactor: TwoFactor(otp=OtpOptions(send_otp=postbox.keep_code)),
    }
    plugins = [mailing.get(type(each), each) for each in PLUGINS]
    return Site(Auth(plugins=plugins, **given), clock, postbox, given["base_url"])


def fitting(model: type[Wire] | None) -> dict[str, Any]:
    """Return fields that a message takes: those that it needs, and those that make something happen."""
    if model is None:
        return {}
    schema = schema_of(model)
    needed: list[str] = schema.get("required", [])
    properties: Mapping[str, Any] = schema.get("properties", {})
    return {
        name: FITTING.get(name, _example(wanted))
        for name, wanted in properties.items()
        if name in needed or name in OFFERED
    }


@cache
def schema_of(model: type[Wire]) -> Mapping[str, Any]:
    """Return the JSON Schema of a message."""
    return model.model_json_schema()


def _example(schema: Mapping[str, Any]) -> Any:
    if "anyOf" in schema:
        return _example(schema["anyOf"][0])
    examples: dict[str, Any] = {"boolean": True, "integer": 1, "number": 1, "array": [], "object": {}, "null": None}
    fallback = examples.get(schema.get("type", "string"), "wrong")
    return schema.get("const", schema.get("enum", [fallback])[0])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def written(fields: Mapping[str, Any], kind: str) -> bytes:
    """Return fields as a browser writes them into a body of one type."""
    if kind == FORM:
        return urlencode({name: _text(value) for name, value in fields.items()}).encode() or b"x="
    if kind.startswith("multipart/form-data"):
        boundary = kind.partition("boundary=")[2]
        part = '--{}\r\ncontent-disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        parts = [part.format(boundary, name, _text(value)) for name, value in fields.items()]
        return f"{''.join(parts)}--{boundary}--\r\n".encode()
    return json.dumps(fields).encode()


def code_of(response: Response) -> str | None:
    """Return the code of a refusal."""
    body: Any = json.loads(response.body) if response.body.startswith(b"{") else None
    return cast("dict[str, str]", body).get("code") if isinstance(body, dict) else None


def set_cookies(response: Response) -> list[str]:
    return [value for name, value in response.headers if name == "set-cookie"]
