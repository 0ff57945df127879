"""Holds every response that the suite sees against the document of the Auth that gave it.

What the document does not mention is a failure, too: a status, a property, a code, a body where none should be.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast
from weakref import WeakKeyDictionary

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from portico import Auth, Request, Response, Route
from portico.endpoint import Endpoint
from portico.handler import Handler
from portico.openapi import Json, document
from portico.openapi.refusals import EMPTY
from portico.origin import TARGETS

FORMATS = Draft202012Validator.FORMAT_CHECKER


class Contract:
    """Watches the handlers of this process."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        """What was found since somebody looked."""
        self.checked = 0
        self._described: WeakKeyDictionary[Auth[Any], dict[str, Json]] = WeakKeyDictionary()
        self._kept: WeakKeyDictionary[Auth[Any], set[tuple[Route, int, str | None, bytes]]] = WeakKeyDictionary()
        """Answers that were found to be as described: a matrix gets the same one thousands of times."""

    def watch(self) -> None:
        """Look at every response from now on."""
        answer = Handler.__call__

        async def answer_and_check(handler: Handler, request: Request) -> Response:
            response = await answer(handler, request)
            self._check(handler, request, response)
            return response

        setattr(Handler, "__call__", answer_and_check)

    def taken(self) -> list[str]:
        """Return what was found, once."""
        found, self.broken = self.broken, []
        return found

    def _check(self, handler: Handler, request: Request, response: Response) -> None:
        match = handler._router.match(request.method, request.path)  # pyright: ignore[reportPrivateUsage]  # the pipeline's own answer
        if match is None or match.target.is_disabled or refuses_undeclared_url(match.target.endpoint, response):
            return
        self.checked += 1
        auth: Auth[Any] = handler._auth  # pyright: ignore[reportPrivateUsage]  # as above
        kept = self._kept.setdefault(auth, set())
        answer = (match.route, response.status, dict(response.headers).get("content-type"), response.body)
        if answer in kept:
            return
        found = list(mistakes(self._document(auth, match.target.endpoint), match.route, response))
        self.broken += [f"{request.method} {match.route.path} {response.status}: {mistake}" for mistake in found]
        if not found:
            kept.add(answer)

    def _document(self, auth: Auth[Any], endpoint: Endpoint) -> Json:
        known = self._described.setdefault(auth, {})
        if endpoint.path not in known:
            known[endpoint.path] = document(auth, [endpoint])
        return known[endpoint.path]


def refuses_undeclared_url(endpoint: Endpoint, response: Response) -> bool:
    """Tell whether a field was refused that is checked wherever it is sent, but described where it is read only.

    Who keeps to the document never sends it, so that naming its codes everywhere would help nobody.
    """
    if response.status not in {400, 403} or not response.body.startswith(b"{"):
        return False
    models = (endpoint.body, endpoint.query)
    declared = {wire for model in models if model for wire, _ in model.wire_names}
    unknown = [refusal for wire, refusal in TARGETS.items() if wire not in declared]
    answers = [{"message": refusal.message, "code": refusal.code} for refusal in unknown]
    return json.loads(response.body) in [
        *answers,
        *({"message": f"{each.message}: expected a string"} for each in unknown),
    ]


def mistakes(described: Json, route: Route, response: Response) -> Iterator[str]:
    """Yield what the document of a response does not allow."""
    operation: Json = described["paths"][route.path][route.method.lower()]
    answers: Mapping[str, Json] = operation["responses"]
    if str(response.status) not in answers:
        yield f"the status is not described; the body is {response.body[:200]!r}"
        return
    documented = answers[str(response.status)]
    if "$ref" in documented:
        documented = described["components"]["responses"][documented["$ref"].rpartition("/")[2]]
    content: Mapping[str, Json] = documented.get("content", {})
    if not content:
        if response.body:
            yield f"a body is not described: {response.body[:200]!r}"
        return
    if not response.body and EMPTY in documented["description"]:
        return
    kind = dict(response.headers).get("content-type", "").partition(";")[0]
    if kind not in content and "*/*" not in content:
        yield f"{kind!r} is not described"
    elif kind == "application/json":
        schema = json.dumps({**content[kind]["schema"], "components": described["components"]}, sort_keys=True)
        yield from _refused(schema, response.body)


def _refused(schema: str, body: bytes) -> Iterator[str]:
    for error in _validator(schema).iter_errors(json.loads(body)):
        best: Any = min(error.context, key=lambda each: len(each.context or ()), default=error)
        yield f"{'.'.join(map(str, error.absolute_path))}: {best.message}; the body is {body[:300]!r}"


@lru_cache(maxsize=512)
def _validator(schema: str) -> Validator:
    return Draft202012Validator(_closed(json.loads(schema)), format_checker=FORMATS)


def _closed(value: object) -> Any:
    """Refuse every property that a schema does not name."""
    if isinstance(value, list):
        return [_closed(each) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    schema = {name: _closed(each) for name, each in cast("Json", value).items()}
    is_object = schema.get("type") == "object" and "properties" in schema
    return {"additionalProperties": False, **schema} if is_object else schema
