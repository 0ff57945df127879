"""What `portico dev` answers beside the API: its pages, and the control routes of upstream's reference server."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from portico.cli.dev import calls, database, pages
from portico.cli.dev.setup import Setup
from portico.http import Request, Response, location
from portico.wire import timestamp, to_wire, wire_name

FORM = "application/x-www-form-urlencoded"
JSON_TYPE = ("content-type", "application/json")
Answer = Callable[[Setup, Request], Awaitable[Response]]


@dataclass(frozen=True)
class MistakeError(Exception):
    """The request cannot be done; the message says why."""

    message: str


async def answer(setup: Setup, request: Request) -> Response:
    """Answer a request for something beside the API, if it was sent by this machine to this machine."""
    if not _is_own(setup, request):
        return _json({"message": "Only pages and programs of this machine may ask, by a name of this machine"}, 403)
    known = ROUTES.get(request.path)
    if known is None:
        return _json({"message": "Nothing is here"}, 404)
    method = "GET" if request.method == "HEAD" else request.method
    if method not in known:
        return _json({"message": f"Allowed: {', '.join(known)}"}, 405, ("allow", ", ".join(known)))
    try:
        return await known[method](setup, request)
    except MistakeError as mistake:
        return _json({"message": mistake.message}, 400)


def _is_own(setup: Setup, request: Request) -> bool:
    """Tell a request of this machine from one that a foreign page makes, also by a name that it points here."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    # Origin is what a browser adds to each request that changes something.
    return f"http://{host}" in setup.origins and (origin is None or origin in setup.origins)


async def _front(setup: Setup, request: Request) -> Response:
    return pages.front(setup)


async def _mailbox(setup: Setup, request: Request) -> Response:
    return pages.mailbox(setup)


async def _clock(setup: Setup, request: Request) -> Response:
    return pages.clock(setup)


async def _reference(setup: Setup, request: Request) -> Response:
    return Response(status=302, headers=(location(f"{setup.auth.site.path}/reference"),))


async def _health(setup: Setup, request: Request) -> Response:
    return _json({"ok": True})


async def _outbox(setup: Setup, request: Request) -> Response:
    return _json(
        [
            {"seq": letter.number, "at": timestamp(letter.at), "kind": letter.kind, "data": data}
            for letter in setup.mailbox
            for user in [{} if letter.user is None else {"user": to_wire(letter.user)}]
            for data in [{**user, **{wire_name(key): value for key, value in letter.contents.items()}}]
        ]
    )


async def _clear_outbox(setup: Setup, request: Request) -> Response:
    setup.mailbox.clear()
    return _json({"ok": True})


async def _reset(setup: Setup, request: Request) -> Response:
    await database.empty(setup)
    setup.mailbox.clear()
    setup.clock.reset()
    return _json({"ok": True})


async def _db(setup: Setup, request: Request) -> Response:
    return _json(await database.tables(setup, request.query_fields.get("table") or None))


async def _ddl(setup: Setup, request: Request) -> Response:
    text = await database.ddl(setup)
    return Response(status=200, headers=(("content-type", "text/plain"),), body=text.encode())


async def _sql(setup: Setup, request: Request) -> Response:
    sent = _object(request)
    sql: object = sent.get("sql")
    params: object = sent.get("params", [])
    if not isinstance(sql, str) or not isinstance(params, list):
        raise MistakeError("Send {sql: text, params: list}")
    try:
        return _json(await database.run(setup, sql, cast("list[object]", params)))
    except database.SqlMistakeError as error:
        raise MistakeError(str(error)) from None


async def _api(setup: Setup, request: Request) -> Response:
    sent = _object(request)
    method: object = sent.get("method")
    args: object = sent.get("args", {})
    known = calls.methods(setup.auth)
    if not isinstance(method, str) or method not in known:
        raise MistakeError(f"There is no method {method!r}; there are {', '.join(sorted(known))}")
    given = cast("dict[str, object]", args) if isinstance(args, dict) else None
    if given is None or not all(isinstance(given.get(name, {}), dict) for name in ("headers", "params")):
        raise MistakeError("Send {method: text, args: {headers: object, body, query, params: object}}")
    return _json(await calls.call(setup.auth, *known[method], cast("calls.Arguments", given)))


async def _secondary(setup: Setup, request: Request) -> Response:
    return _json(None)


async def _advance(setup: Setup, request: Request) -> Response:
    is_form = (request.headers.get("content-type") or "").partition(";")[0].strip().lower() == FORM
    sent = _form(request) if is_form else _object(request)
    try:
        setup.clock.advance(_number(sent.get("advance")))
    except ValueError as error:
        raise MistakeError(str(error)) from None
    if is_form:
        return Response(status=303, headers=(location("/__clock"),))
    return _json({"ok": True, "now": timestamp(setup.clock())})


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise MistakeError("Send {advance: seconds}")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def _form(request: Request) -> Mapping[str, str]:
    # A form is spelled as a query is.
    return Request(method="POST", path="/", query=request.body.decode("utf-8", "replace")).query_fields


def _object(request: Request) -> dict[str, Any]:
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise MistakeError("Send a JSON object")
    return cast("dict[str, Any]", sent)


def _json(value: object, status: int = 200, *headers: tuple[str, str]) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status=status, headers=(JSON_TYPE, *headers), body=body.encode("utf-8", "replace"))


ROUTES: Mapping[str, Mapping[str, Answer]] = MappingProxyType(
    {
        "/": {"GET": _front},
        "/reference": {"GET": _reference},
        "/__mailbox": {"GET": _mailbox},
        "/__clock": {"GET": _clock, "POST": _advance},
        "/__health": {"GET": _health},
        "/__outbox": {"GET": _outbox, "DELETE": _clear_outbox},
        "/__reset": {"POST": _reset},
        "/__db": {"GET": _db},
        "/__ddl": {"GET": _ddl},
        "/__sql": {"POST": _sql},
        "/__api": {"POST": _api},
        "/__secondary": {"GET": _secondary},
    }
)
