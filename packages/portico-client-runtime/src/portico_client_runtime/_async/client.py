"""The client that generated clients derive from."""

import copy
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Generic, ParamSpec, Self, TypeVar

import httpx

from portico_client_runtime._async.resource import AsyncResource
from portico_client_runtime._async.session import AsyncSessionStore
from portico_client_runtime.authentication import Authentication, CookieAuth
from portico_client_runtime.cookies import refusing_jar
from portico_client_runtime.errors import AuthError, ConfigError
from portico_client_runtime.exchange import Call, Shared, exchange, fetched
from portico_client_runtime.hooks import Callbacks, ClientPlugin
from portico_client_runtime.operation import Operation, RequestOptions
from portico_client_runtime.raw import RawResponse, capturing, claim
from portico_client_runtime.replies import needs_refresh
from portico_client_runtime.session_state import SessionT
from portico_client_runtime.signals import SESSION, Store
from portico_client_runtime.site import Site
from portico_client_runtime.steps import Conversation, Do, Pause, Step
from portico_client_runtime.waiting import async_do, async_sleep, async_tell

ParametersT = ParamSpec("ParametersT")
ReplyT = TypeVar("ReplyT")
ResourceT = TypeVar("ResourceT", bound=AsyncResource)

NOTHING: Mapping[str, Any] = MappingProxyType({})


