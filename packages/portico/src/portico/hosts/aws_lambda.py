"""Serve an Auth as an AWS Lambda function: behind API Gateway, a function URL or a load balancer.

REST APIs, HTTP APIs with either payload format, function URLs and target groups are told apart by their events. The
stage may stand in `base_url`, as it does in the public URL, or be left out.
See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from portico.auth import Auth
from portico.errors import PAYLOAD_TOO_LARGE, UNAUTHORIZED, ApiError, ConfigError
from portico.hosts.gateway import AuthPaths, TypedAuth, below_mount, body_was_read, session_of
from portico.http import Header, Headers, Request, Response
from portico.messages import SessionData
from portico.models import SessionT, UserT
from portico.responses import refused

Event = Mapping[str, Any]
Answer = dict[str, Any]
LambdaHandler = Callable[[Event, Any], Answer]

# HTTP APIs decode the path, everybody else hands it over as sent: what no sent path can hold was decoded.
DECODED = re.compile(r"%(?![0-9A-Fa-f]{2})|[^!-~]|[\"#<>?\\^`{|}]")


def handler(auth: Auth[Any], *, mount: str = "") -> LambdaHandler:
    """Return the function that AWS calls with each event; work after a response is done before it returns.

    Args:
        mount: the prefix, such as `/accounts`, that the API mapping of a custom domain puts in front of all paths.
    """
    paths = AuthPaths(auth)

    async def respond(request: Request) -> Response:
        response = await auth.handler(request)
        # The process is frozen as soon as the answer is out.
        await auth.finish(response)
        return response

    def handle(event: Event, _context: Any) -> Answer:
        call = _call_of(event)
        try:
            body = call.body(auth.advanced.max_body_size)
        except ApiError as refusal:
            return call.answer(refused(refusal))
        request = Request(
            method=call.method,
            path=call.path(paths, mount),
            query=call.query,
            headers=call.headers,
            body=body,
            peer=call.peer,
            scheme="https",
        )
        return call.answer(auth.run(respond, request))

    return handle


def session_of_event(
    auth: TypedAuth[UserT, SessionT], event: Event
) -> tuple[SessionData[UserT, SessionT] | None, list[Header]]:
    """Return the session of an event's caller, and the headers that `with_headers` must add to the answer."""
    return auth.api.auth.run(session_of, auth, _call_of(event).headers)


def with_headers(event: Event, answer: Any, headers: Iterable[Header]) -> Answer:
    """Return a function's answer to `event` with more headers, in the form that the caller of the function takes."""
    call, complete = _call_of(event), _complete(answer)
    return call.rewritten(complete, [*_fields_of(complete), *headers])


def session_required(
    auth: TypedAuth[UserT, SessionT],
) -> Callable[[Callable[[Event, Any, SessionData[UserT, SessionT]], Any]], LambdaHandler]:
    """Return a decorator for functions that take event, context and session; without a session, the answer is 401.

    An ApiError that leaves the function is answered as the Auth would answer it.
    """

    def decorate(view: Callable[[Event, Any, SessionData[UserT, SessionT]], Any]) -> LambdaHandler:
        @wraps(view)
        def guarded(event: Event, context: Any) -> Answer:
            found, headers = session_of_event(auth, event)
            try:
                answer = _refusal(event, ApiError(UNAUTHORIZED)) if found is None else view(event, context, found)
            except ApiError as refusal:
                answer = _refusal(event, refusal)
            return with_headers(event, answer, headers)

        return guarded

    return decorate


def cors(function: Callable[[Event, Any], Any], auth: Auth[Any]) -> LambdaHandler:
    """Return `function` with answers that pages of the trusted origins of `auth` may read, cookies included.

    For an API that hands on OPTIONS requests; leave out the gateway's own settings for other origins then.
    """

    @wraps(function)
    def handle(event: Event, context: Any) -> Answer:
        call = _call_of(event)
        preflight = auth.cors.preflight(call.method, call.headers)
        if preflight is not None:
            return call.answer(preflight)
        complete = _complete(function(event, context))
        return call.rewritten(complete, auth.cors.applied(call.headers, _fields_of(complete)))

    return handle


def _refusal(event: Event, refusal: ApiError) -> Answer:
    return _call_of(event).answer(refused(refusal))


