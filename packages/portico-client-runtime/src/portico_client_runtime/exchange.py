"""One call from its arguments to its reply: every decision, and no waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import httpx

from portico_client_runtime import replies, retries
from portico_client_runtime.authentication import Authentication
from portico_client_runtime.encoding import body_bytes, filled, query_string
from portico_client_runtime.errors import AuthError, PluginNotConfiguredError
from portico_client_runtime.hooks import Callbacks, ClientPlugin
from portico_client_runtime.operation import Operation, RequestOptions
from portico_client_runtime.raw import RawResponse
from portico_client_runtime.signals import Store
from portico_client_runtime.site import Site
from portico_client_runtime.steps import Conversation, Pause, Tell

ReplyT = TypeVar("ReplyT")


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What a client and its views have in common."""

    site: Site
    store: Store
    authentication: Authentication
    plugins: tuple[ClientPlugin, ...] | None
    """None: every plugin of the generated client."""
    callbacks: Callbacks
    """The client's own."""
    codes: frozenset[str]
    """Codes that the client knows."""


@dataclass(frozen=True, kw_only=True)
class Call(Generic[ReplyT]):
    """One call of an operation."""

    operation: Operation[ReplyT]
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    options: RequestOptions
    max_retries: int


def exchange(shared: Shared, call: Call[ReplyT]) -> Conversation[RawResponse[ReplyT]]:
    """Send a call until it is answered or there is no point, and return its reply."""
    check_plugin(shared.plugins, call.operation)
    try:
        response = yield from _answer(shared, call)
        if response.is_error:
            silent = _unserved(call.operation) if response.status_code == HTTPStatus.NOT_FOUND else None
            raise replies.error_of(response, shared.codes, silent)
        raw = RawResponse(replies.value_of(call.operation.adapter, response), response)
    except AuthError as error:
        for listener in _listeners(shared, call, lambda callbacks: callbacks.on_error):
            yield Tell(listener, error)
        raise
    # Ahead of the callbacks: one that asks for the session must not get the one before.
    if not call.options.disable_signal:
        for signal in call.operation.signals:
            shared.store.notify(signal)
    for listener in _listeners(shared, call, lambda callbacks: callbacks.on_success):
        yield Tell(listener, raw)
    yield from _second_step(shared, response)
    return raw


def _unserved(operation: Operation[Any]) -> str:
    """Say what a 404 without a word means: no operation answers so."""
    plugin = "" if operation.plugin == "core" else f", and whether the server has the plugin {operation.plugin!r}"
    return f"the server has no {operation.method} {operation.path}: check the base URL{plugin}"


def fetched(shared: Shared, request: httpx.Request) -> Conversation[httpx.Response]:
    """Send a request of the caller's own once, with the client's credentials, and return whatever is answered."""
    try:
        return (yield from shared.authentication.converse(request, shared.site))
    except httpx.RequestError as failure:
        raise replies.failure_of(failure) from failure


def check_plugin(plugins: tuple[ClientPlugin, ...] | None, operation: Operation[Any]) -> None:
    """Refuse an operation of a plugin that the client was not given."""
    if plugins is None or operation.plugin == "core" or any(plugin.id == operation.plugin for plugin in plugins):
        return
    raise PluginNotConfiguredError(
        f"{operation.path} belongs to the plugin {operation.plugin!r}, which plugins=[...] of this client leaves out: "
        f"add {operation.plugin.replace('-', '_')}_client() to the list"
    )


def _answer(shared: Shared, call: Call[Any]) -> Conversation[httpx.Response]:
    attempt = 0
    while True:
        request = _request(shared.site, call)
        for listener in _listeners(shared, call, lambda callbacks: callbacks.on_request):
            yield Tell(listener, request)
        try:
            response = yield from shared.authentication.converse(request, shared.site)
        except httpx.RequestError as failure:
            delay = retries.after_failure(call.operation, attempt, failure)
            if delay is None or attempt >= call.max_retries:
                raise replies.failure_of(failure) from failure
        else:
            for listener in _listeners(shared, call, lambda callbacks: callbacks.on_response):
                yield Tell(listener, response)
            delay = retries.after_response(call.operation, attempt, response)
            if delay is None or attempt >= call.max_retries:
                return response
        yield Pause(delay)
        attempt += 1


def _request(site: Site, call: Call[Any]) -> httpx.Request:
    path = call.operation.path
    return site.request(
        call.operation.method,
        filled(path, call.path) if call.path else path,
        query=query_string(call.query),
        content=None if call.body is None else body_bytes(call.body),
        headers=call.options.headers,
        timeout=call.options.timeout,
    )


def _listeners(
    shared: Shared, call: Call[Any], chosen: Callable[[Callbacks], Callable[[Any], object] | None]
) -> list[Callable[[Any], object]]:
    everyone = (call.options, shared.callbacks, *(shared.plugins or ()))
    return [listener for listener in map(chosen, everyone) if listener is not None]


def _second_step(shared: Shared, response: httpx.Response) -> Conversation[None]:
    listeners = [plugin.on_two_factor_redirect for plugin in shared.plugins or () if plugin.on_two_factor_redirect]
    methods = replies.two_factor_methods(response) if listeners else None
    if methods is not None:
        for listener in listeners:
            yield Tell(listener, methods)