class AsyncBaseClient(Generic[SessionT]):
    """Sends operations to one server as one identity. Generated clients add the operations.

    Use it as a context manager, or close it. A client may be shared by everything that speaks for the same user.
    """

    _session_reply: ClassVar[Operation[Any]] = Operation("GET", "/get-session", Any, idempotent=True)
    _codes: ClassVar[frozenset[str]] = frozenset()
    _base_path: ClassVar[str] = "/api/auth"

    def __init__(
        self,
        base_url: str | None = None,
        *,
        base_path: str | None = None,
        plugins: Sequence[ClientPlugin] | None = None,
        auth: Authentication | None = None,
        origin: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        on_request: Callable[[httpx.Request], object] | None = None,
        on_response: Callable[[httpx.Response], object] | None = None,
        on_success: Callable[[RawResponse[Any]], object] | None = None,
        on_error: Callable[[AuthError], object] | None = None,
    ) -> None:
        """Say where the server is, and how to talk to it.

        Args:
            base_url: URL of the server. One with a path is used as it is, to one without `base_path` is added; if None,
                the environment variable BETTER_AUTH_URL.
            base_path: Where a server without a path in its URL has its endpoints; where the server had them that the
                client was generated from, if None.
            plugins: Plugins of the server that may be used; None for all that the client was generated with.
            auth: How to authenticate; by cookies if None.
            origin: Sent as `Origin`, which the server must trust; that of `base_url` if None.
            timeout: Seconds that connecting, sending and each wait for data may take.
            max_retries: How often a request that cannot do harm twice is sent again.
            transport: What carries requests, such as `httpx.ASGITransport` to an application in this process.
            http_client: A client whose connections, headers and event hooks are used; its cookies are not, and it is
                not closed.
            on_request: Told about each attempt. See `Callbacks` for these four.
            on_response: Told about each response.
            on_success: Told about each reply.
            on_error: Told about each error.
        """
        if transport is not None and http_client is not None:
            raise ConfigError("give transport or http_client, not both: a client has its own transport")
        self._owns_http = http_client is None
        # A copy has the same connections and hooks, and cookies of its own: those of one user must not go along with
        # requests of another.
        self._http = httpx.AsyncClient(transport=transport) if http_client is None else copy.copy(http_client)
        self._http.cookies = refusing_jar()
        self._shared = Shared(
            site=Site(
                base_url,
                base_path=self._base_path if base_path is None else base_path,
                origin=origin,
                timeout=timeout,
                headers=dict(self._http.headers.items()),
            ),
            store=Store(),
            authentication=CookieAuth() if auth is None else auth,
            plugins=None if plugins is None else tuple(plugins),
            callbacks=Callbacks(
                on_request=on_request, on_response=on_response, on_success=on_success, on_error=on_error
            ),
            codes=self._codes,
        )
        self._options = RequestOptions(max_retries=max_retries)
        self._resources: dict[type[AsyncResource], AsyncResource] = {}
        self._session: AsyncSessionStore[SessionT] = AsyncSessionStore(self._fetch_session, self._shared.store)

    @property
    def base_url(self) -> str:
        """The URL of the server, with the base path."""
        return self._shared.site.url

    @property
    def session(self) -> AsyncSessionStore[SessionT]:
        """Who is signed in."""
        return self._session

    @property
    def store(self) -> Store:
        """The signals that operations send, such as `session`."""
        return self._shared.store

    def cookie_header(self) -> str:
        """Return the client's cookies as a Cookie header, for requests that something else sends to the server."""
        return self._shared.site.jar.header(self.base_url) or ""

    async def send(
        self,
        operation: Operation[ReplyT],
        *,
        path: Mapping[str, str] = NOTHING,
        query: Mapping[str, Any] = NOTHING,
        body: Mapping[str, Any] | None = None,
        options: RequestOptions | None = None,
    ) -> ReplyT:
        """Call an operation; generated methods come here.

        `path` fills the placeholders of its path. OMIT is left out of query and body, None is sent as null.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No reply came.
            InvalidReply: The reply is not what the operation promises.
            PluginNotConfiguredError: The client was not given the operation's plugin; nothing was sent.
        """
        capture = claim()
        raw = await self._exchange(operation, path=path, query=query, body=body, options=options)
        if capture is not None:
            capture.response = raw.response
        return raw.value

    async def call(
        self,
        path: str,
        *,
        method: str | None = None,
        query: Mapping[str, Any] = NOTHING,
        body: Mapping[str, Any] | None = None,
        signals: Sequence[str] | None = None,
        options: RequestOptions | None = None,
    ) -> Any:
        """Call an endpoint that the client was not generated with, and return its JSON.

        Args:
            path: Under the base path, such as `/my-plugin/do-it`.
            method: POST with a body and GET without, if None.
            query: Fields of the query.
            body: Fields of the JSON body.
            signals: What a success makes stale; the session, unless the method is GET, if None.
            options: What else there is to say about this call.
        """
        if not path.startswith("/"):
            raise ConfigError(f"path must begin with a slash, not {path!r}")
        verb = (method or ("GET" if body is None else "POST")).upper()
        implied = () if verb == "GET" else (SESSION,)
        operation = Operation[Any](verb, path, Any, signals=implied if signals is None else tuple(signals))
        return await self.send(operation, query=query, body=body, options=options)

    async def fetch(self, method: str, url: str, *, form: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a request to any URL of the server, with the client's credentials, and return whatever is answered.

        For what is not under the base path, or reads forms, such as the metadata and the endpoints of an OAuth
        provider. It is sent once, and redirects are not followed.

        Raises:
            ConfigError: The URL is another server's, or none; nothing was sent.
            ConnectionFailed: No reply came.
        """
        return await self._drive(fetched(self._shared, self._shared.site.request_to(url, method, form)))

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] = NOTHING,
    ) -> Self:
        """Return a view of this client with other defaults: same connections, cookies, identity and session."""
        view = copy.copy(self)
        view._options = _merged(
            self._options, RequestOptions(timeout=timeout, max_retries=max_retries, headers=headers)
        )
        view._resources = {}
        # Resources that were already used send through the client that made them.
        for name in [name for name, value in vars(view).items() if isinstance(value, AsyncResource)]:
            delattr(view, name)
        return view

    def with_raw_response(
        self, method: Callable[ParametersT, Awaitable[ReplyT]]
    ) -> Callable[ParametersT, Coroutine[Any, Any, RawResponse[ReplyT]]]:
        """Return a method of this client that returns its reply together with status and headers."""

        async def called(*args: ParametersT.args, **kwargs: ParametersT.kwargs) -> RawResponse[ReplyT]:
            with capturing() as capture:
                value = await method(*args, **kwargs)
            return capture.of(value)

        return called

    def plugin(self, resource: type[ResourceT]) -> ResourceT:
        """Return the operations of a plugin that the client was not generated with, always the same object."""
        known = self._resources.get(resource) or self._resources.setdefault(resource, resource(self))
        if not isinstance(known, resource):
            raise TypeError(f"{resource!r} made {known!r}")
        return known

    async def aclose(self) -> None:
        """Close the connections, unless they are those of `http_client`."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _exchange(
        self,
        operation: Operation[ReplyT],
        *,
        path: Mapping[str, str] = NOTHING,
        query: Mapping[str, Any] = NOTHING,
        body: Mapping[str, Any] | None = None,
        options: RequestOptions | None = None,
    ) -> RawResponse[ReplyT]:
        merged = self._options if options is None else _merged(self._options, options)
        call = Call(
            operation=operation,
            path=path,
            query=query,
            body=body,
            options=merged,
            max_retries=merged.max_retries or 0,
        )
        return await self._drive(exchange(self._shared, call))

    async def _drive(self, conversation: Conversation[ReplyT]) -> ReplyT:
        try:
            step = next(conversation)
            while True:
                try:
                    answer = await self._perform(step)
                except (httpx.RequestError, AuthError) as failure:
                    step = conversation.throw(failure)
                else:
                    step = conversation.send(answer)
        except StopIteration as end:
            reply: ReplyT = end.value
            return reply

    async def _perform(self, step: Step) -> Any:
        match step:
            case httpx.Request():
                return await self._http.send(step, auth=None, follow_redirects=False)
            case Pause(seconds):
                return await async_sleep(seconds)
            case Do(function):
                return await async_do(function)
            case _:
                return await async_tell(step.callback, step.argument)

    async def _fetch_session(self) -> tuple[SessionT | None, bool]:
        asked = self._session_reply
        found = await self._exchange(asked)
        if not needs_refresh(found.response):
            return found.value, True
        try:
            refreshed = await self._exchange(replace(asked, method="POST"), body={})
        except AuthError:
            # The session is there all the same; the next look tries again.
            return found.value, False
        return refreshed.value, True


def _merged(defaults: RequestOptions, given: RequestOptions) -> RequestOptions:
    return replace(
        given,
        timeout=defaults.timeout if given.timeout is None else given.timeout,
        max_retries=defaults.max_retries if given.max_retries is None else given.max_retries,
        headers={**defaults.headers, **given.headers} if defaults.headers else given.headers,
    )