class _RestCall:
    """One event of a REST API, or of an HTTP API with payload format 1.0."""

    is_query_decoded: ClassVar[bool] = True

    def __init__(self, event: Event) -> None:
        self._event = event
        self._context: Mapping[str, Any] = event["requestContext"]
        self.headers = Headers(self._fields())
        self.query = self._query()

    @property
    def method(self) -> str:
        return str(self._event["httpMethod"])

    @property
    def peer(self) -> str:
        identity: Mapping[str, Any] = self._context.get("identity") or {}
        return str(identity.get("sourceIp") or "")

    def path(self, paths: AuthPaths, mount: str) -> str:
        sent = DECODED.sub(lambda found: quote(found[0], safe="", errors="replace"), self._path())
        stage = str(self._context.get("stage") or "")
        prefix = "" if stage == "$default" or not stage else f"/{stage}"
        known = below_mount(sent, prefix, paths.base)
        if known in paths:
            return known
        return below_mount(sent.removeprefix(prefix) if sent.startswith(prefix + "/") else sent, mount, paths.base)

    def body(self, limit: int) -> bytes:
        text: str = self._event.get("body") or ""
        # Base64 makes four characters of three bytes.
        if len(text) * 3 // 4 > limit + 2:
            raise ApiError(PAYLOAD_TOO_LARGE)
        body = b64decode(text) if self._event.get("isBase64Encoded") else text.encode(errors="replace")
        if len(body) > limit:
            raise ApiError(PAYLOAD_TOO_LARGE)
        expected = 0 if body else self._length()
        if expected:
            raise body_was_read(expected)
        return body

    def _length(self) -> int:
        try:
            return int(self.headers.get("content-length") or 0)
        except ValueError:
            return 0

    def answer(self, response: Response) -> Answer:
        try:
            text, is_encoded = response.body.decode(), False
        except UnicodeDecodeError:
            text, is_encoded = b64encode(response.body).decode(), True
        answer = {"statusCode": response.status, "body": text, "isBase64Encoded": is_encoded}
        return self.rewritten(answer, response.headers)

    def rewritten(self, answer: Answer, fields: Iterable[Header]) -> Answer:
        """Return an answer with these header fields in place of its own."""
        kept = {name: value for name, value in answer.items() if name not in {"headers", "multiValueHeaders"}}
        lines: dict[str, list[str]] = {}
        for name, value in fields:
            lines.setdefault(name.lower(), []).append(value)
        return {**kept, "multiValueHeaders": lines}

    def _path(self) -> str:
        return str(self._event.get("path") or "/")

    def _fields(self) -> list[Header]:
        return _pairs(self._event, "multiValueHeaders", "headers")

    def _query(self) -> str:
        pairs = _pairs(self._event, "multiValueQueryStringParameters", "queryStringParameters")
        if self.is_query_decoded:
            return urlencode(pairs, quote_via=quote, safe="", errors="replace")
        return "&".join(f"{name}={value}" for name, value in pairs)


class _BalancerCall(_RestCall):
    """One event of the target group of a load balancer."""

    is_query_decoded = False

    def __init__(self, event: Event) -> None:
        if "multiValueHeaders" not in event:
            raise ConfigError(
                "the load balancer sends one value for each header and takes one cookie: turn on "
                "`lambda.multi_value_headers.enabled` of its target group"
            )
        super().__init__(event)

    @property
    def peer(self) -> str:
        # The balancer names no peer; the last of these is what it appends itself.
        return (self.headers.get("x-forwarded-for") or "").rpartition(",")[2].strip()


class _HttpCall(_RestCall):
    """One event of an HTTP API with payload format 2.0, or of a function URL."""

    @property
    def method(self) -> str:
        return str(self._context["http"]["method"])

    @property
    def peer(self) -> str:
        return str(self._context["http"].get("sourceIp") or "")

    def rewritten(self, answer: Answer, fields: Iterable[Header]) -> Answer:
        kept = {name: value for name, value in answer.items() if name not in {"headers", "cookies"}}
        cookies: list[str] = []
        headers: dict[str, str] = {}
        for name, value in fields:
            key = name.lower()
            if key == "set-cookie":
                cookies.append(value)
            else:
                headers[key] = f"{headers[key]}, {value}" if key in headers else value
        return {**kept, "headers": headers, "cookies": cookies}

    def _path(self) -> str:
        return str(self._event.get("rawPath") or "/")

    def _fields(self) -> list[Header]:
        return [*_pairs(self._event, "", "headers"), *(("cookie", each) for each in self._event.get("cookies") or ())]

    def _query(self) -> str:
        return str(self._event.get("rawQueryString") or "")


def _call_of(event: Event) -> _RestCall:
    # What invokes a function may send any JSON.
    fields: Event = event if hasattr(event, "keys") else {}
    context: Mapping[str, Any] = fields.get("requestContext") or {}
    if "elb" in context:
        return _BalancerCall(fields)
    if "http" in context:
        return _HttpCall(fields)
    if context and "httpMethod" in fields:
        return _RestCall(fields)
    found = ", ".join(sorted(fields)) or type(event).__name__
    raise ConfigError(
        "this event comes from no REST API, HTTP API, function URL or target group, "
        f"or its integration is no proxy: it has {found}"
    )


def _pairs(source: Mapping[str, Any], several: str, single: str) -> list[Header]:
    """Return the entries of a multi-value field, or of its single-value sibling where that is missing."""
    lists: Mapping[str, Any] | None = source.get(several)
    if lists:
        return [(name, str(value)) for name, values in lists.items() for value in values or ()]
    values: Mapping[str, Any] = source.get(single) or {}
    return [(name, str(value)) for name, value in values.items() if value is not None]


def _complete(answer: Any) -> Answer:
    """Return an answer as AWS reads it: what has no status is a JSON body."""
    if hasattr(answer, "keys") and "statusCode" in answer:
        return {**answer}
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": text}


def _fields_of(answer: Answer) -> list[Header]:
    several = _pairs(answer, "multiValueHeaders", "")
    known = {name.lower() for name, _ in several}
    single = [(name, value) for name, value in _pairs(answer, "", "headers") if name.lower() not in known]
    return [*single, *several, *(("set-cookie", str(each)) for each in answer.get("cookies") or ())]
