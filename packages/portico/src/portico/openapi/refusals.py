"""What an operation may refuse with: its own codes, those of its session rules, and those of the pipeline."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from portico.endpoint import Endpoint, Resource, Route
from portico.errors import (
    CROSS_SITE_NAVIGATION_LOGIN_BLOCKED,
    INVALID_CALLBACK_URL,
    INVALID_JSON,
    INVALID_ORIGIN,
    MISSING_OR_NULL_ORIGIN,
    PAYLOAD_TOO_LARGE,
    SESSION_NOT_FRESH,
    STORE_BUSY,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    UNSUPPORTED_MEDIA_TYPE,
    VALIDATION_ERROR,
    ErrorCode,
    OAuthErrorCode,
)
from portico.openapi.schemas import Json
from portico.origin import TARGETS

REF = "#/components/responses/{name}"
FAILURE = ErrorCode(500, None, "")
ANYWHERE = (TOO_MANY_REQUESTS, STORE_BUSY, FAILURE)
UNREADABLE = (INVALID_JSON, VALIDATION_ERROR)
FOREIGN = (INVALID_ORIGIN, MISSING_OR_NULL_ORIGIN)


class Refusals:
    """The shared error responses of one document, by name."""

    def __init__(self, further: Sequence[ErrorCode] = ()) -> None:
        """Take what every operation of this document may refuse with besides."""
        self.responses: dict[str, Json] = {}
        self._further = further

    def of(self, operation_id: str, endpoint: Endpoint, route: Route) -> Json:
        """Return the error responses of an operation, by status."""
        by_status: defaultdict[int, dict[ErrorCode, None]] = defaultdict(dict)
        for error in (*_refusals(endpoint, route), *self._further):
            by_status[error.status][error] = None
        is_shown = endpoint.refusal_page is not None
        return {
            str(status): self._ref(operation_id, status, list(by_status[status]), is_shown=is_shown)
            for status in sorted(by_status)
        }

    def _ref(self, operation_id: str, status: int, errors: Sequence[ErrorCode], *, is_shown: bool) -> Json:
        described = _response(status, errors)
        # What is too long never comes as far as to the endpoint.
        if is_shown and "content" in described and status != PAYLOAD_TOO_LARGE.status:
            described["content"] = {"text/html": {"schema": {"type": "string"}}}
        # What most operations answer goes by its status alone; who can say more has a response of its own.
        name = phrase = NAMES.get(status, f"Status{status}")
        if described != _response(status, GENERAL.get(status, ())):
            name = f"{operation_id[:1].upper()}{operation_id[1:]}{phrase}"
        self.responses[name] = described
        return {"$ref": REF.format(name=name)}


NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    413: "PayloadTooLarge",
    415: "UnsupportedMediaType",
    422: "UnprocessableEntity",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
"""Of our own: Python's phrases change from version to version."""
EMPTY = "no body"
"""Stands among the texts of a response that some refusals send without content."""
GENERAL: dict[int, Sequence[ErrorCode]] = {
    400: UNREADABLE,
    401: (UNAUTHORIZED,),
    403: FOREIGN,
    **{error.status: (error,) for error in (PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, *ANYWHERE)},
}
"""What most operations answer."""


def _refusals(endpoint: Endpoint, route: Route) -> Iterator[ErrorCode]:
    yield from endpoint.errors
    rules = endpoint.rules(route)
    if set(rules) - {"none", "optional"}:
        yield UNAUTHORIZED
    if "fresh" in rules:
        yield SESSION_NOT_FRESH
    for rule in rules:
        if isinstance(rule, Resource):
            yield from (rule.missing, rule.foreign)
    if route.method != "GET":
        yield INVALID_JSON
    yield from _invalid(endpoint)
    if endpoint.changes or route.method != "GET":
        yield from FOREIGN
        if endpoint.csrf == "login" or route.confirms:
            yield CROSS_SITE_NAVIGATION_LOGIN_BLOCKED
    yield from _refused_targets(endpoint, route)
    if route.method != "GET":
        yield from (PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)
    yield from ANYWHERE


def _invalid(endpoint: Endpoint) -> Iterator[ErrorCode]:
    """Yield what refuses a message that does not validate."""
    if endpoint.body is not None and endpoint.invalid is not None:
        yield endpoint.invalid
    elif endpoint.body is not None or endpoint.query is not None:
        yield VALIDATION_ERROR


def _refused_targets(endpoint: Endpoint, route: Route) -> Iterator[ErrorCode]:
    for model in (endpoint.body, endpoint.query):
        for wire, _ in model.wire_names if model else ():
            if wire in TARGETS:
                yield INVALID_CALLBACK_URL if route.is_link else TARGETS[wire]
                yield ErrorCode(400, None, f"Invalid {wire}: expected a string")


def _response(status: int, errors: Sequence[ErrorCode]) -> Json:
    of_oauth = [error for error in errors if isinstance(error, OAuthErrorCode)]
    ours = [error for error in errors if not isinstance(error, OAuthErrorCode)]
    kinds = [*_shape(ours, "code", "message"), *_shape(of_oauth, "error", "error_description")]
    schema: Json = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    texts = list(dict.fromkeys(error.message for error in errors if error.message))
    if texts and not all(error.message for error in errors):
        texts.append(EMPTY)
    response: Json = {"description": " · ".join(texts) or "Something failed on the server"}
    if texts:
        response["content"] = {"application/json": {"schema": schema}}
    if status in {TOO_MANY_REQUESTS.status, STORE_BUSY.status}:
        seconds: Json = {"description": "Seconds to wait", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": seconds}
    return response


def _shape(errors: Sequence[ErrorCode], code: str, text: str) -> Iterator[Json]:
    """Yield the schema of refusals in one form, whose members have these names; nothing if there are none."""
    codes = list(dict.fromkeys(error.code for error in errors if error.code is not None))
    named: Json = {code: {"type": "string", "enum": codes}} if codes else {}
    has_code = bool(codes) and all(error.code is not None for error in errors)
    if errors:
        yield {
            "type": "object",
            "properties": {text: {"type": "string"}, **named},
            "required": [text, code] if has_code else [text],
        }
